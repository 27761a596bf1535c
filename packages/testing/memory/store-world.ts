import type { Drizzle } from "#db/drizzle";
import * as s from "#db/schema";
import { upsertCandles } from "#db/signals/prices";
import { armByHand } from "#db/trading/arming";
import { upsertInstruments } from "#db/trading/instruments";
import { STORED } from "#db/trading/orders";
import type { Account } from "#trading/account";
import type { Arming, SignedArming } from "#trading/arming";
import type { Instrument } from "#trading/instrument";
import type { TradingStore } from "#trading/store";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant } from "#units/time";
import { emptyTables, TRADING_TABLES } from "../empty-tables.ts";
import { type Books, by, type Surroundings } from "./books.ts";

/** The small world that both stores of trading are compared in: two instruments, some bars, biases and payments. */

export const START = Date.parse("2022-06-21T00:00:00.000Z");
export const BAR = 300;
export const ACCOUNT: Account = { mode: "demo", venue: "paper" };

const instrument = (asset: string, contractSize: string): Instrument => ({
  ...{ id: `${asset}-USDT-SWAP`, asset, contractSize: decimalOf(contractSize) },
  ...{ lotSize: decimalOf("0.1"), minSize: decimalOf("0.1"), tickSize: decimalOf("0.01") },
  maxLeverage: decimalOf("100"),
});
export const INSTRUMENTS: readonly Instrument[] = [instrument("BTC", "0.01"), instrument("ETH", "0.1")];
export const EVENT = idOf("event", "1");
const WALLET = idOf("wallet", "ethereum", "0x1");

const at = (minutes: number): Instant => instant(START + minutes * 60_000);

const candles = (base: number) =>
  Array.from({ length: 40 }, (_, i) => {
    const close = decimalOf(String(base + ((i * 7) % 11) - 5));
    return { openedAt: at(i * 5), open: close, high: close, low: close, close, volume: decimalOf("1") };
  });

const CANDLES = new Map(INSTRUMENTS.map(({ id }, index) => [id, candles(index === 0 ? 100 : 50)]));

const BIASES = [0, 6, 30].map((minutes, index) => ({
  ...{
    asset: "ETH",
    timeframe: "4h" as const,
    at: at(minutes),
    value: index / 10,
    confidence: index === 0 ? null : 0.5,
  },
  contributions: [],
  components: { contributions: [] },
}));

const FUNDING = [3, 20, 61].map((minutes, index) => ({
  ...{
    ...ACCOUNT,
    instrument: "ETH-USDT-SWAP",
    at: at(minutes),
    amount: decimalOf(["0.5", "-0.25", "1"][index] ?? "0"),
  },
}));

/** One that no key has signed: whether it holds is not the books' to say. */
const ARMING: SignedArming = { text: "{}", signature: "AAAA" };

/** Empties a database and writes the world into it. Returns the same for the memory. */
export async function setUp(db: Drizzle, store: TradingStore): Promise<Surroundings> {
  await emptyTables(db, [...TRADING_TABLES, "event_analysis"]);
  await db
    .update(s.tradingControl)
    .set({ state: "ACTIVE", epoch: 1, reason: "", actor: "test", changedAt: at(0), lifts: [] });
  await upsertInstruments(db, INSTRUMENTS, "test", at(0));
  for (const [id, bars] of CANDLES) await upsertCandles(db, { instrument: id, barSeconds: BAR }, "test", bars);
  const wallet = {
    id: WALLET,
    address: `0x${"1".repeat(40)}`,
    chain: "ethereum",
    firstSeenAt: at(0),
    watchedSince: at(0),
  };
  await db.insert(s.wallets).values(wallet);
  const ref = { id: EVENT, timestamp: at(0), walletId: WALLET, chain: "ethereum", txHash: `0x${"2".repeat(64)}` };
  await db.insert(s.eventRefs).values(ref);
  await db.insert(s.eventAnalysis).values({
    eventId: EVENT,
    patternMatched: "streak",
    llmModel: "m",
    confidence: decimalOf("0.5"),
    analyzedAt: at(0),
  });
  await db.insert(s.bias).values(
    BIASES.map(({ at: timestamp, value, confidence, contributions: _, ...rest }) => ({
      ...{ ...rest, timestamp, value: decimalOf(String(value)) },
      confidence: confidence === null ? null : decimalOf(String(confidence)),
    })),
  );
  await db.insert(s.fundingPayments).values(
    FUNDING.map(({ mode: tradingMode, venue: exchange, ...rest }, index) => ({
      ...{ ...rest, tradingMode, exchange, billId: String(index) },
    })),
  );
  const by = { actor: "anna", reason: "a test", at: at(0) };
  await armByHand(db, { mode: "live", arming: ARMING, ...by }, () => ({ arming: {} as Arming }), null);
  return {
    armings: { live: ARMING },
    control: { demo: await store.control("demo"), live: await store.control("live") },
    instruments: await store.instruments(INSTRUMENTS.map(({ id }) => id)),
    candles: CANDLES,
    biases: BIASES,
    analyses: [{ eventId: EVENT, model: "m", pattern: "streak" }],
    funding: FUNDING,
  };
}

/** The rows of each table. */
export type Rows = Readonly<
  Record<
    "control" | "orders" | "events" | "fills" | "positions" | "equity" | "bills" | "comparisons" | "protections",
    readonly object[]
  >
>;

/** Returns every row that a store of trading has in a database, each table in the order of its key. */
export async function rowsOf(db: Drizzle): Promise<Rows> {
  const control = await db.select().from(s.tradingControl);
  const fills = await db.select().from(s.orderFills);
  const positions = await db.select().from(s.positions);
  const comparisons = await db.select().from(s.comparisons);
  const equity = await db.select().from(s.equitySnapshots);
  return {
    control: control.sort(by((row) => row.tradingMode)).map(({ tradingMode: _, ...row }) => row),
    orders: (await db.select(STORED).from(s.orders)).sort(by((order) => order.id)),
    events: (await db.select().from(s.orderEvents)).sort((a, b) => byOrder(a, b) || a.seq - b.seq),
    fills: fills
      .map(({ tradingMode: mode, exchange: venue, exchangeTradeId: tradeId, ...row }) => ({
        ...{ ...row, mode, venue, tradeId },
      }))
      .sort(byFill),
    positions: positions.sort(by((row) => row.id)).map((row) => ({ ...row, holdingTime: seconds(row.holdingTime) })),
    comparisons: comparisons
      .sort(by((row) => row.instrument))
      .map(({ tradingMode: mode, exchange: venue, ...row }) => ({ ...row, mode, venue })),
    protections: (await db.select().from(s.protections))
      .sort(by((row) => row.stopId))
      .map(({ tradingMode: mode, exchange: venue, ...row }) => ({ ...row, mode, venue })),
    bills: (await db.select().from(s.bills))
      .sort(byBill)
      .map(({ tradingMode: mode, exchange: venue, ...row }) => ({ ...row, mode, venue })),
    equity: equity
      .sort(by((row) => row.at))
      .map(({ tradingMode: mode, exchange: venue, ...row }) => ({ ...row, mode, venue })),
  };
}

const byOrder = by<{ readonly orderId: string }>((row) => row.orderId);
const byFill = by<{ readonly instrument: string; readonly tradeId: string }>(
  (fill) => fill.instrument,
  (fill) => fill.tradeId,
);

const byBill = by<{ readonly billId: string }>((bill) => bill.billId.padStart(38, "0"));

/** Returns the same of books in memory. */
export const rowsIn = (books: Books): Rows => ({
  control: [...books.control.values()],
  orders: [...books.orders.values()].sort(by((order) => order.id)),
  events: [...books.events].sort(by(([id]) => id)).flatMap(([, chain]) => chain),
  fills: [...books.fills.values()].sort(byFill),
  positions: [...books.positions.values()]
    .sort(by((row) => row.id))
    .map((row) => ({ ...row, holdingTime: seconds(row.holdingTime) })),
  comparisons: [...books.comparisons.values()].sort(by((row) => row.instrument)),
  protections: [...books.protections.values()].sort(by((row) => row.stopId)),
  bills: [...books.bills.values()].sort(byBill),
  equity: [...books.equity.values()].sort(by((row) => row.at)),
});

/** Returns an interval, "90 seconds" or as PostgreSQL writes it ("00:01:30"), in seconds. */
function seconds(interval: string | null): string | null {
  if (interval === null) return null;
  const [hours, minutes, rest] = interval.split(":").map(Number);
  return String(minutes === undefined ? Number.parseFloat(interval) : (hours ?? 0) * 3600 + minutes * 60 + (rest ?? 0));
}
