import { actOf, type Change, type Maker } from "#trading/positions/step";
import type { Quote, Side } from "#trading/venue";
import { big, type Decimal, fixed, text } from "#units/decimal";
import type { ChangeLine } from "./report.ts";

const CENTS = 8; // money is kept to 8 places

/** What a change is valued by. */
export interface Valued {
  /** Of one contract, in the asset; null while the instrument is not listed. */
  readonly contractSize: Decimal | null;
  readonly price: Decimal | null;
}

/** Returns a change as it is shown: in contracts, in the asset, and in USD at one price. */
export function changeLine(
  { before, after }: Change,
  maker: Maker,
  { contractSize, price }: Valued,
  isAsked: boolean,
): ChangeLine {
  const inAsset = (contracts: Decimal): Decimal | null =>
    contractSize === null ? null : text(big(contracts).times(contractSize));
  const inUsd = (contracts: Decimal): Decimal | null =>
    contractSize === null || price === null
      ? null
      : text(fixed(big(contracts).times(contractSize).times(price), CENTS));
  return {
    act: actOf({ before, after }, maker),
    ...{ before, after, beforeAsset: inAsset(before), afterAsset: inAsset(after) },
    ...{ beforeUsd: inUsd(before), afterUsd: inUsd(after), isAsked },
  };
}

/** Returns what an order of `side` and `size` asks for, of one that holds `before`. */
export const askedOf = (before: Decimal, side: Side, size: Decimal): Change => ({
  before,
  after: text(side === "buy" ? big(before).plus(size) : big(before).minus(size)),
});

/**
 * Returns how much worse than the middle of `quote` an average fill was, in USD to 8 places; negative = better. With the
 * half spread it holds what the market moved between the decision and the fill.
 */
export function spreadUsd(
  filled: { readonly side: Side; readonly size: Decimal; readonly price: Decimal },
  quote: Pick<Quote, "bid" | "ask">,
  contractSize: Decimal,
): Decimal {
  const middle = big(quote.bid).plus(quote.ask).div(2);
  const worse = filled.side === "buy" ? big(filled.price).minus(middle) : middle.minus(filled.price);
  return text(fixed(worse.times(filled.size).times(contractSize), CENTS));
}
