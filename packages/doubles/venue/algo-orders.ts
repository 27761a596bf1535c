import { big, text } from "#units/decimal";
import { type AlgoLeg, algoIdAt, endAlgo, isWaiting, type PaperAlgo, reachedLeg, untouched } from "./algo.ts";
import { legOf, onTick, triggerType } from "./attached.ts";
import type { Listing, Touch } from "./book.ts";
import { type Floor, heldOf } from "./matching.ts";
import { checkLot, TRADE_MODES } from "./orders.ts";
import { PaperRefusal, type PaperRequest, positive, required } from "./reply.ts";

type Fields = Readonly<Record<string, unknown>>;

const isTrue = (value: unknown): boolean => String(value) === "true";

// What a leg's trigger must not have reached, by what it closes: OKX's code of each.
const PASSED = { sell: { tp: "51279", sl: "51280" }, buy: { tp: "51277", sl: "51278" } } as const;

/** @throws PaperRefusal 51277 to 51280 when a trigger is already reached. */
function checkTriggers(algo: PaperAlgo, touch: Touch): void {
  for (const name of ["sl", "tp"] as const) {
    const other = name === "sl" ? { tp: null } : { sl: null };
    if (!reachedLeg({ ...algo, ...other }, { last: touch.mid, mark: touch.mark, index: touch.index })) continue;
    throw new PaperRefusal(PASSED[algo.side][name], `The ${name} trigger price is already reached`);
  }
}

function checkStopSize({ maxStop }: Listing, size: ReturnType<typeof big>): void {
  if (maxStop !== null && size.abs().gt(maxStop))
    throw new PaperRefusal("51275", `A stop closes at most ${text(maxStop)} contracts`);
}

/** @throws PaperRefusal 51000 naming the first field that is malformed, 51065 for an id that was used. */
function checkWords(floor: Floor, body: Fields): void {
  const wrong = (name: string) => new PaperRefusal("51000", `Parameter ${name} error`);
  const { algoClOrdId } = body;
  if (!/^(buy|sell)$/.test(required(body, "side"))) throw wrong("side");
  if (!/^(conditional|oco)$/.test(required(body, "ordType"))) throw wrong("ordType");
  if (!TRADE_MODES.test(required(body, "tdMode"))) throw wrong("tdMode");
  if (!/^net$/.test(String(body.posSide || "net"))) throw wrong("posSide");
  if (!/^[A-Za-z0-9]{0,32}$/.test(String(algoClOrdId ?? ""))) throw wrong("algoClOrdId");
  if (isTrue(body.cxlOnClosePos) && !isTrue(body.reduceOnly)) throw wrong("cxlOnClosePos");
  if (!body.sz === !body.closeFraction) throw wrong("sz: exactly one of sz and closeFraction");
  if (body.closeFraction && (String(body.closeFraction) !== "1" || !isTrue(body.reduceOnly)))
    throw wrong("closeFraction: 1, and with reduceOnly");
  if (algoClOrdId && floor.state.algos.some((algo) => algo.algoClOrdId === algoClOrdId))
    throw new PaperRefusal("51065", "algoClOrdId already exists");
}

/** Returns the legs that count. With both, a conditional order has its stop alone. @throws PaperRefusal 51000, 51095, 51096. */
function legsOf(body: Fields, listing: Listing): Pick<PaperAlgo, "sl" | "tp"> {
  const [sl, tp] = [legOf(body, "sl", listing), legOf(body, "tp", listing)];
  const market = [sl, tp].every((leg) => leg === null || leg.ordPx === "-1");
  if (body.ordType === "oco" ? !sl || !tp : !sl && !tp)
    throw new PaperRefusal("51000", "Parameter slTriggerPx or tpTriggerPx error");
  if (body.closeFraction && !market)
    throw new PaperRefusal("51000", "Parameter slOrdPx error: closeFraction is a market order");
  if (body.tpOrdKind === "limit" && !sl) throw new PaperRefusal("51095", "A limit take-profit needs a stop");
  if (body.tpOrdKind === "limit" && !isTrue(body.cxlOnClosePos))
    throw new PaperRefusal("51096", "A limit take-profit needs cxlOnClosePos");
  if (body.tpOrdKind === "limit")
    throw new PaperRefusal("51000", "Parameter tpOrdKind error: the paper venue has condition");
  return body.ordType === "conditional" && sl ? { sl, tp: null } : { sl, tp };
}

/** @throws PaperRefusal 51058 when there is nothing to close, 51088 for a second one of the whole position, 51275. */
function checkPosition({ state }: Floor, algo: PaperAlgo, listing: Listing): void {
  const closable = heldOf(state, algo.instId).times(algo.side === "sell" ? 1 : -1);
  if (algo.reduceOnly && closable.lte(0)) throw new PaperRefusal("51058", "No position for this algo order");
  const isSecond =
    algo.sz === "" && state.algos.some((other) => isWaiting(other) && other.sz === "" && other.instId === algo.instId);
  if (isSecond) throw new PaperRefusal("51088", "Only one TP/SL of a whole position");
  checkStopSize(listing, algo.sz === "" ? closable : big(algo.sz));
}

/**
 * Places a conditional or an OCO order.
 * @throws PaperRefusal with OKX's code: 51000, 50014, 51001, 51058, 51065, 51088, 51121, 51020, 51275, 51277 to 51280, and
 * 51006 without a price.
 */
export function placeAlgo(floor: Floor, { body, now }: PaperRequest): PaperAlgo {
  const { state, book } = floor;
  const listing = book.listings.get(required(body, "instId"));
  if (!listing) throw new PaperRefusal("51001", "Instrument ID does not exist");
  checkWords(floor, body);
  const legs = legsOf(body, listing);
  const size = body.closeFraction ? null : checkLot(positive(body, "sz"), listing);
  const touch = book.touch(listing.id, now);
  if (!touch) throw new PaperRefusal("51006", "The instrument has no price now.");
  const algoClOrdId = String(body.algoClOrdId ?? "");
  const algo: PaperAlgo = {
    ...{ algoId: algoIdAt(now, listing.id, algoClOrdId, String(algoClOrdId === "" ? state.algos.length : "")) },
    ...{ algoClOrdId, instId: listing.id, side: body.side === "buy" ? "buy" : "sell" },
    ...{ ordType: body.ordType === "oco" ? "oco" : "conditional", tdMode: String(body.tdMode) },
    ...{ sz: size ? text(size) : "", reduceOnly: isTrue(body.reduceOnly), cxlOnClosePos: isTrue(body.cxlOnClosePos) },
    ...{ ...legs, parent: "", costPx: "", ...untouched(now) },
  };
  checkPosition(floor, algo, listing);
  checkTriggers(algo, touch);
  state.algos.push(algo);
  return algo;
}

/** Returns the algo order of an id; null when there is none. @throws PaperRefusal 51000 without an id. */
export function foundAlgo({ state }: Floor, { algoId, algoClOrdId }: Fields): PaperAlgo | null {
  if (!algoId && !algoClOrdId) throw new PaperRefusal("51000", "Either parameter algoId or algoClOrdId is required");
  return state.algos.findLast((algo) => (algoId ? algo.algoId === algoId : algo.algoClOrdId === algoClOrdId)) ?? null;
}

/** Cancels a waiting algo order. @throws PaperRefusal 51400 when it was triggered, canceled or never there, 51000 without an id. */
export function cancelAlgo(floor: Floor, fields: Fields, now: number): PaperAlgo {
  const instId = required(fields, "instId");
  const algo = foundAlgo(floor, fields);
  if (algo === null || algo.instId !== instId || !isWaiting(algo) || algo.due !== null)
    throw new PaperRefusal("51400", "Cancellation failed as the order has been triggered, canceled or does not exist.");
  endAlgo(algo, now);
  return algo;
}

/** Returns a leg with what the amendment changes of it. @throws PaperRefusal 51000, 51523 for the price of a whole-position stop. */
function amendedLeg(
  body: Fields,
  name: "Sl" | "Tp",
  leg: AlgoLeg | null,
  whole: boolean,
  listing: Listing,
): AlgoLeg | null {
  const [price, order, type] = [`new${name}TriggerPx`, `new${name}OrdPx`, `new${name}TriggerPxType`];
  if (!body[price] && !body[order] && !body[type]) return leg;
  if (leg === null) throw new PaperRefusal("51000", `Parameter ${price} error: the order has no such leg`);
  const ordPx = body[order] ? String(body[order]) : leg.ordPx;
  if (ordPx !== leg.ordPx && whole)
    throw new PaperRefusal("51523", "The order price of a whole-position stop is fixed");
  if (ordPx !== "-1") onTick({ ordPx }, "ordPx", listing);
  const triggerPx = body[price] ? text(onTick(body, price, listing)) : leg.triggerPx;
  return { triggerPx, ordPx, triggerPxType: body[type] ? triggerType(body, type) : leg.triggerPxType };
}

/**
 * Amends the triggers of a waiting algo order, and the size of one that has a size.
 * @throws PaperRefusal 51503 when it no longer waits, 51500 for nothing to amend, 51523, 51524, 51275, 51277 to 51280, 51000.
 */
export function amendAlgo(floor: Floor, { body, now }: PaperRequest): PaperAlgo {
  const instId = required(body, "instId");
  const algo = foundAlgo(floor, body);
  if (algo === null || algo.instId !== instId || !isWaiting(algo) || algo.due !== null)
    throw new PaperRefusal("51503", "Modification failed as the order has been triggered, canceled or does not exist.");
  if (!Object.keys(body).some((name) => /^new(Sz|(Sl|Tp)(TriggerPx|OrdPx|TriggerPxType))$/.test(name)))
    throw new PaperRefusal("51500", "Nothing to amend");
  const listing = floor.book.listings.get(instId) as Listing;
  const whole = algo.sz === "";
  if (body.newSz && whole) throw new PaperRefusal("51524", "The size of a whole-position stop is fixed");
  const sz = body.newSz ? text(checkLot(positive(body, "newSz"), listing)) : algo.sz;
  if (sz !== "") checkStopSize(listing, big(sz));
  const sl = amendedLeg(body, "Sl", algo.sl, whole, listing);
  const tp = amendedLeg(body, "Tp", algo.tp, whole, listing);
  const touch = floor.book.touch(instId, now);
  if (!touch) throw new PaperRefusal("51006", "The instrument has no price now.");
  checkTriggers({ ...algo, sl, tp }, touch);
  return Object.assign(algo, { sz, sl, tp, uTime: now });
}
