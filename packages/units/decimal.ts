import Big from "big.js";
import * as z from "zod";

// numeric(38,18) is the widest money column; 40 digits after the point leave room for a division before it is rounded.
Big.DP = 40;
Big.NE = -60;
Big.PE = 60;

/** An exact decimal as text, in plain notation: "1234.5", "-0.004". Never exponent notation, never NaN. */
export const Decimal = z.string().regex(/^-?\d+(\.\d+)?$/);
export type Decimal = string;

/** Anything `big` accepts. A `number` is taken by its shortest decimal text, so use it only for constants. */
export type DecimalLike = Big | Decimal | bigint | number;

/**
 * Returns an exact decimal number for arithmetic.
 * @throws Error when `value` is not a decimal number (NaN, Infinity, free text).
 */
export const big = (value: DecimalLike): Big => new Big(typeof value === "bigint" ? value.toString() : value);

/** Returns `value` in plain notation without trailing zeros: the form stored, sent and compared. */
export const text = (value: DecimalLike): Decimal => big(value).toFixed();

/** Returns `value` rounded half-even to `places` digits after the point, with those digits kept: "1.50". */
export const fixed = (value: DecimalLike, places: number): Decimal => big(value).toFixed(places, Big.roundHalfEven);

/** Returns an on-chain amount in whole tokens: `units(1500000n, 6)` is "1.5". Exact for any uint256. */
export function units(amount: bigint, decimals: number): Decimal {
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, "0");
  const cut = digits.length - decimals;
  const fraction = digits.slice(cut).replace(/0+$/, "");
  return `${sign}${digits.slice(0, cut)}${fraction && `.${fraction}`}`;
}

/** Returns the largest multiple of `step` that is not above `value` in magnitude (rounds toward zero). */
export const floorTo = (value: DecimalLike, step: DecimalLike): Big =>
  big(value).div(big(step)).round(0, Big.roundDown).times(big(step));

export type { Big };
