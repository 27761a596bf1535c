import * as z from "zod";
import { EventType } from "#chain/event";
import { Decimal } from "#units/decimal";
import type { Contract } from "./contract.ts";
import { Input, Next, ToldEvent } from "./lines.ts";
import { Address, Before, Limit, OneAsset } from "./query.ts";
import { From, To } from "./span.ts";

const USD = /^\d{1,15}(\.\d{1,2})?$/;
/** Dollars, without exponent or sign. */
const Usd = Decimal.regex(USD, "dollars, as 100000 or 0.5").meta({ override: { type: "string", pattern: USD.source } });

/** Events, newest first. */
export const eventsContract = {
  query: z.strictObject({
    limit: Limit,
    before: Before.optional(),
    asset: OneAsset,
    type: EventType.optional(),
    wallet: Address.optional(),
    from: From.optional(),
    to: To.optional(),
    minUsd: Usd.optional(),
  }),
  reply: z.object({ input: Input, events: z.array(ToldEvent), next: Next }),
} as const satisfies Contract;
