import * as z from "zod";
import { EventType } from "#chain/event";
import { BiasLine, ContributionLine, EventLine, OrderLine, PositionLine, WalletLine } from "#reporting/report";
import { OrderStatus } from "#trading/orders/order";
import { Decimal } from "#units/decimal";

/** What the desk runs on: beside what a route answers, so that generated input is never taken for a market. */
export const Input = z.object({ name: z.string(), generated: z.boolean() }).meta({ id: "Input" });

/** Where the page after is: for `before`, or null after the last. */
export const Next = z.string().nullable();

/** An event as a route tells it: of a kind that the chain's reader knows. */
export const ToldEvent = EventLine.extend({ type: EventType }).meta({ id: "Event" });

/** A bias with its largest terms. */
export const ToldBias = BiasLine.extend({
  contributions: z.array(ContributionLine.extend({ event: ToldEvent.nullable() })),
}).meta({ id: "Bias" });

/** Which unit an order's `size` is of, and the same in the asset, exact; null while the instrument is not listed. */
const Sized = z.object({ sizeUnit: z.literal("contracts"), sizeAsset: Decimal.nullable() });

/** An order with why it was made, both in the words of the report too. */
export const ToldOrder = OrderLine.extend({
  ...{ status: OrderStatus, text: z.string(), whyText: z.string() },
  ...Sized.shape,
}).meta({ id: "Order" });

/** A position, as the report tells it. */
export const ToldPosition = PositionLine.meta({ id: "Position" });

/** A watched wallet with its latest scores. */
export const ToldWallet = WalletLine.meta({ id: "Wallet" });
