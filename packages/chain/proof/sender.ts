import { Point, recoverPublicKey } from "@noble/secp256k1";
import type { RawTransaction } from "../block.ts";
import { bytesOf, hexOf, keccakOf } from "../keccak.ts";
import { signedContent } from "./encode.ts";

/**
 * Returns the address whose key signed a transaction (type 0 to 4), or null where the signature is nobody's. About a
 * millisecond.   Source: yellow paper, appendix F; EIP-155
 */
export function senderOf(transaction: RawTransaction): string | null {
  const { content, parity } = signedContent(transaction);
  if (parity !== 0 && parity !== 1) return null;
  const word = (part: string): string => part.slice(2).padStart(64, "0");
  const signature = bytesOf(`0x0${parity}${word(transaction.r)}${word(transaction.s)}`);
  const key = publicKeyOf(signature, keccakOf(content));
  return key && hexOf(keccakOf(key.subarray(1)).subarray(12));
}

/** Returns the key, uncompressed; null where no point of the curve fits, which the library throws. */
function publicKeyOf(signature: Uint8Array, digest: Uint8Array): Uint8Array | null {
  try {
    return Point.fromBytes(recoverPublicKey(signature, digest, { prehash: false })).toBytes(false);
  } catch {
    return null;
  }
}
