import * as z from "zod";
import { Decimal } from "./decimal.ts";
import { Instant } from "./time.ts";

/**
 * One bar of an instrument: prices in quote per base, volume in the venue's own unit (contracts on a swap).
 * A bar is known only at `openedAt + bar`; whoever uses its close before then looks ahead.
 */
export const Candle = z.object({
  openedAt: Instant,
  open: Decimal,
  high: Decimal,
  low: Decimal,
  close: Decimal,
  volume: Decimal,
});
export type Candle = z.infer<typeof Candle>;

/** Assets that are money here: priced at 1 USD, never a target of a bias. */
export const STABLES: readonly string[] = ["USDC", "USDT", "DAI"];

/** Returns the OKX perpetual swap of an asset: "ETH" → "ETH-USDT-SWAP". */
export const swapOf = (asset: string): string => `${asset}-USDT-SWAP`;

/** Returns the asset of an OKX perpetual swap: "ETH-USDT-SWAP" → "ETH". @throws RangeError for any other id. */
export function assetOf(instrument: string): string {
  const asset = /^([A-Z0-9]+)-USDT-SWAP$/.exec(instrument)?.[1];
  if (!asset) throw new RangeError(`not a USDT perpetual swap: ${instrument}`);
  return asset;
}
