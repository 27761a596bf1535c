import { big, type Decimal, text } from "#units/decimal";
import type { Instant } from "#units/time";

/** The parts of a position's result, in USD; null = not known. */
export interface ResultParts {
  readonly closedAt: Instant | null;
  readonly realizedUsd: Decimal | null;
  /** At the last mark; of a closed position it counts nothing. */
  readonly unrealizedUsd: Decimal | null;
  readonly feesUsd: Decimal;
  /** Whether a fee has no value: `feesUsd` is then not all. */
  readonly feesUnvalued: boolean;
  /** Paid; negative = received. */
  readonly fundingUsd: Decimal;
}

/**
 * Returns what a position came to: realized, and while it is open unrealized, less fees and funding. Exact; null when a
 * part is not known: a part is not the whole.
 */
export const netUsdOf = (position: ResultParts): Decimal | null => netOn(1, position);

/** Returns what the other side of the same trades at the same prices would have come to: it pays the same fees. */
export const oppositeNetUsdOf = (position: ResultParts): Decimal | null => netOn(-1, position);

function netOn(side: 1 | -1, position: ResultParts): Decimal | null {
  const { closedAt, realizedUsd, feesUsd, fundingUsd } = position;
  const unrealizedUsd = closedAt === null ? position.unrealizedUsd : 0;
  if (realizedUsd === null || unrealizedUsd === null || position.feesUnvalued) return null;
  return text(big(realizedUsd).plus(unrealizedUsd).minus(fundingUsd).times(side).minus(feesUsd));
}
