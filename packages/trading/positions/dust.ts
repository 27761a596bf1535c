import { big, type Decimal } from "#units/decimal";
import type { Instrument } from "../instrument.ts";

/** More than this is no dust, however few contracts it is, in USD. */
const MOST_USD = 5;

/**
 * Returns whether a position is too small to be closed by an order, and to matter: below the venue's least order and worth
 * at most 5 USD at `mark`. Nothing is planned for it and no stop is sent; whoever asks whether the desk is flat leaves it out.
 */
export function isDust(
  contracts: Decimal,
  { minSize, contractSize }: Pick<Instrument, "minSize" | "contractSize">,
  mark: Decimal,
): boolean {
  const size = big(contracts).abs();
  return size.gt(0) && size.lt(minSize) && size.times(contractSize).times(mark).lte(MOST_USD);
}
