import { sha256 } from "#units/ids";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** Returns the first `count` base32 characters of the SHA-256 of `parts`, at most 50: what ids at the venue are made of. */
export function letters(parts: readonly string[], count: number): string {
  const digest = BigInt(`0x${sha256(JSON.stringify(parts))}`);
  return Array.from({ length: count }, (_, i) => ALPHABET[Number((digest >> BigInt(251 - 5 * i)) & 31n)]).join("");
}
