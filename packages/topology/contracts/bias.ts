import * as z from "zod";
import { NoTrade } from "#trading/plans/no-trade";
import { Horizon, Instant } from "#units/time";
import type { Contract } from "./contract.ts";
import { Input, ToldBias } from "./lines.ts";
import { At, OneAsset } from "./query.ts";

/** The newest biases with their largest contributions, and why a traded asset has no order. */
export const biasContract = {
  query: z.strictObject({ asset: OneAsset, at: At }),
  reply: z.object({
    input: Input,
    /** When the biases stood so; null without one. */
    asOf: Instant.nullable(),
    evidence: z.array(z.object({ horizon: Horizon, has: z.number(), needs: z.int() })),
    biases: z.array(ToldBias),
    noTrade: z.array(NoTrade.extend({ text: z.string() })),
  }),
} as const satisfies Contract;
