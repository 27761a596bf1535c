import { type Big, big, text } from "#units/decimal";

/** How much margin a position of up to so many contracts needs. Rates are fractions of its value at the mark. */
export interface Tier {
  readonly tier: number;
  /** The largest position of the tier before it; none is smaller. */
  readonly minSize: Big;
  readonly maxSize: Big;
  /** What has to be there while it is held. */
  readonly maintenance: Big;
  /** What has to be there to open it. */
  readonly initial: Big;
  readonly maxLeverage: Big;
}

const TIERS = 20;
/** On OKX's large swaps a tier is about as wide as so many lots: 1,000 contracts, 10 BTC. */
const LOTS_OF_TIER = 100_000;
const PLACES = 4;

const upTo = (value: Big): Big => value.round(PLACES, 3);

/**
 * Returns the tiers of an instrument where none are recorded: initial margin grows by 1 ÷ the highest leverage with each, and
 * half of it has to be kept. OKX keeps 0.4 of it on its largest swaps and half on others, so these liquidate no later.
 * Source: OKX, "Position tiers"; nautilus_trader's recorded rows have the form.
 */
export function tiersByRule({ lot, maxLeverage }: { readonly lot: Big; readonly maxLeverage: Big }): readonly Tier[] {
  const width = lot.times(LOTS_OF_TIER);
  return Array.from({ length: TIERS }, (_, i) => {
    const tier = i + 1;
    const initial = upTo(big(tier).div(maxLeverage));
    return {
      ...{ tier, minSize: width.times(i), maxSize: width.times(tier) },
      ...{ initial, maintenance: upTo(initial.div(2)), maxLeverage: maxLeverage.div(tier).round(2, 0) },
    };
  });
}

/** Returns the tier of a position of `size` contracts; the last for one that is larger than any. */
export function tierOf(tiers: readonly Tier[], size: Big): Tier {
  const [first, ...others] = tiers as [Tier, ...Tier[]];
  return [first, ...others].find(({ maxSize }) => size.abs().lte(maxSize)) ?? others.at(-1) ?? first;
}

/** Returns it as OKX's public/position-tiers gives it. */
export const tierRow = (
  { tier, minSize, maxSize, maintenance, initial, maxLeverage }: Tier,
  family: string,
): Readonly<Record<string, string>> => ({
  ...{ instFamily: family, uly: family, instId: "", tier: String(tier), minSz: text(minSize), maxSz: text(maxSize) },
  ...{ mmr: text(maintenance), imr: text(initial), maxLever: text(maxLeverage) },
  ...{ optMgnFactor: "0", quoteMaxLoan: "", baseMaxLoan: "" },
});
