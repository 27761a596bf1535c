import { type Big, big, type Decimal, floorTo, text } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Account } from "../account.ts";
import type { Instrument } from "../instrument.ts";
import type { Policy } from "../plans/policy.ts";
import type { Side, VenuePosition, VenueStop } from "../venue.ts";
import { isLegId, legKey } from "./leg-id.ts";

/** What the ladder goes by. */
export type LadderPolicy = Pick<
  Policy,
  "takeProfitLegs" | "takeProfitParts" | "takeProfitStep" | "takerFeeBps" | "exitSlippageBps"
>;

/** An order by which a leg has closed its part. */
export interface Taken {
  /** The id of the leg. */
  readonly clientOrderId: string;
  readonly filledSize: Decimal;
}

/** A position, as books and venue agree about it. */
export interface Laddered {
  readonly account: Account;
  readonly instrument: Pick<Instrument, "id" | "lotSize" | "minSize" | "tickSize">;
  readonly position: Pick<VenuePosition, "contracts" | "averagePrice">;
  readonly openedAt: Instant;
  /** Where the newest order set its stop: the distance from the entry is 1 R. */
  readonly stop: Decimal;
  /** Of the position, whatever its entry and stop were then. */
  readonly taken: readonly Taken[];
}

/** A part of the position that is closed at market when the mark is at `trigger`. */
export interface Leg {
  readonly side: Side;
  readonly trigger: Decimal;
  /** Contracts, a multiple of the lot, at least the least order. */
  readonly size: Decimal;
}

export interface Ladder {
  /** The nearest first. Those that have closed their part are not among them. */
  readonly legs: readonly Leg[];
  /** Where the stop is to be once a leg has closed its part: the entry with what it costs to get in and out; null before. */
  readonly secured: Decimal | null;
}

/** One step towards a position whose legs wait at the venue. `algoId` is the venue's id of one that waits there. */
export type LegCommand =
  | { readonly act: "cancel"; readonly algoId: string }
  | { readonly act: "resize"; readonly algoId: string; readonly size: Decimal }
  | ({ readonly act: "place" } & Leg);

/** Rounds a price to the tick that is farther on the side of profit. */
const onTick = (price: Big, tick: Decimal, isLong: boolean): Big =>
  price
    .div(tick)
    .round(0, isLong ? 3 : 0)
    .times(tick);

/**
 * Returns the legs that are to wait for a position. Leg n takes one of `takeProfitParts` equal parts at n steps of R, the
 * distance from the entry to the stop. Sizes are floored to the lot; a leg below the least order is merged into the next one
 * up. They divide what is held and what the legs of this entry and stop have closed, so that a leg that fired leaves the
 * others as they were; a new entry or stop makes new legs. Together they never close more than is held.
 */
export function ladderOf(laddered: Laddered, policy: LadderPolicy): Ladder {
  const { account, instrument, position, openedAt, stop, taken } = laddered;
  const [held, entry] = [big(position.contracts), big(position.averagePrice)];
  const isLong = held.gt(0);
  const risk = entry.minus(stop).times(isLong ? 1 : -1);
  // A stop on the side of profit measures no risk: nothing says where a leg would be.
  if (held.eq(0) || risk.lte(0)) return { legs: [], secured: null };
  const away = (distance: Big) => onTick(entry.plus(isLong ? distance : distance.neg()), instrument.tickSize, isLong);
  const levels = Array.from({ length: policy.takeProfitLegs }, (_, i) => {
    const trigger = text(away(risk.times(policy.takeProfitStep).times(i + 1)));
    const key = legKey({ account, instrument: instrument.id, openedAt, trigger });
    return { trigger, by: taken.filter(({ clientOrderId }) => clientOrderId.startsWith(key)) };
  }).filter(({ trigger }) => big(trigger).gt(0));
  const closed = levels.flatMap(({ by }) => by).reduce((sum, { filledSize }) => sum.plus(filledSize), big(0));
  const part = held.abs().plus(closed).div(policy.takeProfitParts);
  let [left, carried] = [held.abs(), big(0)];
  const legs = levels.flatMap(({ trigger, by }): Leg[] => {
    if (by.length > 0) {
      carried = big(0);
      return [];
    }
    const wanted = carried.plus(part);
    const size = floorTo(wanted.gt(left) ? left : wanted, instrument.lotSize);
    carried = size.lt(instrument.minSize) ? wanted : big(0);
    if (size.lt(instrument.minSize)) return [];
    left = left.minus(size);
    return [{ side: isLong ? "sell" : "buy", trigger, size: text(size) }];
  });
  const costs = entry.times(big(policy.takerFeeBps).times(2).plus(policy.exitSlippageBps)).div(10_000);
  return { legs, secured: closed.gt(0) ? text(away(costs)) : null };
}

/** Returns whether a waiting take-profit is what a leg is: it can only reduce, at market, by the mark, and is of a size. */
const isLeg = (one: VenueStop, side: Side): boolean =>
  one.side === side && one.size !== null && one.isReduceOnly && one.isMarket && one.triggerBy === "mark";

/**
 * Returns what makes the take-profits that wait at the venue those of `legs`, in the order to do it; empty when they are.
 * What is not wanted is ended first and what is too large made smaller before anything is added: together they never close
 * more than is held. Only the desk's own are touched; `waiting` is of one instrument.
 */
export function layLegs(
  {
    account,
    instrument,
    openedAt,
  }: Pick<Laddered, "account" | "openedAt"> & {
    readonly instrument: Pick<Instrument, "id">;
  },
  legs: readonly Leg[],
  waiting: readonly VenueStop[],
): LegCommand[] {
  const ours = waiting.filter((one) => isLegId(account.mode, one.stopId));
  const kept = new Map<Leg, VenueStop>();
  for (const leg of legs) {
    const key = legKey({ account, instrument: instrument.id, openedAt, trigger: leg.trigger });
    const one = ours.find(
      (each) => each.stopId?.startsWith(key) && big(each.trigger).eq(leg.trigger) && isLeg(each, leg.side),
    );
    if (one !== undefined) kept.set(leg, one);
  }
  const keeps = new Set(kept.values());
  const ends = ours.filter((one) => !keeps.has(one)).map(({ algoId }) => ({ act: "cancel" as const, algoId }));
  const sizes = [...kept].flatMap(([{ size }, { algoId, size: now }]) =>
    now !== null && big(now).eq(size) ? [] : [{ act: "resize" as const, algoId, size, grows: big(size).gt(now ?? 0) }],
  );
  const resize = (grows: boolean): LegCommand[] =>
    sizes.filter((one) => one.grows === grows).map(({ grows: _, ...command }) => command);
  const fresh = legs.filter((leg) => !kept.has(leg)).map((leg) => ({ act: "place" as const, ...leg }));
  return [...ends, ...resize(false), ...resize(true), ...fresh];
}
