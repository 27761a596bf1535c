import * as z from "zod";
import type { Contract } from "./contract.ts";
import { Input, ToldWallet } from "./lines.ts";
import { Limit, whole } from "./query.ts";

/** Watched wallets with their latest scores, the most credible first. */
export const walletsContract = {
  query: z.strictObject({ limit: Limit, offset: whole({ from: 0, to: 999_999, otherwise: 0 }) }),
  reply: z.object({
    input: Input,
    wallets: z.array(ToldWallet),
    /** The `offset` of the page after, or null after the last. */
    next: z.int().nullable(),
  }),
} as const satisfies Contract;
