import { keccak } from "./keccak.ts";

/** Returns a lower-case address ("0x" and 40 hexadecimal digits) with its checksum in mixed case.   Source: EIP-55 */
export function checksumAddress(address: string): string {
  const digits = address.slice(2);
  const codes = Array.from(digits, (digit) => digit.charCodeAt(0).toString(16).padStart(2, "0"));
  const digest = keccak(`0x${codes.join("")}`).slice(2);
  const mixed = Array.from(digits, (digit, place) =>
    Number.parseInt(digest.charAt(place), 16) >= 8 ? digit.toUpperCase() : digit,
  );
  return `0x${mixed.join("")}`;
}

/**
 * Returns `address` in lower case, the form stored and compared, or null when it is no address or its checksum is wrong.
 * All-lower and all-upper digits carry no checksum and are accepted.   Source: EIP-55
 */
export function canonicalAddress(address: string): string | null {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) return null;
  const lower = address.toLowerCase();
  const digits = address.slice(2);
  const plain = digits === digits.toLowerCase() || digits === digits.toUpperCase();
  return plain || checksumAddress(lower) === address ? lower : null;
}
