import { big, type Decimal } from "#units/decimal";
import type { Instrument } from "../instrument.ts";
import type { Policy } from "../plans/policy.ts";

/**
 * Returns whether a position is too small to be closed by an order, and to matter: below the venue's least order and worth
 * at most what the policy calls dust at `mark`. Nothing is planned for it and no stop is sent; whoever asks whether the desk is flat leaves it out.
 */
export function isDust(
  contracts: Decimal,
  { minSize, contractSize }: Pick<Instrument, "minSize" | "contractSize">,
  mark: Decimal,
  { maxDustUsd }: Pick<Policy, "maxDustUsd">,
): boolean {
  const size = big(contracts).abs();
  return size.gt(0) && size.lt(minSize) && size.times(contractSize).times(mark).lte(maxDustUsd);
}
