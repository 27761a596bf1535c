import { swapOf } from "#units/candle";
import type { InstrumentRow } from "../schema.ts";

interface Terms {
  readonly asset: string;
  readonly contract: string;
  readonly lot: string;
  readonly tick: string;
  readonly lever: string;
  readonly listed: string;
  readonly mostMarket: string;
}

/** The terms as OKX listed them. Source: OKX v5, GET /api/v5/public/instruments (ETH and BTC 2025, the others 2022). */
const TERMS: readonly Terms[] = [
  { asset: "AAVE", contract: "0.1", lot: "1", tick: "0.01", lever: "75", listed: "1611916828000", mostMarket: "6000" },
  {
    asset: "BTC",
    contract: "0.01",
    lot: "0.01",
    tick: "0.1",
    lever: "100",
    listed: "1573557408000",
    mostMarket: "12000",
  },
  {
    asset: "ETH",
    contract: "0.1",
    lot: "0.01",
    tick: "0.01",
    lever: "100",
    listed: "1573557408000",
    mostMarket: "20000",
  },
  { asset: "LINK", contract: "1", lot: "1", tick: "0.001", lever: "75", listed: "1611916828000", mostMarket: "10000" },
  { asset: "UNI", contract: "1", lot: "1", tick: "0.001", lever: "75", listed: "1611916828000", mostMarket: "8000" },
];

/** Returns the sample's instruments as rows of OKX's list, sorted by id. */
export const instrumentRows = (): InstrumentRow[] =>
  TERMS.map(({ asset, contract, lot, tick, lever, listed, mostMarket }) => ({
    alias: "",
    baseCcy: "",
    category: "1",
    ctMult: "1",
    ctType: "linear",
    ctVal: contract,
    ctValCcy: asset,
    expTime: "",
    instFamily: `${asset}-USDT`,
    instId: swapOf(asset),
    instType: "SWAP",
    lever,
    listTime: listed,
    lotSz: lot,
    maxIcebergSz: "100000000",
    maxLmtSz: "100000000",
    maxMktSz: mostMarket,
    maxStopSz: mostMarket,
    maxTriggerSz: "100000000",
    maxTwapSz: "100000000",
    minSz: lot,
    optType: "",
    quoteCcy: "",
    ruleType: "normal",
    settleCcy: "USDT",
    state: "live",
    stk: "",
    tickSz: tick,
    uly: `${asset}-USDT`,
  }));
