import type { Big } from "#units/decimal";
import { ceilTick, floorTick, type Listing, type Touch } from "./book.ts";

/** The highest price that a buy may name and the lowest of a sell. */
export interface PriceLimit {
  readonly buy: Big;
  readonly sell: Big;
}

/** OKX's Y and Z are the instrument's own; here they are these shares of the index. */
const Y = "0.02";
const Z = "0.05";

const least = (a: Big, b: Big): Big => (a.lt(b) ? a : b);
const most = (a: Big, b: Big): Big => (a.gt(b) ? a : b);

/**
 * Returns the price limit of a swap: the index and Y of it more, moved by the premium of the last price over the index, no
 * further from the index than Z and never on its other side. The premium is that of now, where OKX takes the average of two
 * minutes. Source: OKX, "Price limit rules of perpetual swaps".
 */
export const priceLimit = ({ index, mid }: Touch, { tick }: Listing): PriceLimit => {
  const premium = mid.minus(index);
  const [near, far] = [index.times(Y), index.times(Z)];
  return {
    buy: floorTick(least(most(index, index.plus(near).plus(premium)), index.plus(far)), tick),
    sell: ceilTick(most(least(index, index.minus(near).plus(premium)), index.minus(far)), tick),
  };
};
