import * as z from "zod";
import type { Contract } from "./contract.ts";
import { Input, ToldPosition } from "./lines.ts";
import { Limit } from "./query.ts";

/** Positions, newest first; an open one with what waits for it at the venue. */
export const positionsContract = {
  query: z.strictObject({ limit: Limit, state: z.enum(["open", "closed", "all"]).default("all") }),
  reply: z.object({ input: Input, positions: z.array(ToldPosition) }),
} as const satisfies Contract;
