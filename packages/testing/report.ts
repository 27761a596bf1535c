import { composeReport, type ReportRecords } from "#reporting/compose";
import { netUsdOf } from "#reporting/net";
import type { BiasLine, EventLine, OrderLine, PositionLine, Report, Scope, WalletLine } from "#reporting/report";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Horizon, instant, instantOf } from "#units/time";
import { PRACTICE } from "./practice.ts";

/** Generated rows for the tests of reports. Nothing here happened. */
export const SCOPE: Scope = {
  type: "4h",
  start: instantOf("2022-06-21T00:00:00.000Z"),
  end: instantOf("2022-06-21T04:00:00.000Z"),
  mode: "demo",
  venue: "paper",
  chain: "ethereum",
  inputName: "fixture",
  generated: true,
  explorerUrl: "https://etherscan.io",
  policy: PRACTICE,
};

/** Returns a wallet called `label`; null has none. */
export const walletNamed = (label: string | null, address = `0x${"ab".repeat(20)}`): EventLine["wallet"] => ({
  id: idOf("wallet", "ethereum", address),
  address,
  label,
});

/** Returns a priced swap into ETH, changed by `parts`. */
export const eventWith = (parts: Partial<EventLine> = {}): EventLine => ({
  id: idOf("event", parts.txHash ?? "1", parts.at ?? "", parts.asset ?? ""),
  at: instantOf("2022-06-21T02:13:07.000Z"),
  wallet: walletNamed("whale-03"),
  type: "swap",
  asset: "ETH",
  direction: 1,
  amount: decimalOf("1064.25"),
  notionalUsd: decimalOf("1200345.67"),
  venue: "uniswap-v2",
  txHash: `0x${"12".repeat(32)}`,
  pattern: "accumulation_streak",
  push: 0.42,
  ...parts,
});

/** Returns a bias of ETH that leans up because of `events`. */
export const biasWith = (parts: Partial<BiasLine> = {}, events: readonly EventLine[] = []): BiasLine => ({
  asset: "ETH",
  timeframe: "4h",
  value: 0.312,
  confidence: 0.62,
  at: instantOf("2022-06-21T03:59:00.000Z"),
  previous: 0.104,
  credibility: 7.4,
  contributions: events.map((event, index) => ({
    eventId: event.id,
    contribution: (0.18 / (index + 1)) * Math.sign(event.push ?? 1),
    event,
  })),
  others: { count: 7, contribution: 0.042 },
  ...parts,
});

const credibility = (horizon: Horizon, score: number, previous: number | null) => ({
  horizon,
  score,
  previous,
  edge: 0.71,
  bets: 12.4,
  settled: null,
});

/** Returns a wallet whose 4 h score went from `previous` to `score`. */
export const scoredWith = (label: string, score: number, previous: number | null, address?: string): WalletLine => ({
  wallet: walletNamed(label, address),
  archetype: "accumulator",
  credibility: [credibility("1h", 5.4, 5.2), credibility("4h", score, previous), credibility("24h", 5, null)],
});

/** Returns a filled buy of ETH, changed by `parts`. */
export const orderWith = (parts: Partial<OrderLine> = {}): OrderLine => ({
  id: idOf("order", parts.decidedAt ?? "1", parts.status ?? ""),
  decidedAt: instantOf("2022-06-21T02:15:00.000Z"),
  instrument: "ETH-USDT-SWAP",
  asset: "ETH",
  side: "buy",
  type: "ioc",
  size: decimalOf("120"),
  filledSize: decimalOf("120"),
  assetSize: decimalOf("12"),
  filledAssetSize: decimalOf("12"),
  notionalUsd: decimalOf("13528.8"),
  averagePrice: decimalOf("1127.4"),
  feesUsd: decimalOf("6.7644"),
  feesUnvalued: false,
  status: "filled",
  reduceOnly: false,
  timeframe: "4h",
  why: whyWith({ signal: 0.28, bound: ["risk"] }),
  spreadUsd: decimalOf("1.2"),
  change: {
    ...{ act: "open", before: decimalOf("0"), after: decimalOf("120"), isAsked: false },
    ...{ beforeAsset: decimalOf("0"), afterAsset: decimalOf("12") },
    ...{ beforeUsd: decimalOf("0"), afterUsd: decimalOf("13528.8") },
  },
  filledAt: instantOf("2022-06-21T02:15:04.000Z"),
  error: null,
  ...parts,
});

/** Returns why an order was made, changed by `parts`. */
export const whyWith = (parts: Partial<OrderLine["why"]> = {}): OrderLine["why"] => ({
  ...{ bias: 0.31, confidence: 0.62, credibility: 7.4, signal: 0.28, bound: [], denied: [] },
  trigger: { crossed: "enter", value: 0.28, threshold: 0.25 },
  signalBefore: null,
  policy: { version: "1-practice", hash: "73ea44af15f2".padEnd(64, "0") },
  ...parts,
});

/** Returns an open long in ETH, changed by `parts`. */
export function positionWith(parts: Partial<PositionLine> = {}): PositionLine {
  const line: Omit<PositionLine, "netUsd"> = {
    id: idOf("position", parts.openedAt ?? "1"),
    instrument: "ETH-USDT-SWAP",
    asset: "ETH",
    side: "long",
    size: decimalOf("12"),
    tradedSize: decimalOf("12"),
    peakSize: decimalOf("12"),
    entryPrice: decimalOf("1127.4"),
    markPrice: decimalOf("1134.8"),
    exitPrice: null,
    stopPrice: decimalOf("1104.1"),
    uncovered: null,
    legs: [],
    unrealizedUsd: decimalOf("88.8"),
    realizedUsd: decimalOf("0"),
    feesUsd: decimalOf("6.7644"),
    feesUnvalued: false,
    fundingUsd: decimalOf("0"),
    openedAt: instantOf("2022-06-21T02:15:04.000Z"),
    closedAt: null,
    ...parts,
  };
  return { netUsd: netUsdOf(line), ...line };
}

const block = (number: number, lagMs: number) => ({
  number,
  at: instant(Date.parse(SCOPE.start) + number * 12_000),
  observedAt: instant(Date.parse(SCOPE.start) + number * 12_000 + lagMs),
  transactions: 180,
  transfers: 240,
});

/** Returns the rows of a quiet but complete period, changed by `parts`. */
export function recordsWith(parts: Partial<ReportRecords> = {}): ReportRecords {
  const bought = eventWith();
  const sent = eventWith({
    txHash: `0x${"34".repeat(32)}`,
    at: instantOf("2022-06-21T03:02:11.000Z"),
    wallet: walletNamed("Fund 7", `0x${"cd".repeat(20)}`),
    type: "cex_deposit",
    asset: "BTC",
    direction: -1,
    amount: decimalOf("40"),
    notionalUsd: decimalOf("826400"),
    venue: "Binance",
    pattern: "exchange_inflow",
    push: -0.11,
  });
  const unpriced = eventWith({
    txHash: `0x${"56".repeat(32)}`,
    asset: "FOO",
    amount: decimalOf("1200000"),
    notionalUsd: null,
    push: null,
    pattern: null,
    wallet: walletNamed(null, `0x${"ef".repeat(20)}`),
  });
  return {
    scope: SCOPE,
    trading: { state: "ACTIVE", reason: "initial" },
    watchedWallets: 42,
    marketAt: null,
    blocks: [block(1, 2000), block(2, 4000), block(4, 2000)],
    retracted: [],
    standing: [],
    events: [bought, sent, unpriced],
    biases: [
      biasWith({}, [bought, sent]),
      biasWith({ timeframe: "1h", value: 0.08, confidence: 0.31, previous: null }, [bought]),
      biasWith({ timeframe: "24h", value: 0.21, confidence: 0.55 }, [bought]),
      biasWith({ asset: "BTC", value: -0.12, confidence: 0.4, previous: 0 }, [sent]),
    ],
    evidence: [
      { horizon: "1h", has: 31.5, needs: 25 },
      { horizon: "4h", has: 12.4, needs: 25 },
      { horizon: "24h", has: 0, needs: 25 },
    ],
    tradedAssets: ["BTC", "ETH", "UNI"],
    wallets: [scoredWith("whale-03", 7.1, 5.6), scoredWith("noise-2", 3.2, 4.4, `0x${"0d".repeat(20)}`)],
    outcomes: [{ horizon: "1h", settled: 18, hits: 11, decided: 16 }],
    equity: [
      { at: instantOf("2022-06-20T23:59:00.000Z"), equity: decimalOf("10000"), units: decimalOf("1"), gap: null },
      { at: instantOf("2022-06-21T02:30:00.000Z"), equity: decimalOf("9960"), units: decimalOf("1"), gap: null },
      { at: instantOf("2022-06-21T03:59:00.000Z"), equity: decimalOf("10082.04"), units: decimalOf("1"), gap: null },
    ],
    orders: [
      orderWith(),
      orderWith({
        decidedAt: instantOf("2022-06-21T03:10:00.000Z"),
        status: "denied",
        side: "sell",
        instrument: "BTC-USDT-SWAP",
        asset: "BTC",
        filledSize: decimalOf("0"),
        averagePrice: null,
        why: whyWith({
          ...{ bias: -0.12, confidence: 0.4, credibility: 6 },
          signal: -0.26,
          denied: ["cooldown", "daily_loss"],
        }),
        change: null,
      }),
    ],
    fills: [{ notionalUsd: decimalOf("13528.8"), fee: decimalOf("6.7644"), feeAsset: "USDT", feePrice: null }],
    funding: [],
    positions: [
      positionWith(),
      positionWith({
        asset: "BTC",
        instrument: "BTC-USDT-SWAP",
        side: "short",
        openedAt: instantOf("2022-06-21T00:30:00.000Z"),
        closedAt: instantOf("2022-06-21T01:55:00.000Z"),
        exitPrice: decimalOf("20120.5"),
        entryPrice: decimalOf("20410"),
        realizedUsd: decimalOf("14.475"),
        ...{
          size: decimalOf("0.05"),
          tradedSize: decimalOf("0.05"),
          peakSize: decimalOf("0.03"),
          feesUsd: decimalOf("1.0133"),
        },
        unrealizedUsd: null,
      }),
    ],
    ...parts,
  };
}

/** Returns the report of `recordsWith(parts)`. */
export const reportWith = (parts: Partial<ReportRecords> = {}): Report => composeReport(recordsWith(parts));
