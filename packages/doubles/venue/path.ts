import type { Candle } from "#units/candle";
import { type Big, big } from "#units/decimal";
import { applyFill, type PaperState } from "./account.ts";
import { type AlgoLeg, isWaiting } from "./algo.ts";
import { ceilTick, floorTick, type Listing, type Step, type Touch } from "./book.ts";
import { type FundingTerms, settleFunding } from "./funding.ts";
import { liquidate, liquidationPrice, type Prices } from "./liquidation.ts";
import { type Floor, heldOf } from "./matching.ts";
import { isPending } from "./orders.ts";
import { fireDue, trigger } from "./triggers.ts";

/** Which end of a bar the price goes to first. */
export type First = "low" | "high";

/** Fills resting orders that `touch` has reached, at their limit. */
function sweep({ state, book, matching }: Floor, instId: string, touch: Touch, now: number): void {
  for (const order of state.orders) {
    if (!isPending(order) || order.instId !== instId || order.px === "") continue;
    if (order.side === "buy" ? touch.ask.gt(order.px) : touch.bid.lt(order.px)) continue;
    const left = big(order.sz).minus(order.accFillSz);
    const size = left.lt(touch.available) ? left : touch.available;
    const listing = book.listings.get(instId) as Listing;
    const priced = { price: big(order.px), feeRate: matching.fees.maker, execType: "M" } as const;
    applyFill(state, listing, { order, size, ...priced, now });
  }
}

/** Returns the prices of `at`, with one instrument's last price at `price`. */
const pricesAt =
  ({ book }: Floor, instId: string, price: Big, at: number): Prices =>
  (id) =>
    id === instId ? book.touchAt(id, at, price) : book.touch(id, at);

/**
 * The last price comes to `price`: what rests is filled, what its margin does not stand for is liquidated, what waits is
 * triggered, and fired when it need not wait.
 */
function arrive(floor: Floor, instId: string, price: Big, at: number, latencyMs: number): void {
  const touch = floor.book.touchAt(instId, at, price);
  if (!touch) return;
  sweep(floor, instId, touch, at);
  liquidate(floor, pricesAt(floor, instId, price, at), at);
  trigger(floor, instId, touch, at, latencyMs);
  if (latencyMs === 0) fireDue(floor, at);
}

/** Returns the last prices at which the waiting algo orders of the instrument are reached, and its position is liquidated. */
function levels(floor: Floor, instId: string, from: Big, at: number, falls: boolean): Big[] {
  const { state, book } = floor;
  const unit = book.touchAt(instId, at, big(1));
  const { tick } = book.listings.get(instId) as Listing;
  const levelOf = (leg: AlgoLeg | null): Big[] => {
    if (leg === null || !unit) return [];
    const multiple = leg.triggerPxType === "last" ? big(1) : unit[leg.triggerPxType];
    const last = big(leg.triggerPx).div(multiple);
    return [falls ? floorTick(last, tick) : ceilTick(last, tick)];
  };
  const waiting = state.algos.filter((algo) => isWaiting(algo) && algo.due === null && algo.instId === instId);
  const end = liquidationPrice(floor, pricesAt(floor, instId, from, at), instId);
  const ends = end === null ? [] : [falls ? floorTick(end, tick) : ceilTick(end, tick)];
  return [...waiting.flatMap(({ sl, tp }) => [...levelOf(sl), ...levelOf(tp)]), ...ends];
}

/** Takes the price from `from` to `to`, by way of every level between them. */
function travel(floor: Floor, instId: string, from: Big, to: Big, at: number): void {
  const falls = to.lt(from);
  let current = from;
  while (!current.eq(to)) {
    const ahead = levels(floor, instId, current, at, falls).filter((level) =>
      falls ? level.lt(current) && level.gt(to) : level.gt(current) && level.lt(to),
    );
    current = ahead.reduce((near, level) => (level.gt(near) === falls ? level : near), to);
    arrive(floor, instId, current, at, 0);
  }
}

/**
 * Returns the end of a bar that hurts: of a long the low, of a short the high. Of nothing held it is the end that a resting
 * order must not profit from first.
 */
export function adverse(state: PaperState, instId: string): First {
  const held = heldOf(state, instId);
  if (!held.eq(0)) return held.gt(0) ? "low" : "high";
  return state.orders.some((order) => isPending(order) && order.instId === instId && order.side === "buy")
    ? "high"
    : "low";
}

/**
 * Walks a bar that has closed, from its open by both ends to its close. By default the end against the position comes first,
 * so that a stop and a take-profit in one bar are the stop. Everything that happens in it has the time of its close.
 */
export function walkBar(floor: Floor, instId: string, bar: Candle, at: number, first?: First): void {
  const order = first ?? adverse(floor.state, instId);
  const ends = order === "low" ? [bar.low, bar.high] : [bar.high, bar.low];
  let from = big(bar.open);
  for (const end of [...ends, bar.close]) {
    travel(floor, instId, from, big(end), at);
    from = big(end);
  }
}

const isActive = ({ state }: Floor, instId: string): boolean =>
  state.positions.some((position) => position.instId === instId) ||
  state.algos.some((algo) => algo.instId === instId && isWaiting(algo)) ||
  state.orders.some((order) => order.instId === instId && isPending(order));

/** Returns what the prices did since the last call, in the order of its time; of one instant by instrument. */
function stepsOf(floor: Floor, now: number): (Step & { readonly instId: string })[] {
  const { state, book } = floor;
  const known = state.fundedTo ?? now;
  const steps = [...book.listings.keys()].sort().flatMap((instId) => {
    const seen = state.walked[instId] ?? null;
    const { steps: passed, upTo } = book.steps(instId, seen, now);
    if (upTo !== null) state.walked[instId] = upTo;
    if (seen === null || !isActive(floor, instId)) return [];
    // A bar that was published late is walked late: nothing happens in a time that a reader has seen.
    return passed.map((step) => ({ ...step, instId, at: Math.max(step.at, known) }));
  });
  return steps.toSorted((a, b) => a.at - b.at);
}

/** Does what has come about until `now` with nobody asking: prices, triggers, child orders, funding. */
export function advance(floor: Floor, termsOf: (instId: string) => FundingTerms, now: number): void {
  const { state, book } = floor;
  for (const { instId, at, bar, closes } of stepsOf(floor, now)) {
    fireDue(floor, at);
    // What happens in a bar comes before the funding of its close.
    settleFunding(state, book, termsOf, at - 1);
    if (closes) walkBar(floor, instId, bar, at);
    else arrive(floor, instId, big(bar.open), at, floor.matching.triggerLatencyMs);
  }
  fireDue(floor, now);
  settleFunding(state, book, termsOf, now);
  // Money can be moved by hand too.
  liquidate(floor, (id) => book.touch(id, now), now);
  // Mark and index can be moved by hand, and a stop can have come to be past its level.
  for (const instId of new Set(state.algos.filter(isWaiting).map((algo) => algo.instId))) {
    const touch = book.touch(instId, now);
    if (touch) trigger(floor, instId, touch, now, floor.matching.triggerLatencyMs);
  }
  fireDue(floor, now);
}
