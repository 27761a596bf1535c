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

/** @throws PaperRefusal 51089, 51076, 51083, 51080, 51081 and 51082 for take-profits that do not divide the order. */
function checkSplit(order: PaperOrder, profits: readonly Attached[]): void {
  const refuse = (code: string, message: string) => new PaperRefusal(code, message);
  if (profits.some(({ sz }) => sz === "")) throw refuse("51089", "The size of a split take-profit is missing");
  if (profits.some(({ sl }) => sl !== null))
    throw refuse("51076", "Split take-profits have their stop in an entry of its own");
  const sum = profits.reduce((all, { sz }) => all.plus(sz === "" ? 0 : sz), big(0));
  if (!sum.eq(order.sz)) throw refuse("51083", "The sizes of the take-profits must sum to the order's");
  const legs = profits.flatMap(({ tp }) => tp ?? []);
  if (new Set(legs.map(({ triggerPxType }) => triggerPxType)).size > 1)
    throw refuse("51080", "The take-profits must have one trigger type");
  if (new Set(legs.map(({ triggerPx }) => triggerPx)).size < legs.length)
    throw refuse("51081", "The take-profits must have different trigger prices");
  if (legs.some(({ ordPx }) => ordPx !== "-1")) throw refuse("51082", "Split take-profits must be market orders");
}

function entryOf(fields: Fields, listing: Listing): Attached {
  const [sl, tp] = [legOf(fields, "sl", listing), legOf(fields, "tp", listing)];
  if (!sl && !tp) throw new PaperRefusal("51000", "Parameter attachAlgoOrds error: neither a stop nor a take-profit");
  const amends = String(fields.amendPxOnTriggerType || "0");
  if (!/^[01]$/.test(amends) || (amends === "1" && !sl))
    throw new PaperRefusal("51000", "Parameter amendPxOnTriggerType error: 0, or 1 of a stop");
  const sz = fields.sz ? text(positive(fields, "sz")) : "";
  return { attachAlgoClOrdId: String(fields.attachAlgoClOrdId ?? ""), sz, sl, tp, isCostPrice: amends === "1" };
}

/**
 * Returns the TP/SL that a placement carries: one entry of the order's whole size, or several take-profits of parts of it and
 * at most one stop of the whole.
 * @throws PaperRefusal 51100 on a reduce-only order, 51046 to 51053 on the wrong side, 51065 for an id in use, 51084 for two
 * stops, 51076, 51080 to 51083 and 51089 for take-profits that do not divide it, 51085 for a cost-price stop beside fewer than two,
 * 51000, 50014.
 */
export function attachedOf(
  { state }: Floor,
  body: Fields,
  order: PaperOrder,
  listing: Listing,
  touch: Touch,
): Attached[] {
  const asked = body.attachAlgoOrds ?? [];
  if (!Array.isArray(asked)) throw new PaperRefusal("51000", "Parameter attachAlgoOrds error");
  const entries = (asked as Fields[]).map((fields) => entryOf(fields, listing));
  if (entries.length > 0 && order.reduceOnly) throw new PaperRefusal("51100", "No TP/SL with a reduce-only order");
  for (const { sl, tp } of entries) {
    checkSide(order, touch, "sl", sl);
    checkSide(order, touch, "tp", tp);
  }
  if (entries.filter(({ sl }) => sl !== null).length > 1) throw new PaperRefusal("51084", "At most one stop an order");
  const profits = entries.filter(({ tp }) => tp !== null);
  if (profits.length > 1 || profits.some(({ sz }) => sz !== "")) checkSplit(order, profits);
  if (profits.length < 2 && entries.some(({ isCostPrice }) => isCostPrice))
    throw new PaperRefusal("51085", "A cost-price stop needs at least two take-profits");
  const ids = entries.flatMap(({ attachAlgoClOrdId: id }) => (id === "" ? [] : [id]));
  if (new Set(ids).size < ids.length || state.algos.some(({ algoClOrdId }) => ids.includes(algoClOrdId)))
    throw new PaperRefusal("51065", "algoClOrdId already exists");
  return entries;
}
