import * as z from "zod";
import { Decimal } from "#units/decimal";
import { Instant } from "#units/time";
import type { VenueLine } from "./explanation.ts";

/** One event of an order as it is stored. */
export interface OrderEventRow {
  readonly at: Instant;
  readonly status: string;
  readonly detail: unknown;
}

/** What a move writes. Source: `movementOf` and `birthOf` in packages/trading/orders/stored-order.ts. */
const Detail = z.object({
  event: z.string(),
  by: z.string(),
  set: z
    .object({
      ...{
        side: z.string().nullish(),
        size: Decimal.nullish(),
        price: Decimal.nullish(),
        reduceOnly: z.boolean().nullish(),
      },
      ...{ exchangeOrderId: z.string().nullish(), errorMessage: z.string().nullish(), expTime: Instant.nullish() },
      ...{ filledSize: Decimal.nullish(), avgFillPrice: Decimal.nullish(), fees: Decimal.nullish() },
    })
    .default({}),
  outcome: z.string().nullish(),
  looked_at: Instant.nullish(),
  leg: z.string().nullish(),
  ruling: z.string().nullish(),
  actor: z.string().nullish(),
  reason: z.string().nullish(),
});
type Detail = z.infer<typeof Detail>;

/** OKX's codes have five digits; what the desk writes of a reply begins with it, or names it after one word. */
const CODE = /^(?:[a-z]+ )?(\d{5})\b/;

/** Returns an event of an order as it is shown: what the desk asked, and what the venue answered. */
export function eventLine({ at, status, detail }: OrderEventRow): VenueLine {
  const parsed = Detail.parse(detail);
  const code = CODE.exec(parsed.set.errorMessage ?? "")?.[1] ?? null;
  return { at, by: parsed.by, event: parsed.event, status, text: said(parsed), code };
}

function said({ event, set, outcome, looked_at: lookedAt, leg, ruling, actor, reason }: Detail): string {
  const because = set.errorMessage ?? null;
  const hand = ruling ? `, ruled ${ruling} by ${actor ?? "?"}: ${reason ?? "?"}` : "";
  switch (event) {
    case "proposed":
      return `planned: ${plannedText(set)}${leg ? `, ${leg}` : ""}`;
    case "claimed":
      return `request: one POST${set.size ? ` of ${set.size} ct` : ""}, which the venue may take until ${set.expTime ?? "?"}`;
    case "accepted":
      return `reply: accepted${set.exchangeOrderId ? ` as ${set.exchangeOrderId}` : ""}${hand}`;
    case "rejected":
      return `reply: ${because ?? "rejected"}`;
    case "lost":
      return `no usable reply: ${because ?? "none"}`;
    case "looked_up":
      return `looked up: ${outcome ?? "?"}${lookedAt ? ` at ${lookedAt}` : ""}`;
    case "filled":
    case "partly_filled":
      return `filled ${filledText(set)}`;
    default:
      return `${because?.startsWith(event) ? because : [event, ...(because === null ? [] : [because])].join(": ")}${hand}`;
  }
}

const plannedText = ({ side, size, price, reduceOnly }: Detail["set"]): string =>
  `${side ?? "?"} ${size ?? "?"} ct${price ? ` at ${price}` : ""}${reduceOnly ? ", reduce-only" : ""}`;

const filledText = ({ filledSize, avgFillPrice, fees }: Detail["set"]): string =>
  `${filledSize ?? "?"} ct${avgFillPrice ? ` at ${avgFillPrice}` : ""}${fees ? `, fee ${fees}` : ""}`;
