import { customType } from "drizzle-orm/pg-core";
import { type Decimal, ZERO } from "#units/decimal";
import { storedDecimal } from "#units/stored";
import { type Instant, instant as isoInstant } from "#units/time";

const STORED_TIME = /^(\d{4,}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d(?::?\d\d)?)$/;

/**
 * Returns a timestamptz as PostgreSQL writes it ("2022-06-21 00:00:00.5+00", any session zone) as an `Instant`.
 * Microseconds are cut to milliseconds.
 * @throws RangeError when `stored` is no finite time (infinity, a date before Christ).
 */
export function readInstant(stored: string): Instant {
  const [, date, time, zone = ""] = STORED_TIME.exec(stored) ?? [];
  const offset = zone.length === 3 ? `${zone}:00` : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const ms = Date.parse(`${date}T${time}${offset}`);
  if (!Number.isFinite(ms)) throw new RangeError(`not a stored time: ${stored}`);
  return isoInstant(ms);
}

/**
 * Returns a numeric as PostgreSQL writes it in plain notation without trailing zeros: "1.500" is "1.5", "-0.00" is "0".
 * @throws RangeError for NaN and the infinities, which no column of ours accepts.
 */
export function readDecimal(stored: string | number): Decimal {
  const written = String(stored);
  if (!/^-?\d+(\.\d+)?$/.test(written)) throw new RangeError(`not a stored decimal: ${written}`);
  const cut = written.includes(".") ? written.replace(/\.?0+$/, "") : written;
  return cut === "-0" ? ZERO : storedDecimal(cut);
}

/** A timestamptz column, read and written as `Instant`. */
export const instant = customType<{ data: Instant; driverData: string }>({
  dataType: () => "timestamp with time zone",
  fromDriver: readInstant,
});

/** A numeric column, read and written as `Decimal`. Without a precision it holds any finite decimal. */
export const decimal = customType<{
  data: Decimal;
  driverData: string;
  config: { precision: number; scale: number };
  configRequired: false;
}>({
  dataType: (config) => (config ? `numeric(${config.precision},${config.scale})` : "numeric"),
  fromDriver: readDecimal,
});

/** A number that a venue counts by, as text: it may be wider than an int8. */
export const serial = customType<{ data: string; driverData: string }>({
  dataType: () => "numeric(38,0)",
  fromDriver: String,
});

/**
 * A jsonb column. What is read is `unknown`: parse it before use. Keys come back as stored (jsonb orders them by
 * length, then bytewise), numbers as JavaScript numbers, so money goes in as text.
 */
export const json = customType<{ data: unknown; driverData: unknown }>({
  dataType: () => "jsonb",
  toDriver: (value) => JSON.stringify(value),
  // Both drivers hand over the parsed value, which drizzle's own jsonb would parse a second time ("7" would become 7).
  fromDriver: (value) => value,
});

/** `vector(768)` where the server has pgvector, else a checked `real[]`. No writer yet; kept for the seed's second version. */
export const embedding = customType<{ data: readonly number[]; driverData: unknown }>({
  dataType: () => "real[]",
});
