import type { Big } from "#units/decimal";
import { ceilTick, floorTick, type Listing, type Touch } from "./book.ts";

/** The highest price that a buy may name and the lowest of a sell. */
export interface PriceLimit {
  readonly buy: Big;
  readonly sell: Big;
}

/** OKX sets it by instrument; here it is this share of the index, in bps. */
const PRICE_LIMIT_BPS = 500;

/** Returns the price limit around an index price. Source: OKX v5, "Get limit price". */
export const priceLimit = ({ index }: Touch, { tick }: Listing): PriceLimit => ({
  buy: floorTick(index.times(10_000 + PRICE_LIMIT_BPS).div(10_000), tick),
  sell: ceilTick(index.times(10_000 - PRICE_LIMIT_BPS).div(10_000), tick),
});
