import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { createKeccak } from "hash-wasm";

// WebAssembly: four to eight times as fast as the same in JavaScript, and half of a block's proof is hashing. Compiled once,
// when this module loads; one hash is begun and ended in one call, so that nobody meets another's state.
const hasher = await createKeccak(256);

/** Returns Keccak-256 of `bytes`, 32 bytes of it. */
export const keccakOf = (bytes: Uint8Array): Uint8Array => hasher.init().update(bytes).digest("binary");

/** Returns the bytes of `hex` ("0x…", an even number of digits). @throws Error when it is none */
export const bytesOf = (hex: string): Uint8Array => hexToBytes(hex.slice(2));

/** Returns `bytes` as lower-case "0x…". */
export const hexOf = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`;

/** Returns Keccak-256 of the bytes of `hex` ("0x…", either case, an even number of digits) as lower-case "0x…". */
export const keccak = (hex: string): string => hexOf(keccakOf(bytesOf(hex)));

/**
 * Returns the three bits, each 0 to 2047, that the bytes of `hex` set in a logs bloom, as one number:
 * the first + 2^11 · the second + 2^22 · the third.   Source: Ethereum yellow paper, section 4.4.3, M3:2048.
 */
export function bloomBits(hex: string): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = keccakOf(bytesOf(hex));
  const bit = (high: number, low: number): number => ((high & 7) << 8) | low;
  return bit(a, b) + 2048 * bit(c, d) + 4_194_304 * bit(e, f);
}
