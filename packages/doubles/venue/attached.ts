import { type Big, big, text } from "#units/decimal";
import type { PaperOrder } from "./account.ts";
import type { AlgoLeg, Attached } from "./algo.ts";
import type { Listing, Touch } from "./book.ts";
import type { Floor } from "./matching.ts";
import { PaperRefusal, positive, required } from "./reply.ts";

type Fields = Readonly<Record<string, unknown>>;

const TRIGGER_TYPES = ["last", "mark", "index"] as const;

/**
 * Returns the stop ("sl") or take-profit ("tp") that `fields` name, null for none.
 * @throws PaperRefusal 51000 naming the field, 50014 for half a leg.
 */
export function legOf(fields: Fields, name: "sl" | "tp", listing: Listing): AlgoLeg | null {
  if (!fields[`${name}TriggerPx`]) return null;
  const triggerPx = onTick(fields, `${name}TriggerPx`, listing);
  const ordPx = required(fields, `${name}OrdPx`);
  if (ordPx !== "-1") onTick(fields, `${name}OrdPx`, listing);
  return { triggerPx: text(triggerPx), triggerPxType: triggerType(fields, `${name}TriggerPxType`), ordPx };
}

/** @throws PaperRefusal 51000. */
export function triggerType(fields: Fields, name: string): AlgoLeg["triggerPxType"] {
  const written = String(fields[name] || "last");
  const type = TRIGGER_TYPES.find((known) => known === written);
  if (!type) throw new PaperRefusal("51000", `Parameter ${name} error`);
  return type;
}

/** @throws PaperRefusal 51000 when it is no price on the tick. */
export function onTick(fields: Fields, name: string, { tick }: Listing): Big {
  const price = positive(fields, name);
  if (!price.mod(tick).eq(0)) throw new PaperRefusal("51000", `Parameter ${name} error`);
  return price;
}

// A parent that buys: its take-profit above, its stop below; OKX has a code for each side, of a limit price and of the book.
const MISPLACED = {
  limit: { buy: { tp: "51046", sl: "51047" }, sell: { tp: "51048", sl: "51049" } },
  market: { buy: { tp: "51050", sl: "51051" }, sell: { tp: "51052", sl: "51053" } },
} as const;

function checkSide(order: PaperOrder, touch: Touch, name: "sl" | "tp", leg: AlgoLeg | null): void {
  if (leg === null) return;
  const { side, px } = order;
  const from = px === "" ? (side === "buy" ? touch.ask : touch.bid) : big(px);
  const above = (name === "tp") === (side === "buy");
  if (above ? big(leg.triggerPx).gt(from) : big(leg.triggerPx).lt(from)) return;
  const code = MISPLACED[px === "" ? "market" : "limit"][side][name];
  throw new PaperRefusal(code, `The ${name} trigger price must be ${above ? "higher" : "lower"} than ${text(from)}`);
}

/**
 * Returns the TP/SL that a placement carries: one entry at most, of the order's whole size.
 * @throws PaperRefusal 51100 on a reduce-only order, 51046 to 51053 on the wrong side, 51065 for an id in use, 51000, 50014.
 */
export function attachedOf(
  { state }: Floor,
  body: Fields,
  order: PaperOrder,
  listing: Listing,
  touch: Touch,
): Attached[] {
  const asked = body.attachAlgoOrds ?? [];
  if (!Array.isArray(asked) || asked.length > 1)
    throw new PaperRefusal("51000", "Parameter attachAlgoOrds error: the paper venue takes one entry");
  const [fields] = asked as Fields[];
  if (!fields) return [];
  if (order.reduceOnly) throw new PaperRefusal("51100", "No TP/SL with a reduce-only order");
  const [sl, tp] = [legOf(fields, "sl", listing), legOf(fields, "tp", listing)];
  if (!sl && !tp) throw new PaperRefusal("51000", "Parameter attachAlgoOrds error: neither a stop nor a take-profit");
  checkSide(order, touch, "sl", sl);
  checkSide(order, touch, "tp", tp);
  const attachAlgoClOrdId = String(fields.attachAlgoClOrdId ?? "");
  if (attachAlgoClOrdId !== "" && state.algos.some(({ algoClOrdId }) => algoClOrdId === attachAlgoClOrdId))
    throw new PaperRefusal("51065", "algoClOrdId already exists");
  return [{ attachAlgoClOrdId, sl, tp }];
}
