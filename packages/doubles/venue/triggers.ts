import { type Big, big, fixed, parseDecimal, text } from "#units/decimal";
import { idAt, type PaperOrder } from "./account.ts";
import { afterTrigger, endAlgo, isWaiting, type PaperAlgo, reachedLeg } from "./algo.ts";
import type { Listing, Touch } from "./book.ts";
import { checkListed, checkMargin, checkMarketSize, enter, type Floor, fresh, heldOf, least } from "./matching.ts";
import { PaperRefusal } from "./reply.ts";

/** Marks the algo orders whose price is reached at `touch`: their child orders reach the book `latencyMs` after. */
export function trigger({ state }: Floor, instId: string, touch: Touch, now: number, latencyMs: number): void {
  for (const algo of state.algos) {
    if (!isWaiting(algo) || algo.due !== null || algo.instId !== instId) continue;
    const leg = reachedLeg(algo, { last: touch.mid, mark: touch.mark, index: touch.index });
    if (leg === null) continue;
    algo.actualSide = leg;
    algo.triggerTime = now;
    algo.due = { at: now + latencyMs, last: text(touch.mid) };
    algo.uTime = now;
  }
}

/** Returns the contracts that the child order is for. @throws PaperRefusal 51169 when there is nothing left to close. */
function childSize({ state }: Floor, { instId, side, sz, reduceOnly }: PaperAlgo): Big {
  const closable = heldOf(state, instId).times(side === "sell" ? 1 : -1);
  if (sz !== "" && !reduceOnly) return big(sz);
  if (closable.lte(0)) throw new PaperRefusal("51169", "No position in this direction to reduce");
  return sz === "" ? closable : least(big(sz), closable);
}

/** Returns the order that a triggered algo order places. @throws PaperRefusal 51169. */
function childOf(floor: Floor, algo: PaperAlgo, now: number): PaperOrder {
  const { algoId, algoClOrdId, instId, side, tdMode, reduceOnly } = algo;
  const { ordPx } = (algo.actualSide === "tp" ? algo.tp : algo.sl) ?? { ordPx: "-1" };
  return {
    ...{ ordId: idAt(now, "child", instId, algoId), clOrdId: "", instId, side, tdMode },
    ...{ ordType: ordPx === "-1" ? "market" : "limit", px: ordPx === "-1" ? "" : parseDecimal(ordPx) },
    ...{ sz: text(childSize(floor, algo)), reduceOnly: reduceOnly || algo.sz === "" },
    ...{ algoId, algoClOrdId, source: "7", attached: [], ...fresh(now) },
  };
}

function fire(floor: Floor, algo: PaperAlgo): void {
  const { at, last } = algo.due as NonNullable<PaperAlgo["due"]>;
  const { book } = floor;
  const touch = book.touchAt(algo.instId, at, big(last));
  if (!touch) throw new PaperRefusal("51006", "The instrument has no price now.");
  const order = childOf(floor, algo, at);
  const listing = book.listings.get(algo.instId) as Listing;
  checkListed(floor, algo.instId);
  checkMarketSize(order, listing);
  checkMargin(floor, order, listing, touch, at);
  // Effective before its fill: what goes with the closed position is not to cancel what closed it.
  algo.state = "effective";
  algo.due = null;
  algo.uTime = at;
  algo.ordIdList = [order.ordId];
  afterTrigger(floor.state, algo, at);
  enter(floor, order, touch, at);
  const filled = big(order.accFillSz);
  algo.actualSz = order.sz;
  algo.actualPx = filled.eq(0) ? "" : text(fixed(big(order.filledValue).div(filled), 12));
}

/** Places the child orders that are due by `now`, in the order of their times, the stops of one instant first. */
export function fireDue(floor: Floor, now: number): void {
  const due = floor.state.algos
    .filter((algo) => isWaiting(algo) && algo.due !== null && algo.due.at <= now)
    .toSorted((a, b) => (a.due?.at ?? 0) - (b.due?.at ?? 0) || rank(a) - rank(b) || (a.algoId < b.algoId ? -1 : 1));
  for (const algo of due) {
    // A fill before it may have ended it.
    if (!isWaiting(algo)) continue;
    try {
      fire(floor, algo);
    } catch (error) {
      if (!(error instanceof PaperRefusal)) throw error;
      endAlgo(algo, algo.due?.at ?? now, error.code);
    }
  }
}

const rank = ({ actualSide }: PaperAlgo): number => (actualSide === "sl" ? 0 : 1);
