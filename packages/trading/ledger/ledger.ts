import { type Big, big, type Decimal, fixed, text } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import type { Policy } from "../plans/policy.ts";
import type { VenueBalance } from "../venue.ts";
import { type Bill, billKind } from "./bill.ts";

/** The currency in which equity is counted: bills in another change no equity. */
export const SETTLED_IN = "USDT";

/** A balance as it was compared with the bills, with what a reader needs to follow it. Money in USDT. */
export interface LedgerEntry {
  readonly cash: Decimal;
  /** Equity less cash. */
  readonly unrealized: Decimal;
  /** The newest bill that the balance has in it; null before the first bill. */
  readonly billId: string | null;
  /** The account in units: transfers issue and burn them, so that equity a unit moves by results alone. */
  readonly units: Decimal;
  /** What the bills do not explain of the cash since it was explained last; "0" = the identity holds to the last digit. */
  readonly gap: Decimal;
}

/** What a balance is compared with. */
export interface LedgerBase {
  /** The newest entry without a gap; null before the first. */
  readonly agreed: Pick<LedgerEntry, "cash" | "billId"> | null;
  /** The newest entry; null before the first. */
  readonly last: Pick<LedgerEntry, "billId" | "units"> | null;
}

/** Units of an account that never had a transfer. */
export const FIRST_UNITS: Decimal = text(1);

const isAfter = (billId: string, than: string | null): boolean => than === null || BigInt(billId) > BigInt(than);

/**
 * Returns the entry of a balance, given every bill after `base.agreed`, ascending. Equity's change is then Σ change of the
 * bills + the change of what is unrealized + the gap, exactly. The venue says balance and bills one after the other, so the
 * balance holds the bills up to one of them: of all that it may be, the one that leaves the smallest gap, of equals the last.
 */
export function entryOf(
  base: LedgerBase,
  { equity, cash: left }: Pick<VenueBalance, "equity" | "cash">,
  bills: readonly Bill[],
): LedgerEntry {
  const cash = big(left);
  const counted = bills.filter((bill) => bill.asset === SETTLED_IN);
  const { billId, gap } = base.agreed === null ? firstCut(cash, counted) : cutOf(base.agreed, base.last, cash, counted);
  const moved = transferred(counted, base.last?.billId ?? null, billId);
  const units = base.last === null ? FIRST_UNITS : unitsAfter(base.last.units, equity, moved);
  const unrealized = text(big(equity).minus(cash));
  return { cash: text(cash), unrealized, billId, units, gap: text(gap) };
}

interface Cut {
  readonly billId: string | null;
  readonly gap: Big;
}

/** Returns the bill up to which a balance that nothing is known before holds the bills, by what each says it left. */
function firstCut(cash: Big, bills: readonly Bill[]): Cut {
  const off = ({ balance }: Bill): Big => cash.minus(balance).abs();
  const closest = bills.reduce<Bill | null>((best, bill) => (best && off(bill).gt(off(best)) ? best : bill), null);
  return { billId: closest?.billId ?? null, gap: big(0) };
}

/** Returns the bill, from the last that an earlier balance had in it, up to which the bills explain the cash best. */
function cutOf(
  agreed: NonNullable<LedgerBase["agreed"]>,
  last: LedgerBase["last"],
  cash: Big,
  bills: readonly Bill[],
): Cut {
  const seen = last?.billId ?? null;
  const isNew = ({ billId }: Bill): boolean => isAfter(billId, seen);
  const old = bills.filter((bill) => !isNew(bill)).reduce((sum, { change }) => sum.plus(change), big(0));
  let gap = cash.minus(agreed.cash).minus(old);
  let best: Cut = { billId: seen, gap };
  for (const bill of bills.filter(isNew)) {
    gap = gap.minus(bill.change);
    if (gap.abs().lte(best.gap.abs())) best = { billId: bill.billId, gap };
  }
  return best;
}

/** Returns what was moved into the account by the bills after `from` up to `to`; negative = out of it. */
function transferred(bills: readonly Bill[], from: string | null, to: string | null): Big {
  const between = bills.filter(({ billId }) => isAfter(billId, from) && to !== null && !isAfter(billId, to));
  const moves = between.filter(({ subType }) => billKind(subType) === "transfer");
  return moves.reduce((sum, { change }) => sum.plus(change), big(0));
}

const PLACES = 18;

/**
 * Returns the units after `moved` was transferred, at equity a unit as it is without it: a transfer changes no price. Where
 * nothing was left before it, or nothing is after it, there is no such price, and the units stay.
 */
export function unitsAfter(units: Decimal, equity: Decimal, moved: Big): Decimal {
  const before = big(equity).minus(moved);
  if (moved.eq(0) || before.lte(0) || big(equity).lte(0)) return units;
  const after = text(fixed(big(units).times(equity).div(before), PLACES));
  return big(after).gt(0) ? after : units;
}

/**
 * Returns whether a fall of equity at `at` may be judged as a result: the bills explain the balance, or they have not for
 * longer than the policy waits. The venue may show a bill after the balance that it has changed, and until it does a
 * withdrawal looks like a loss. `agreedAt` = when the bills explained a balance last; null = they never did.
 */
export const isJudged = (
  agreedAt: Instant | null,
  at: Instant,
  { maxUnexplainedSeconds }: Pick<Policy, "maxUnexplainedSeconds">,
): boolean => agreedAt === null || agreedAt >= at || millis(at) - millis(agreedAt) > maxUnexplainedSeconds * 1000;

/** Equity with the units that it was made of. */
export interface UnitEquity {
  readonly at: Instant;
  readonly equity: Decimal;
  readonly units: Decimal;
  /** What the bills did not explain of it; null = they were not asked. */
  readonly gap: Decimal | null;
}

/**
 * Returns an equity without what its bills did not explain: that may be a transfer whose bill was about to show, which is of units
 * that were not issued yet.
 */
export const explainedOf = ({ equity, gap }: Pick<UnitEquity, "equity" | "gap">): Big => big(equity).minus(gap ?? 0);

/**
 * Returns an earlier equity, as far as its bills explained it, as it would be of `units`: what is left to compare with is results
 * alone. 8 places.
 */
export const inUnits = (earlier: Omit<UnitEquity, "at">, units: Decimal): Decimal =>
  text(fixed(explainedOf(earlier).times(units).div(earlier.units), 8));
