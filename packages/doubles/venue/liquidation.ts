import { type Big, big, text, ZERO } from "#units/decimal";
import { marginOf, notionalOf, type PaperPosition, unrealized } from "./account.ts";
import type { Listing, Touch } from "./book.ts";
import { clearOrders, fillUnsent } from "./by-venue.ts";
import { recordTakeover, SETTLED_IN } from "./ledger.ts";
import type { Floor } from "./matching.ts";
import { openRecord } from "./records.ts";
import { tierOf } from "./tiers.ts";

/** Returns where an instrument's prices stand; null where it has none. */
export type Prices = (instId: string) => Touch | null;

/** A position with what has to be there while it is held. */
interface Held {
  readonly position: PaperPosition;
  readonly listing: Listing;
  readonly touch: Touch | null;
  readonly profit: Big;
  /** At the mark. */
  readonly value: Big;
  /** Of its value: the maintenance margin of its tier and the fee of closing it. */
  readonly rate: Big;
  /** The same of the lowest tier. */
  readonly lowestRate: Big;
}

/** Positions that stand for each other: an isolated one alone, all that are crossed together. */
export interface Risk {
  readonly mgnMode: PaperPosition["mgnMode"];
  readonly held: readonly Held[];
  /** What covers their losses. */
  readonly equity: Big;
  /** At this or less they are liquidated. */
  readonly required: Big;
}

const sum = (amounts: readonly Big[]): Big => amounts.reduce((all, amount) => all.plus(amount), big(0));

function heldAt({ book, matching }: Floor, position: PaperPosition, prices: Prices): Held {
  const listing = book.listings.get(position.instId) as Listing;
  const touch = prices(position.instId);
  const mark = touch?.mark ?? big(position.avgPx);
  const rateOf = (size: Big) => tierOf(listing.tiers, size).maintenance.plus(matching.fees.taker);
  return {
    ...{ position, listing, touch, profit: unrealized(position, listing, mark) },
    ...{ value: notionalOf(position.contracts, listing, mark).abs() },
    ...{ rate: rateOf(big(position.contracts)), lowestRate: rateOf(big(0)) },
  };
}

/**
 * Returns what is held, by what stands for it: an isolated position its own margin, all crossed ones what the account has
 * besides. The requirement is the maintenance margin of the position's tier and the fee of closing it.
 * Source: OKX, "Tiered maintenance margin ratio rules".
 */
export function risksOf(floor: Floor, prices: Prices): Risk[] {
  const { state } = floor;
  const all = state.positions.map((position) => heldAt(floor, position, prices));
  const riskOf = (mgnMode: Risk["mgnMode"], held: readonly Held[], margin: Big): Risk => ({
    ...{ mgnMode, held, equity: margin.plus(sum(held.map(({ profit }) => profit))) },
    required: sum(held.map(({ value, rate }) => value.times(rate))),
  });
  const alone = all
    .filter(({ position }) => position.mgnMode === "isolated")
    .map((one) => riskOf("isolated", [one], marginOf(state, one.position)));
  const crossed = all.filter(({ position }) => position.mgnMode === "cross");
  const apart = sum(state.positions.map((one) => (one.mgnMode === "isolated" ? marginOf(state, one) : big(0))));
  const free = big(state.cash[SETTLED_IN] ?? ZERO).minus(apart);
  return crossed.length === 0 ? alone : [...alone, riskOf("cross", crossed, free)];
}

/** Of a liquidation that takes the whole of a position from the third tier on, this many tiers are taken at first. */
const TIERS_AT_ONCE = 2;

/**
 * Returns the contracts that a liquidation leaves of a position: those of two tiers below, where it is in the third or a
 * higher one and what is there would do for the lowest; else none. Source: OKX, "Tiered maintenance margin ratio rules".
 */
function leftBy({ held, equity }: Risk, { position, listing: { tiers } }: Held): Big {
  const lower = tiers[tiers.indexOf(tierOf(tiers, big(position.contracts))) - TIERS_AT_ONCE];
  const least = sum(held.map(({ value, lowestRate }) => value.times(lowestRate)));
  return lower !== undefined && equity.gt(least) ? lower.maxSize : big(0);
}

/** The position of most weight, of equals the first by name; null when none has a price. */
function heaviest({ held }: Risk): (Held & { readonly touch: Touch }) | null {
  const priced = held.filter((one): one is Held & { readonly touch: Touch } => one.touch !== null);
  const needs = (one: Held) => one.value.times(one.rate);
  const inOrder = priced.toSorted((a, b) => needs(b).cmp(needs(a)) || (a.position.instId < b.position.instId ? -1 : 1));
  return inOrder[0] ?? null;
}

/**
 * Closes some of a risk's heaviest position, or all of it. What is left of the maintenance margin of a position that is taken
 * whole goes with it; what its margin lacks when nothing else stands for it, the venue bears.
 */
function takeFrom(floor: Floor, risk: Risk, one: Held & { readonly touch: Touch }, now: number): void {
  const { state } = floor;
  const { position, profit, value, rate, touch } = one;
  const { instId, mgnMode: tdMode } = position;
  const held = big(position.contracts);
  const left = leftBy(risk, one);
  const cause = left.gt(0) ? "partial_liquidation" : "liquidation";
  const side = held.gt(0) ? "sell" : "buy";
  const record = openRecord(state, instId);
  if (record) record.triggerPx = text(touch.mark);
  const order = fillUnsent(floor, { instId, side, size: held.abs().minus(left), cause, tdMode }, touch, now);
  if (left.gt(0)) return;
  const fee = order.feeCcy === SETTLED_IN ? big(order.fee) : big(0);
  const cost = profit.minus(order.pnl).minus(fee);
  const equity = risk.equity.minus(cost);
  const isLast = risk.held.length === 1;
  const due = value.times(rate).minus(cost);
  const taken = [due, equity].reduce((a, b) => (b.lt(a) ? b : a));
  const amount = taken.gt(0) ? taken.neg() : isLast && equity.lt(0) ? equity.neg() : big(0);
  const change = recordTakeover(state, { instId, ordId: order.ordId, ts: now }, amount);
  if (record) record.penalty = text(big(record.penalty).plus(change));
}

/**
 * Liquidates what its margin does not stand for any more at `prices`: cancels what rests, then takes from the heaviest position
 * until the rest is enough.
 */
export function liquidate(floor: Floor, prices: Prices, now: number): void {
  if (floor.state.positions.length === 0) return;
  for (;;) {
    const risk = risksOf(floor, prices).find(({ equity, required }) => equity.lte(required));
    const one = risk && heaviest(risk);
    if (!one) return;
    const { instId } = one.position;
    const isAlone = risk.mgnMode === "isolated";
    clearOrders(floor, (order) => (isAlone ? order.instId === instId : order.tdMode !== "isolated"), now);
    takeFrom(floor, risk, one, now);
  }
}

/**
 * Returns the last price of an instrument, not on its tick, at which its position's risk is liquidated if all others stand
 * still; null when nothing is held, it has no price, or no price would do it.
 */
export function liquidationPrice(floor: Floor, prices: Prices, instId: string): Big | null {
  const risk = risksOf(floor, prices).find(({ held }) => held.some(({ position }) => position.instId === instId));
  const one = risk?.held.find(({ position }) => position.instId === instId);
  if (!risk || !one?.touch) return null;
  const { position, listing, touch, rate } = one;
  const contracts = big(position.contracts);
  // Equity and requirement are straight lines over the last price.
  const slope = contracts
    .minus(contracts.abs().times(rate))
    .times(listing.contractSize)
    .times(touch.mark.div(touch.mid));
  if (slope.eq(0)) return null;
  const price = touch.mid.minus(risk.equity.minus(risk.required).div(slope));
  return price.gt(0) ? price : null;
}
