import { sha256 } from "#units/ids";

/** A JSON value: what a snapshot may hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * Returns JSON text with keys sorted at every level and no spaces, so that it survives a round trip through jsonb.
 * @throws RangeError for NaN and infinities, which JSON cannot say.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`not a JSON number: ${value}`);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(",")}]`;
  const entries = Object.entries(value as { readonly [key: string]: Json });
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
}

/** Returns the SHA-256 of the canonical JSON of `value`. */
export const hashOf = (value: Json): string => sha256(canonicalJson(value));
