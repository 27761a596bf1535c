import type { Big, Decimal } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import type { Policy } from "./policy.ts";

/** What a lane has done and heard before, all of it from the books: nothing else is remembered. */
export interface LanePast {
  /** Signals of the biases before the one that is planned by, the newest first; none where there were none. */
  readonly earlier: readonly number[];
  /** When the newest order of the instrument was decided that was not denied; null = never. */
  readonly lastOrderAt: Instant | null;
  /** When the position that is held was opened; null = nothing is held, or nobody knows. */
  readonly openedAt: Instant | null;
  /** Contracts of that position that take-profits have closed; absent = none. */
  readonly taken?: Decimal;
}

/** Why a difference is not traded, where there is one. */
export type Rest =
  | "below_minimum"
  /** To be opened is too small a share of a full position. */
  | "open_share"
  /** To be added, or to be cut, is too small a part of what is held, or of a full position. */
  | "grow_band"
  | "shrink_band"
  /** The instrument's last order is too recent to resize. */
  | "order_gap"
  /** The position is too young to be closed by its signal. */
  | "min_hold"
  /** The signal is weak, and was not before. */
  | "weak_once";

/** One difference between what is held and what should be, in signed contracts. */
export interface Step extends LanePast {
  readonly at: Instant;
  readonly s: number;
  readonly held: Big;
  readonly target: Big;
  /** Contracts of a position at a signal of 1, by the same bounds; null = unknown. */
  readonly full: Big | null;
  /** The signal says to go flat; a target of 0 without it has been sized to nothing. */
  readonly isExit: boolean;
  /** What reduces is due at once: the kill switch says so, or the signal is stale or none. */
  readonly isUrgent: boolean;
}

const isWithin = (since: Instant | null, at: Instant, seconds: number): boolean =>
  since !== null && millis(at) - millis(since) < seconds * 1000;

/**
 * Returns why a difference is left alone, so that noise of the signal is not traded; null when it is due. What must not
 * wait is no matter of this: stops, and the caps of `sizeOf`, which hold whatever is left alone here.
 * Source: docs/glossary.md#turnover
 */
export function restOf(step: Step, policy: Policy): Rest | null {
  const { held, target, isExit } = step;
  if (held.eq(0)) return isShare(target, step, policy.openShare) ? null : "open_share";
  if (isExit || (!target.eq(0) && target.s !== held.s)) return closeRest(step, policy);
  return target.abs().gt(held.abs()) ? growRest(step, policy) : shrinkRest(step, policy);
}

/** Returns whether contracts are at least a share of a full position. */
const isShare = (contracts: Big, { full }: Step, share: Policy["openShare"]): boolean =>
  full === null || contracts.abs().gte(full.times(share));

const isPart = (contracts: Big, { held }: Step, part: Policy["growBand"]): boolean =>
  contracts.abs().gte(held.abs().times(part));

function growRest(step: Step, policy: Policy): Rest | null {
  const more = step.target.minus(step.held);
  if (!isPart(more, step, policy.growBand) || !isShare(more, step, policy.growShare)) return "grow_band";
  return isWithin(step.lastOrderAt, step.at, policy.orderGapSeconds) ? "order_gap" : null;
}

function shrinkRest(step: Step, policy: Policy): Rest | null {
  if (step.isUrgent) return null;
  const less = step.held.minus(step.target);
  if (!isPart(less, step, policy.shrinkBand) || !isShare(less, step, policy.shrinkShare)) return "shrink_band";
  return isWithin(step.lastOrderAt, step.at, policy.orderGapSeconds) ? "order_gap" : null;
}

/** A signal that turned against what is held closes it at the first look; a weak one when it stays weak. */
function closeRest({ isUrgent, openedAt, at, s, earlier }: Step, policy: Policy): Rest | null {
  if (isUrgent) return null;
  if (isWithin(openedAt, at, policy.minHoldSeconds)) return "min_hold";
  const isWeak = (signal: number): boolean => Math.abs(signal) < policy.exit;
  if (!isWeak(s)) return null;
  const before = earlier.slice(0, policy.closeLooks - 1);
  return before.length === policy.closeLooks - 1 && before.every(isWeak) ? null : "weak_once";
}
