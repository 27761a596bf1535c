import { createHash } from "node:crypto";
import * as z from "zod";

/** The UUID of a thing of one kind. A brand: made only by `idOf` and by the schemas of this file. */
export type Id<Kind extends string> = string & z.core.$brand<`${Kind} id`>;

export const WalletId = z.uuid().brand<"wallet id">();
export type WalletId = Id<"wallet">;
export const EventId = z.uuid().brand<"event id">();
export type EventId = Id<"event">;
export const OrderId = z.uuid().brand<"order id">();
export type OrderId = Id<"order">;
export const PositionId = z.uuid().brand<"position id">();
export type PositionId = Id<"position">;

/** Returns the lower-case hexadecimal SHA-256 of `text` in UTF-8. */
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/**
 * Returns the UUID (version 8, RFC 9562) of a natural key: the same parts give the same id on every machine.
 * Parts are length-prefixed, so ["ab", "c"] and ["a", "bc"] differ.
 */
export function idOf<const Kind extends string>(kind: Kind, ...parts: readonly (string | number | bigint)[]): Id<Kind> {
  const hex = sha256([kind, ...parts].map((part) => `${String(part).length}:${part}`).join(""));
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}` as Id<Kind>;
}
