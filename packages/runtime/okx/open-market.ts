import type { Market } from "#trading/venue";
import { readConfig, readSettings } from "../config.ts";
import { type Opened, plain } from "../opened.ts";
import { okxMarket } from "./market.ts";

/** Opens the public prices of OKX_PUBLIC_URL: OKX itself, or a loopback double of it. */
export async function openMarket(): Promise<Opened<Market>> {
  const { OKX_PUBLIC_URL, OKX_RATE_LIMIT } = readConfig("market");
  const url = OKX_PUBLIC_URL ?? "https://www.okx.com";
  const venue = ["127.0.0.1", "localhost"].includes(new URL(url).hostname) ? "paper" : "okx";
  return plain(okxMarket({ venue, mode: readSettings().mode, url, rateLimit: OKX_RATE_LIMIT }));
}
