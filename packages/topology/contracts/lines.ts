import * as z from "zod";
import { EventType } from "#chain/event";
import { BiasLine, ContributionLine, EventLine, OrderLine } from "#reporting/report";
import { OrderStatus } from "#trading/orders/order";

/** What the desk runs on: beside what a route answers, so that generated input is never taken for a market. */
export const Input = z.object({ name: z.string(), generated: z.boolean() });

/** Where the page after is: for `before`, or null after the last. */
export const Next = z.string().nullable();

/** An event as a route tells it: of a kind that the chain's reader knows. */
export const ToldEvent = EventLine.extend({ type: EventType });

/** A bias with its largest terms. */
export const ToldBias = BiasLine.extend({
  contributions: z.array(ContributionLine.extend({ event: ToldEvent.nullable() })),
});

/** An order with why it was made, both in the words of the report too. */
export const ToldOrder = OrderLine.extend({ status: OrderStatus, text: z.string(), whyText: z.string() });
