import * as z from "zod";
import { EventType } from "#chain/event";
import type { Contract } from "./contract.ts";
import { Input, Next, ToldEvent } from "./lines.ts";
import { Address, Before, Limit, OneAsset } from "./query.ts";

/** Events, newest first. */
export const eventsContract = {
  query: z.strictObject({
    limit: Limit,
    before: Before.optional(),
    asset: OneAsset,
    type: EventType.optional(),
    wallet: Address.optional(),
  }),
  reply: z.object({ input: Input, events: z.array(ToldEvent), next: Next }),
} as const satisfies Contract;
