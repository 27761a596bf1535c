import type { Drizzle } from "#db/drizzle";
import * as s from "#db/schema";
import { type Decimal, decimalOf } from "#units/decimal";
import { type EventId, idOf, type WalletId } from "#units/ids";
import { type Horizon, type Instant, instantOf } from "#units/time";
import { ETH_SWAP } from "./instruments.ts";

/** Generated rows of one small period, for tests of what reads them. Nothing here happened. */
export const START: Instant = instantOf("2022-06-21T00:00:00.000Z");
export const END: Instant = instantOf("2022-06-21T04:00:00.000Z");
/** A label as an attacker would write it. */
const HOSTILE = "evil | `x` <b>\u202e](http://e)";

const time = (minute: number): Instant => instantOf(new Date(Date.parse(START) + minute * 60_000).toISOString());
const address = (byte: string): string => `0x${byte.repeat(20)}`;
const hash = (byte: string): string => `0x${byte.repeat(32)}`;
const WHALE = idOf("wallet", "ethereum", address("aa"));
const NOISE = idOf("wallet", "ethereum", address("bb"));
const eventId = (name: string): EventId => idOf("event", name);

const WALLETS = [
  { id: WHALE, address: address("aa"), label: "whale-03" },
  { id: NOISE, address: address("bb"), label: HOSTILE },
];

const EVENTS = [
  { name: "before", minute: -10, wallet: WHALE, asset: "ETH", type: "swap", direction: 1, usd: "50000" },
  { name: "bought", minute: 30, wallet: WHALE, asset: "ETH", type: "swap", direction: 1, usd: "1200345.67" },
  { name: "unpriced", minute: 40, wallet: NOISE, asset: "FOO", type: "swap", direction: 1, usd: null },
  { name: "sold", minute: 41, wallet: NOISE, asset: "BTC", type: "swap", direction: -1, usd: "9000" },
  { name: "complex", minute: 50, wallet: NOISE, asset: "ETH", type: "complex", direction: 0, usd: "700" },
  { name: "after", minute: 240, wallet: WHALE, asset: "ETH", type: "swap", direction: 1, usd: "60000" },
] as const;

/** Writes the rows: two wallets, four blocks with a gap, six events (one before, one after), bias, scores, one order, one denial. */
export async function writeDeskRows(db: Drizzle): Promise<void> {
  await db.insert(s.wallets).values(WALLETS.map((wallet) => ({ ...wallet, firstSeenAt: START, watchedSince: START })));
  await writeChain(db);
  await writeIntelligence(db);
  await writeTrading(db);
}

async function writeChain(db: Drizzle): Promise<void> {
  await db.insert(s.chainBlocks).values(
    [10, 11, 13, 14].map((number) => ({
      chain: "ethereum",
      number,
      hash: hash(String(number)),
      parentHash: hash(String(number - 1)),
      timestamp: time(number),
      observedAt: instantOf(new Date(Date.parse(time(number)) + number * 200).toISOString()),
      txCount: 100,
      logCount: 300,
      transferCount: 120,
    })),
  );
  const refs = EVENTS.map((event, index) => ({
    id: eventId(event.name),
    timestamp: time(event.minute),
    walletId: event.wallet,
    chain: "ethereum",
    txHash: hash(`1${index}`),
    logIndex: index,
    blockNumber: index,
    blockHash: hash(`2${index}`),
  }));
  await db
    .insert(s.eventRefs)
    .values([
      ...refs,
      { ...refs[0]!, id: eventId("gone"), txHash: hash("77"), blockHash: hash("78"), reorgedAt: time(45) },
    ]);
  await db.insert(s.events).values(
    EVENTS.map((event, index) => ({
      ...refs[index]!,
      eventType: event.type,
      asset: event.asset,
      amount: decimalOf("12.5"),
      notionalUsd: event.usd === null ? null : decimalOf(event.usd),
      venue: "uniswap-v2",
      direction: event.direction,
      observedAt: time(event.minute),
    })),
  );
}

async function writeIntelligence(db: Drizzle): Promise<void> {
  await db.insert(s.eventAnalysis).values({
    eventId: eventId("bought"),
    patternMatched: "accumulation_streak",
    confidence: decimalOf("0.7"),
    analyzedAt: time(30),
    direction: 1,
  });
  const contribution = (name: string, asset: string, timeframe: Horizon, d: number, w: number) => ({
    eventId: eventId(name),
    asset,
    timeframe,
    walletId: WHALE,
    at: time(30),
    channel: "swap",
    d,
    w,
    factors: {},
  });
  await db
    .insert(s.biasContributions)
    .values([
      contribution("bought", "ETH", "4h", 1, 0.42),
      contribution("bought", "ETH", "1h", 1, 0.3),
      contribution("sold", "BTC", "4h", -1, 0.1),
    ]);
  const components = {
    n: 3,
    contributions: [
      { event_id: eventId("complex"), wallet_id: NOISE, contribution: -0.02, credibility: 5 },
      { event_id: eventId("bought"), wallet_id: WHALE, contribution: 0.33, credibility: 7.1 },
    ],
  };
  await db.insert(s.bias).values([
    {
      timestamp: time(-5),
      asset: "ETH",
      timeframe: "4h",
      value: decimalOf("0.1"),
      confidence: decimalOf("0.2"),
      components: { n: 0, contributions: [] },
    },
    {
      timestamp: time(239),
      asset: "ETH",
      timeframe: "4h",
      value: decimalOf("0.312"),
      confidence: decimalOf("0.62"),
      components,
    },
    {
      timestamp: time(239),
      asset: "BTC",
      timeframe: "4h",
      value: decimalOf("-0.05"),
      confidence: decimalOf("0.3"),
      components: { n: 0, contributions: [] },
    },
    {
      timestamp: time(240),
      asset: "ETH",
      timeframe: "4h",
      value: decimalOf("0.9"),
      confidence: decimalOf("0.9"),
      components: { n: 0, contributions: [] },
    },
  ]);
  const evidence = (edge: number) => ({
    "1h": { edge, effectiveBets: 3.5 },
    "4h": { edge, effectiveBets: 4 },
    "24h": { edge, effectiveBets: 0 },
  });
  const score = (walletId: WalletId, minute: number, h4: Decimal, edge: number) => ({
    walletId,
    timestamp: time(minute),
    credibility1h: decimalOf("5.2"),
    credibility4h: h4,
    credibility24h: decimalOf("5"),
    archetype: "accumulator",
    winRate: decimalOf("0.6"),
    evidence: evidence(edge),
  });
  await db
    .insert(s.walletScores)
    .values([
      score(WHALE, -60, decimalOf("5.5"), 0.2),
      score(WHALE, 60, decimalOf("6"), 0.5),
      score(WHALE, 120, decimalOf("7.1"), 0.7),
      score(NOISE, 60, decimalOf("4.1"), 0.05),
    ]);
  await db
    .insert(s.walletLatestScores)
    .values([score(WHALE, 120, decimalOf("7.1"), 0.7), score(NOISE, 60, decimalOf("4.1"), 0.05)]);
  await db.insert(s.walletOutcomes).values(
    [1.5, -0.5].map((excess, index) => ({
      eventId: eventId(index === 0 ? "bought" : "sold"),
      horizon: "1h" as const,
      walletId: WHALE,
      asset: "ETH",
      direction: 1,
      enteredAt: time(31),
      entryPrice: decimalOf("1100"),
      exitPrice: decimalOf("1110"),
      forwardReturn: 0.01,
      marketReturn: 0,
      beta: 1,
      volatility: 0.01,
      excess,
      asOf: time(100),
    })),
  );
}

async function writeTrading(db: Drizzle): Promise<void> {
  await db.insert(s.instruments).values({
    ...ETH_SWAP,
    source: "test",
    updatedAt: START,
  });
  const policySnapshot = {
    bias: { value: 0.31, confidence: 0.62, components: { big: "x" } },
    credibility: 7.1,
    sizing: { s: 0.28, bounds: { risk: "12", leverage: "90" } },
    codes: [],
  };
  const order = {
    tradingMode: "demo" as const,
    exchange: "paper",
    asset: "ETH",
    orderType: "ioc" as const,
    size: decimalOf("12"),
    price: decimalOf("1130"),
    instrument: "ETH-USDT-SWAP",
    timeframe: "4h" as const,
    policySnapshot,
    updatedAt: START,
  };
  await db.insert(s.orders).values([
    {
      ...order,
      id: idOf("order", "filled"),
      clientOrderId: "filled",
      side: "buy",
      status: "filled",
      filledSize: decimalOf("12"),
      avgFillPrice: decimalOf("1127.4"),
      fees: decimalOf("0.68"),
      decidedAt: time(35),
    },
    {
      ...order,
      id: idOf("order", "denied"),
      clientOrderId: "denied",
      side: "buy",
      status: "denied",
      decidedAt: time(36),
      policySnapshot: { ...policySnapshot, codes: ["cooldown"] },
    },
    { ...order, id: idOf("order", "later"), clientOrderId: "later", side: "sell", status: "approved", decidedAt: END },
    {
      ...order,
      id: idOf("order", "other"),
      clientOrderId: "other",
      side: "sell",
      status: "filled",
      decidedAt: time(37),
      exchange: "okx",
    },
  ]);
  await db.insert(s.orderFills).values({
    tradingMode: "demo",
    exchange: "paper",
    instrument: "ETH-USDT-SWAP",
    exchangeTradeId: "1",
    orderId: idOf("order", "filled"),
    side: "buy",
    filledAt: time(35),
    size: decimalOf("12"),
    price: decimalOf("1127.4"),
    fee: decimalOf("0.68"),
    feeAsset: "USDT",
    liquidity: "taker",
  });
  await db.insert(s.positions).values({
    id: idOf("position", "1"),
    openedAt: time(35),
    tradingMode: "demo",
    exchange: "paper",
    asset: "ETH",
    side: "long",
    entryPrice: decimalOf("1127.4"),
    size: decimalOf("1.2"),
    contracts: decimalOf("12"),
    markPrice: decimalOf("1130"),
    unrealizedPnl: decimalOf("3.12"),
    realizedPnl: decimalOf("0"),
    feesPaid: decimalOf("0.68"),
    instrument: "ETH-USDT-SWAP",
    updatedAt: time(239),
  });
  await db.insert(s.equitySnapshots).values(
    [-1, 60, 239, 240].map((minute, index) => ({
      tradingMode: "demo" as const,
      exchange: "paper",
      at: time(minute),
      equity: decimalOf(["10000", "9990", "10002.44", "1"][index]!),
      available: decimalOf("9000"),
      gap: index === 2 ? decimalOf("0") : null,
    })),
  );
}
