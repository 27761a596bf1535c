import type { RawLog } from "../block.ts";
import { bloomBits, bytesOf } from "../keccak.ts";

/** A header's bloom, and the bits of it that some log was seen to set. */
export interface Blooms {
  readonly bloom: Uint8Array;
  readonly seen: Uint8Array;
}

// Addresses and topics repeat from block to block. At most some 10 MB.
const CACHE_LIMIT = 50_000;
const bits = new Map<string, number>();

/** Returns a header's bloom ("0x…", 256 bytes) with nothing seen yet. */
export const bloomsOf = (logsBloom: string): Blooms => ({ bloom: bytesOf(logsBloom), seen: new Uint8Array(256) });

/** Returns the first of a log's address and topics that the bloom has not got, or null; all of them count as seen. */
export function missingIn(blooms: Blooms, { address, topics }: RawLog): string | null {
  return [address, ...topics].reduce<string | null>(
    (lacks, value) => (holds(blooms, value) ? lacks : (lacks ?? value)),
    null,
  );
}

/** Returns whether every bit of the bloom was set by a log. */
export const isWhole = ({ bloom, seen }: Blooms): boolean => seen.every((byte, i) => byte === bloom[i]);

function holds({ bloom, seen }: Blooms, value: string): boolean {
  let packed = bits.get(value);
  if (packed === undefined) {
    packed = bloomBits(value);
    if (bits.size >= CACHE_LIMIT) bits.clear();
    bits.set(value, packed);
  }
  const low = packed % 4_194_304;
  const first = mark(bloom, seen, low & 2047);
  const second = mark(bloom, seen, low >> 11);
  return mark(bloom, seen, Math.floor(packed / 4_194_304)) && first && second;
}

function mark(bloom: Uint8Array, seen: Uint8Array, bit: number): boolean {
  const place = 255 - (bit >> 3); // bit 0 is the lowest bit of the last byte
  const mask = 1 << (bit & 7);
  (seen[place] as number) |= mask;
  return ((bloom[place] as number) & mask) !== 0;
}
