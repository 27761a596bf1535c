import { WETH } from "#chain/tokens";
import { watchWallets } from "#db/chain/wallets";
import type { Db } from "#db/client";
import { saveScore } from "#db/signals/scores";
import type { RecordingContent } from "#recording/writer";
import { credibilityOf, evidenceOf, overallWinRate } from "#scoring/credibility";
import type { Bet } from "#scoring/statistics";
import type { Candle } from "#units/candle";
import { type Decimal, decimalOf, fixed } from "#units/decimal";
import { idOf } from "#units/ids";
import { HORIZON_SECONDS, HORIZONS, type Horizon, type Instant, instant, millis } from "#units/time";
import { type Account, accountOf, generatedChain, type PlannedTransaction } from "./chain/generated-block.ts";
import { NOBODY, tinyContent, transferLog } from "./chain/tiny-recording.ts";

const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
/** Of candles before the first block. */
const HOURS_BEFORE = 30;
const POOL = `0x${"d4".repeat(20)}`;
const DECIMALS_18 = 10n ** 18n;
const DECIMALS_6 = 10n ** 6n;

const buyers = [1, 2, 3, 4, 5, 6].map((n) => accountOf(`buyer ${n}`));
/** Six wallets that each buy 2,500 WETH once. */
export const BUYERS: readonly string[] = buyers.map(({ address }) => address);
/** Number of the first block. */
export const MARKET_FROM = 1000;
/** The blocks in which they buy, one each. */
export const BUYING = { first: MARKET_FROM + 5, last: MARKET_FROM + 4 + BUYERS.length };

const purchase = (wallet: Account): PlannedTransaction => ({
  from: wallet,
  to: POOL,
  type: 2,
  logs: [
    transferLog(USDC, wallet.address, POOL, 5_000_000n * DECIMALS_6),
    transferLog(WETH, POOL, wallet.address, 2_500n * DECIMALS_18),
  ],
});

/** Bars of a minute around `price` that go up and down by a fixed pattern, from `fromMs` to `toMs`. */
function bars(price: number, fromMs: number, toMs: number): Candle[] {
  const count = Math.floor((toMs - fromMs) / 60_000);
  const at = (i: number): number => Number((price * (1 + 0.002 * Math.sin(i / 40) + 0.0003 * (i % 3))).toFixed(1));
  return Array.from({ length: count }, (_, i) => ({
    openedAt: instant(fromMs + i * 60_000),
    open: decimalOf(String(at(i))),
    high: decimalOf(String(Math.max(at(i), at(i + 1)) + 0.5)),
    low: decimalOf(String(Math.min(at(i), at(i + 1)) - 0.5)),
    close: decimalOf(String(at(i + 1))),
    volume: decimalOf("50000"),
  }));
}

/**
 * Returns the content of a generated recording for a desk that follows it live: `count` blocks, one each 12 s from
 * `startMs` (a whole minute) on, in which the buyers buy ether; candles of ETH and BTC from thirty hours before.
 */
export function whaleMarket(startMs: number, count: number): RecordingContent {
  const tiny = tinyContent(1);
  const [swap] = tiny.instruments;
  if (!swap) throw new RangeError("the tiny recording lists an instrument");
  const [from, to] = [startMs - HOURS_BEFORE * 3_600_000, startMs + count * 12_000 + 3_600_000];
  return {
    ...tiny,
    manifest: { ...tiny.manifest, name: "whale-market" },
    blocks: generatedChain(
      Array.from({ length: count }, (_, index) => {
        const wallet = buyers[index + MARKET_FROM - BUYING.first];
        const transactions = wallet === undefined ? [] : [purchase(wallet)];
        return { number: MARKET_FROM + index, timestamp: startMs / 1000 + 12 * index, transactions };
      }),
      NOBODY,
    ),
    candles: { "ETH-USDT-SWAP": bars(2000, from, to), "BTC-USDT-SWAP": bars(40_000, from, to) },
    instruments: [swap, { ...swap, instId: "BTC-USDT-SWAP", ctVal: "0.01", ctValCcy: "BTC", tickSz: "0.1" }],
    watchlist: BUYERS.map((address, i) => ({ address, label: `Buyer ${i + 1}`, tags: ["test"] })),
    labels: [],
    balances: [],
  };
}

/** Sixty bets, one each horizon length apart, nearly all won. */
const goodBets = (horizon: Horizon, before: Instant): Bet[] =>
  Array.from({ length: 60 }, (_, i) => ({
    eventId: idOf("event", "earlier", horizon, String(i)),
    asset: "ETH",
    enteredAt: instant(millis(before) - (i + 2) * HORIZON_SECONDS[horizon] * 1000),
    excess: i % 10 === 0 ? -0.4 : 1.1,
    cost: 0.05,
  }));

/** Gives every buyer the score of sixty good bets as of `at`: what a desk knows after months, which a test has not. */
export async function scoreBuyers(db: Db, at: Instant): Promise<void> {
  await watchWallets(
    db,
    "ethereum",
    BUYERS.map((address) => ({ address, label: null, tags: [] })),
    at,
  );
  const bets = Object.fromEntries(HORIZONS.map((horizon) => [horizon, goodBets(horizon, at)])) as Record<
    Horizon,
    Bet[]
  >;
  const evidence = evidenceOf(bets, [], at);
  const winRate = overallWinRate(evidence);
  const credibility = (horizon: Horizon): Decimal => decimalOf(credibilityOf(evidence[horizon].probability).toFixed(1));
  for (const address of BUYERS) {
    await saveScore(db, {
      walletId: idOf("wallet", "ethereum", address),
      timestamp: at,
      credibility1h: credibility("1h"),
      credibility4h: credibility("4h"),
      credibility24h: credibility("24h"),
      equityUsd: null,
      tradingVolume24h: null,
      winRate: winRate === null ? null : fixed(winRate, 4),
      archetype: "unknown",
      evidence: { ...evidence, archetypes: { unknown: 1 } },
    });
  }
}
