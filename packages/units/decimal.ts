import Big from "big.js";
import * as z from "zod";

// numeric(38,18) is the widest money column; 40 digits after the point leave room for a division before it is rounded.
Big.DP = 40;
Big.NE = -60;
Big.PE = 60;

const PLAIN = /^-?\d+(\.\d+)?$/;

/**
 * An exact decimal as text, in plain notation: "1234.5", "-0.004". Never exponent notation, never NaN. A brand: made
 * only by this schema and the functions of this file, so that no other text stands where money is wanted.
 */
export const Decimal = z.string().regex(PLAIN).brand<"Decimal">();
export type Decimal = z.infer<typeof Decimal>;

/** Returns `written` as a `Decimal`, digit for digit as it is. @throws RangeError when it is not in plain notation. */
export function decimalOf(written: string): Decimal {
  if (!PLAIN.test(written)) throw new RangeError(`not a decimal: ${written}`);
  return written as Decimal;
}

/**
 * Returns the decimal that another system wrote in any notation, in plain notation without trailing zeros: "1e-7" is
 * "0.0000001", "1.50" is "1.5". @throws Error when `written` is no decimal number.
 */
export const parseDecimal = (written: string): Decimal => new Big(written).toFixed() as Decimal;

/** Nothing: no money, no size. */
export const ZERO = decimalOf("0");

/** Anything `big` accepts. A `number` is taken by its shortest decimal text, so use it only for constants. */
export type DecimalLike = Big | Decimal | bigint | number;

/**
 * Returns an exact decimal number for arithmetic.
 * @throws Error when `value` is not a decimal number (NaN, Infinity, free text).
 */
export const big = (value: DecimalLike): Big => new Big(value as Big | string); // a bigint too, which its types do not say

/** Returns `value` in plain notation without trailing zeros: the form stored, sent and compared. */
export const text = (value: DecimalLike): Decimal => big(value).toFixed() as Decimal;

/** Returns `value` rounded half-even to `places` digits after the point, with those digits kept: "1.50". */
export const fixed = (value: DecimalLike, places: number): Decimal =>
  big(value).toFixed(places, Big.roundHalfEven) as Decimal;

/** Returns an on-chain amount in whole tokens: `units(1500000n, 6)` is "1.5". Exact for any uint256. */
export function units(amount: bigint, decimals: number): Decimal {
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, "0");
  const cut = digits.length - decimals;
  const fraction = digits.slice(cut).replace(/0+$/, "");
  return `${sign}${digits.slice(0, cut)}${fraction && `.${fraction}`}` as Decimal;
}

/** Returns the largest multiple of `step` that is not above `value` in magnitude (rounds toward zero). */
export const floorTo = (value: DecimalLike, step: DecimalLike): Big =>
  big(value).div(big(step)).round(0, Big.roundDown).times(big(step));

export type { Big };
