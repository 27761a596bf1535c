import { type Big, big, type Decimal, decimalOf, fixed, text } from "#units/decimal";
import { type Instant, millis } from "#units/time";

const SCALES = [
  { from: "1000000000", suffix: "B" },
  { from: "1000000", suffix: "M" },
  { from: "1000", suffix: "k" },
] as const;

/**
 * Returns an amount short enough for a phone: "1.2M", "12.3k", "950", "0.0042". Rounded half-even to three significant
 * digits or so, below 1 to two; the exact number stays in the record.
 */
export function compact(amount: Decimal): string {
  const value = big(amount);
  const size = value.abs();
  const at = SCALES.findIndex((scale) => size.gte(big(decimalOf(scale.from)).times("0.9995")));
  const scale = SCALES[at];
  if (scale) {
    const scaled = value.div(scale.from);
    return `${trimmed(fixed(scaled, scaled.abs().gte("99.95") ? 0 : 1))}${scale.suffix}`;
  }
  if (size.gte("99.95")) return trimmed(fixed(value, 0));
  if (size.gte(1)) return trimmed(fixed(value, 2));
  if (size.eq(0)) return "0";
  return size.lt("0.000001") ? `${value.lt(0) ? "-" : ""}<0.000001` : significant(value);
}

/** Rounds a number below 1 to two significant digits. What rounds up to 1 is "1.00": it is near one, and not one. */
function significant(value: Big): string {
  const zeros = /^-?0\.(0*)/.exec(value.toFixed())?.[1]?.length ?? 0;
  const rounded = fixed(value, zeros + 2);
  return big(rounded).abs().eq(1) ? fixed(rounded, 2) : trimmed(rounded);
}

const trimmed = (plain: string): string => {
  const cut = plain.includes(".") ? plain.replace(/0+$/, "").replace(/\.$/, "") : plain;
  return cut === "-0" ? "0" : cut;
};

/**
 * Returns an amount with every digit that it has, its thousands grouped: "1,200", "0.0615". For sizes: a lot is never
 * rounded.
 */
export function exact(amount: Decimal): string {
  const [whole = "0", fraction] = text(amount).split(".");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${fraction === undefined ? "" : `.${fraction}`}`;
}

/** Returns "1.2M USD", or "unpriced" for null: an unknown value is never shown as 0. */
export const usd = (amount: Decimal | null): string => (amount === null ? "unpriced" : `${compact(amount)} USD`);

/** Returns money with its cents and grouped thousands: "10,023.45". */
export function money(amount: Decimal): string {
  const [whole = "0", cents = "00"] = fixed(amount, 2).split(".");
  const text = `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${cents}`;
  return text === "-0.00" ? "0.00" : text;
}

/** Returns money with its sign: "+23.45", "-0.10"; zero has none. */
export const signedMoney = (amount: Decimal): string => {
  const text = money(amount);
  return text !== "0.00" && !text.startsWith("-") ? `+${text}` : text;
};

/** Returns a number with its sign and two places: "+0.31", "0.00". */
export function signed(value: number, places = 2): string {
  const text = value.toFixed(places);
  if (Number(text) === 0) return (0).toFixed(places);
  return value > 0 ? `+${text}` : text;
}

/** Returns a fraction as a percentage: 0.123 is "12%". */
export const percent = (fraction: number, places = 0): string => {
  const text = (fraction * 100).toFixed(places);
  return `${Number(text) === 0 ? (0).toFixed(places) : text}%`;
};

/** Returns a probability as a percentage that never says certain: "71%", "> 99%", "< 1%". Evidence makes no certainty. */
export const probability = (share: number): string => (share > 0.99 ? "> 99%" : share < 0.01 ? "< 1%" : percent(share));

/** Returns a price with digits that fit its size: "1,127.40", "0.06213". */
export function price(value: Decimal): string {
  const size = big(value).abs();
  if (size.gte(1)) return money(value);
  return trimmed(fixed(value, 6)) === "0" ? compact(value) : trimmed(fixed(value, 6));
}

/**
 * Returns an average price with as many places as it takes for `size` × price to be right to the cent, two at least:
 * "2,501.9312" of 1.11 ETH.
 */
export function averagePrice(value: Decimal, size: Decimal): string {
  const whole = fixed(big(size).abs(), 0).length;
  const [, fraction = ""] = text(fixed(value, whole + 3)).split(".");
  return exactPlaces(value, Math.max(2, fraction.length));
}

const exactPlaces = (value: Decimal, places: number): string => {
  const [whole = "0", fraction = ""] = fixed(value, places).split(".");
  return `${exact(decimalOf(whole))}.${fraction}`;
};

/** Returns "0x1234...abcd" of an address or a transaction hash. */
export const shortHash = (hash: string): string =>
  hash.length > 12 ? `${hash.slice(0, 6)}...${hash.slice(-4)}` : hash;

/** Returns "2022-06-21 04:00" in UTC. */
export const minute = (at: Instant): string => `${at.slice(0, 10)} ${at.slice(11, 16)}`;

/** Returns "04:00" in UTC. */
export const clock = (at: Instant): string => at.slice(11, 16);

/** Returns the time between two instants: "4 h", "1 h 30 min", "45 s", "2 d 3 h". */
export function span(from: Instant, to: Instant): string {
  const seconds = Math.max(0, Math.round((millis(to) - millis(from)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined([minutes, "min"], [seconds % 60, "s"]);
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joined([hours, "h"], [minutes % 60, "min"]);
  return joined([Math.floor(hours / 24), "d"], [hours % 24, "h"]);
}

const joined = (...parts: readonly [number, string][]): string =>
  parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");

/** Returns "1 order", "2 orders", "no orders". */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  count === 0 ? `no ${many}` : `${grouped(count)} ${count === 1 ? one : many}`;

/** Returns a count with grouped thousands: "12,345". */
export const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/** Returns names as a list in prose: "a", "a and b", "a, b and c". */
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
