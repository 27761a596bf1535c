import type { Policy } from "#trading/plans/policy";
import { isDust } from "#trading/positions/dust";
import { big, type Decimal, fixed, text, ZERO } from "#units/decimal";
import type { Instant } from "#units/time";
import type { PositionLine, WaitingLine } from "./report.ts";

/** A stop or take-profit as it is written down. */
export interface WaitingRow {
  readonly kind: "stop" | "tp";
  readonly trigger: Decimal;
  /** Contracts; null = of the whole position. */
  readonly size: Decimal | null;
  readonly liveAt: Instant;
  /** For how long something was held before it without a stop. */
  readonly unprotectedSeconds: number;
}

/** An open position, as far as what waits for it depends on it. */
export interface WaitedFor {
  readonly side: "long" | "short";
  /** Held, unsigned; null = not known. */
  readonly contracts: Decimal | null;
  readonly contractSize: Decimal | null;
  readonly entryPrice: Decimal | null;
  readonly markPrice: Decimal | null;
  /** The least order in contracts. */
  readonly minSize: Decimal | null;
  readonly policy: WaitingPolicy;
}

/** What an order at market costs, and what is too small to have a stop. */
export type WaitingPolicy = Pick<Policy, "takerFeeBps" | "maxDustUsd">;

/** Returns the figures of what closes so many contracts at a trigger, rounded as they are shown everywhere. */
export function waitingLine(
  { trigger, liveAt }: Pick<WaitingRow, "trigger" | "liveAt">,
  contracts: Decimal | null,
  { side, contractSize, entryPrice, markPrice, policy }: WaitedFor,
): WaitingLine {
  const size = contracts === null || contractSize === null ? null : text(big(contracts).times(contractSize));
  const hasMark = markPrice !== null && big(markPrice).gt(0);
  const away = hasMark ? text(fixed(big(trigger).minus(markPrice).abs().div(markPrice).times(100), 1)) : null;
  const won =
    entryPrice === null
      ? null
      : big(trigger)
          .minus(entryPrice)
          .times(side === "long" ? 1 : -1);
  const fee = big(trigger).times(policy.takerFeeBps).div(10_000);
  const netUsd = won === null || size === null ? null : text(fixed(won.minus(fee).times(size), 2));
  return { trigger, liveAt, contracts, size, awayPercent: away, netUsd };
}

const isTiny = ({ contracts, contractSize, minSize, markPrice, policy }: WaitedFor): boolean =>
  [contracts, contractSize, minSize, markPrice].every((known) => known !== null) &&
  isDust(
    contracts ?? ZERO,
    { minSize: minSize ?? ZERO, contractSize: contractSize ?? ZERO },
    markPrice ?? ZERO,
    policy,
  );

/**
 * Returns what waits at the venue for an open position: its stop, the contracts that none covers, and its take-profits, the
 * nearest first. Stops of a size are told as one: they have one trigger, and together close what they close.
 */
export function waitingFor(
  position: WaitedFor,
  rows: readonly WaitingRow[],
): Pick<PositionLine, "atVenue" | "uncovered" | "legs"> {
  const { contracts: held } = position;
  const stops = rows.filter(({ kind }) => kind === "stop");
  const [first] = stops;
  const parts = text(stops.reduce((sum, { size }) => sum.plus(size ?? 0), big(0)));
  const closes = stops.some(({ size }) => size === null) ? held : parts;
  const atVenue =
    first === undefined
      ? null
      : { ...waitingLine(first, closes, position), unprotectedSeconds: first.unprotectedSeconds };
  const bare = held === null ? null : first === undefined ? big(held) : big(held).minus(closes ?? held);
  const legs = rows
    .filter(({ kind }) => kind === "tp")
    .sort((a, b) => big(a.trigger).cmp(b.trigger) * (position.side === "long" ? 1 : -1))
    .map((row) => waitingLine(row, row.size, position));
  return { atVenue, uncovered: bare === null ? null : bare.gt(0) && !isTiny(position) ? text(bare) : ZERO, legs };
}
