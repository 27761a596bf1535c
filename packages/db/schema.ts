/**
 * Every table and view of the migrations, as drizzle reads and writes them; `schema.test.ts` holds the two equal.
 * Times are `Instant`, numerics `Decimal`, int8 columns `number` (block numbers, sequence numbers), jsonb `unknown`.
 * Checks, indexes, foreign keys and partitions live in the migrations alone.
 * One file of more than 300 lines on purpose: it is one list, table after table.
 */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  char,
  date,
  doublePrecision,
  inet,
  integer,
  interval,
  pgMaterializedView,
  pgTable,
  pgView,
  primaryKey,
  smallint,
  text,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";
import { BILL_KINDS } from "#trading/ledger/bill";
import { CONTROL_STATES } from "#trading/plans/limits";
import { FILL_CAUSES } from "#trading/positions/fill";
import { PROTECTION_KINDS, PROTECTION_STATES } from "#trading/protection/protection";
import { decimalOf, ZERO } from "#units/decimal";
import type { EventId, OrderId, PositionId, WalletId } from "#units/ids";
import { decimal, embedding, instant, json, serial } from "./columns.ts";

const money = (name: string) => decimal(name, { precision: 24, scale: 8 });
const price = (name: string) => decimal(name, { precision: 38, scale: 18 });
const count = (name: string) => bigint(name, { mode: "number" });
const mode = () => varchar("trading_mode", { length: 20, enum: ["demo", "live"] }).notNull();
const chain = () => varchar("chain", { length: 20 }).notNull();
const asset = () => varchar("asset", { length: 64 }).notNull();
const instrument = () => varchar("instrument", { length: 64 }).notNull();
const timeframe = () => varchar("timeframe", { length: 10, enum: ["1h", "4h", "24h"] });

/** Which migration files ran, what they held, and the oldest release (by the number of its last file) that each lets run. */
export const schemaMigrations = pgTable("schema_migrations", {
  name: text("name").primaryKey(),
  sha256: char("sha256", { length: 64 }).notNull(),
  appliedAt: instant("applied_at").notNull().default(sql`now()`),
  compatibleFrom: integer("compatible_from"),
});

/** One row per time-series table: how wide its chunks are and how long they stay. */
export const timeSeriesPolicies = pgTable("time_series_policies", {
  tableName: text("table_name").primaryKey(),
  backend: text("backend", { enum: ["hypertable", "partition"] }).notNull(),
  chunkInterval: interval("chunk_interval").notNull(),
  keep: interval("keep").notNull(),
  premake: integer("premake").notNull().default(1),
});

export const users = pgTable("users", {
  id: uuid("id").primaryKey().default(sql`gen_random_uuid()`),
  email: varchar("email", { length: 255 }).notNull(),
  passwordHash: varchar("password_hash", { length: 255 }).notNull(),
  tradingMode: mode().default("demo"),
  createdAt: instant("created_at").notNull().default(sql`now()`),
  updatedAt: instant("updated_at").notNull().default(sql`now()`),
  lastLogin: instant("last_login"),
  isActive: boolean("is_active").notNull().default(true),
  twoFaEnabled: boolean("two_fa_enabled").notNull().default(false),
  twoFaSecret: text("two_fa_secret"),
});

export const chains = pgTable("chains", {
  chain: varchar("chain", { length: 20 }).primaryKey(),
  family: varchar("family", { length: 10 }).notNull(),
  confirmations: integer("confirmations").notNull().default(12),
});

export const tokens = pgTable("tokens", {
  id: uuid("id").primaryKey(),
  chain: chain(),
  address: varchar("address", { length: 128 }).notNull(),
  symbol: varchar("symbol", { length: 64 }).notNull(),
  asset: asset(),
  decimals: smallint("decimals").notNull(),
  isVerified: boolean("is_verified").notNull().default(false),
});

/** Who an address is, as far as somebody said so. An address may be of several kinds. */
export const labels = pgTable(
  "labels",
  {
    chain: chain(),
    address: varchar("address", { length: 128 }).notNull(),
    kind: varchar("kind", { length: 30 }).notNull(),
    name: varchar("name", { length: 100 }).notNull(),
    source: varchar("source", { length: 100 }).notNull(),
    labelledOn: date("labelled_on", { mode: "string" }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.chain, t.address, t.kind] })],
);

export const wallets = pgTable("wallets", {
  id: uuid("id").$type<WalletId>().primaryKey(),
  address: varchar("address", { length: 128 }).notNull(),
  label: varchar("label", { length: 100 }),
  chain: chain().default("ethereum"),
  firstSeenAt: instant("first_seen_at").notNull(),
  lastActivity: instant("last_activity"),
  isActive: boolean("is_active").notNull().default(true),
  watchedSince: instant("watched_since").notNull(),
  tags: text("tags").array().notNull().default([]),
  metadata: json("metadata").notNull().default({}),
});

export const blockCursors = pgTable(
  "block_cursors",
  {
    chain: chain(),
    stream: varchar("stream", { length: 50 }).notNull().default("main"),
    lastNumber: count("last_number").notNull(),
    lastHash: varchar("last_hash", { length: 128 }).notNull(),
    safeNumber: count("safe_number").notNull().default(0),
    finalizedNumber: count("finalized_number").notNull().default(0),
    leaseOwner: text("lease_owner"),
    leaseUntil: instant("lease_until"),
    fence: count("fence").notNull().default(0),
    updatedAt: instant("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.chain, t.stream] })],
);

export const sentBlocks = pgTable(
  "sent_blocks",
  {
    chain: chain(),
    number: count("number").notNull(),
    hash: varchar("hash", { length: 128 }).notNull(),
    anchor: boolean("anchor").notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.chain, t.number] })],
);

export const chainBlocks = pgTable(
  "chain_blocks",
  {
    chain: chain(),
    number: count("number").notNull(),
    hash: varchar("hash", { length: 128 }).notNull(),
    parentHash: varchar("parent_hash", { length: 128 }).notNull(),
    timestamp: instant("timestamp").notNull(),
    observedAt: instant("observed_at").notNull(),
    txCount: integer("tx_count").notNull(),
    logCount: integer("log_count").notNull(),
    transferCount: integer("transfer_count").notNull(),
  },
  (t) => [primaryKey({ columns: [t.chain, t.number] })],
);

/** The flat registry of events: natural key, target of foreign keys, and what outlives retention. */
export const eventRefs = pgTable("event_refs", {
  id: uuid("id").$type<EventId>().primaryKey(),
  timestamp: instant("timestamp").notNull(),
  walletId: uuid("wallet_id").$type<WalletId>().notNull(),
  chain: chain(),
  txHash: varchar("tx_hash", { length: 128 }).notNull(),
  logIndex: integer("log_index").notNull().default(-1),
  traceAddress: text("trace_address").notNull().default(""),
  blockNumber: count("block_number"),
  blockHash: varchar("block_hash", { length: 128 }),
  reorgedAt: instant("reorged_at"),
});

const scores = () => ({
  credibility1h: decimal("credibility_1h", { precision: 3, scale: 1 }),
  credibility4h: decimal("credibility_4h", { precision: 3, scale: 1 }),
  credibility24h: decimal("credibility_24h", { precision: 3, scale: 1 }),
  equityUsd: decimal("equity_usd", { precision: 20, scale: 2 }),
  tradingVolume24h: decimal("trading_volume_24h", { precision: 20, scale: 2 }),
  winRate: decimal("win_rate", { precision: 5, scale: 4 }),
  archetype: varchar("archetype", { length: 50 }),
  evidence: json("evidence"),
});

export const walletScores = pgTable(
  "wallet_scores",
  { walletId: uuid("wallet_id").$type<WalletId>().notNull(), timestamp: instant("timestamp").notNull(), ...scores() },
  (t) => [primaryKey({ columns: [t.walletId, t.timestamp] })],
);

export const walletLatestScores = pgTable("wallet_latest_scores", {
  walletId: uuid("wallet_id").$type<WalletId>().primaryKey(),
  timestamp: instant("timestamp").notNull(),
  ...scores(),
});

export const events = pgTable(
  "events",
  {
    id: uuid("id").$type<EventId>().notNull(),
    timestamp: instant("timestamp").notNull(),
    walletId: uuid("wallet_id").$type<WalletId>().notNull(),
    txHash: varchar("tx_hash", { length: 128 }).notNull(),
    eventType: varchar("event_type", { length: 50 }).notNull(),
    asset: varchar("asset", { length: 64 }),
    amount: decimal("amount"),
    notionalUsd: decimal("notional_usd", { precision: 24, scale: 2 }),
    sizeFraction: decimal("size_fraction", { precision: 18, scale: 6 }),
    venue: varchar("venue", { length: 50 }),
    gasPrice: decimal("gas_price", { precision: 38, scale: 9 }),
    isFirstSinceWatch: boolean("is_first_since_watch").notNull().default(false),
    rawData: json("raw_data"),
    processedAt: instant("processed_at").notNull().default(sql`now()`),
    chain: chain().default("ethereum"),
    logIndex: integer("log_index").notNull().default(-1),
    blockNumber: count("block_number"),
    blockHash: varchar("block_hash", { length: 128 }),
    tokenAddress: varchar("token_address", { length: 128 }),
    direction: smallint("direction").notNull().default(0),
    counterparty: varchar("counterparty", { length: 128 }),
    observedAt: instant("observed_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.id, t.timestamp] })],
);

export const bias = pgTable(
  "bias",
  {
    timestamp: instant("timestamp").notNull(),
    asset: asset(),
    timeframe: timeframe().notNull(),
    value: decimal("value", { precision: 7, scale: 6 }).notNull(),
    components: json("components"),
    confidence: decimal("confidence", { precision: 4, scale: 3 }),
  },
  (t) => [primaryKey({ columns: [t.asset, t.timeframe, t.timestamp] })],
);

/** Candles of one venue; `timestamp` is the bar's open. */
export const prices = pgTable(
  "prices",
  {
    instrument: instrument(),
    barSeconds: integer("bar_seconds").notNull(),
    timestamp: instant("timestamp").notNull(),
    open: price("open").notNull(),
    high: price("high").notNull(),
    low: price("low").notNull(),
    close: price("close").notNull(),
    volume: price("volume").notNull().default(ZERO),
    source: varchar("source", { length: 30 }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.instrument, t.barSeconds, t.timestamp] })],
);

export const instruments = pgTable("instruments", {
  id: varchar("id", { length: 64 }).primaryKey(),
  asset: asset(),
  contractSize: price("contract_size").notNull(),
  lotSize: price("lot_size").notNull(),
  minSize: price("min_size").notNull(),
  tickSize: price("tick_size").notNull(),
  maxLeverage: decimal("max_leverage", { precision: 6, scale: 2 }).notNull(),
  source: varchar("source", { length: 30 }).notNull(),
  updatedAt: instant("updated_at").notNull(),
});

/** One row per directional event and horizon, written once the horizon has passed. */
export const walletOutcomes = pgTable(
  "wallet_outcomes",
  {
    eventId: uuid("event_id").$type<EventId>().notNull(),
    horizon: varchar("horizon", { length: 10, enum: ["1h", "4h", "24h"] }).notNull(),
    walletId: uuid("wallet_id").$type<WalletId>().notNull(),
    asset: asset(),
    direction: smallint("direction").notNull(),
    enteredAt: instant("entered_at").notNull(),
    entryPrice: price("entry_price").notNull(),
    exitPrice: price("exit_price").notNull(),
    forwardReturn: doublePrecision("forward_return").notNull(),
    marketReturn: doublePrecision("market_return").notNull(),
    beta: doublePrecision("beta").notNull(),
    volatility: doublePrecision("volatility").notNull(),
    excess: doublePrecision("excess").notNull(),
    asOf: instant("as_of").notNull(),
  },
  (t) => [primaryKey({ columns: [t.eventId, t.horizon] })],
);

export const eventAnalysis = pgTable("event_analysis", {
  eventId: uuid("event_id").$type<EventId>().primaryKey(),
  llmClassification: varchar("llm_classification", { length: 100 }),
  llmConfidence: decimal("llm_confidence", { precision: 4, scale: 3 }),
  llmNarrative: text("llm_narrative"),
  patternMatched: varchar("pattern_matched", { length: 100 }),
  biasImpact: decimal("bias_impact", { precision: 4, scale: 3 }),
  proposedAction: json("proposed_action"),
  source: varchar("source", { length: 10, enum: ["rules", "model"] })
    .notNull()
    .default("rules"),
  direction: smallint("direction").notNull().default(0),
  confidence: decimal("confidence", { precision: 4, scale: 3 }).notNull(),
  features: json("features").notNull().default({}),
  analyzedAt: instant("analyzed_at").notNull(),
  createdAt: instant("created_at").notNull().default(sql`now()`),
  llmModel: varchar("llm_model", { length: 100 }),
  promptVersion: varchar("prompt_version", { length: 50 }),
  embedding: embedding("embedding"),
});

/** What an event adds to the bias of an asset at a timeframe; `w` and `d` are frozen at the event's time. */
export const biasContributions = pgTable(
  "bias_contributions",
  {
    eventId: uuid("event_id").$type<EventId>().notNull(),
    asset: asset(),
    timeframe: timeframe().notNull(),
    walletId: uuid("wallet_id").$type<WalletId>().notNull(),
    at: instant("at").notNull(),
    channel: varchar("channel", { length: 40 }).notNull(),
    d: doublePrecision("d").notNull(),
    w: doublePrecision("w").notNull(),
    factors: json("factors").notNull(),
  },
  (t) => [primaryKey({ columns: [t.eventId, t.asset, t.timeframe] })],
);

const positionColumns = () => ({
  id: uuid("id").$type<PositionId>().primaryKey(),
  openedAt: instant("opened_at").notNull(),
  closedAt: instant("closed_at"),
  tradingMode: mode(),
  asset: asset(),
  side: varchar("side", { length: 10, enum: ["long", "short"] }).notNull(),
  entryPrice: price("entry_price"),
  exitPrice: price("exit_price"),
  size: price("size"),
  leverage: decimal("leverage", { precision: 6, scale: 2 }).notNull().default(decimalOf("1")),
  unrealizedPnl: money("unrealized_pnl"),
  realizedPnl: money("realized_pnl"),
  feesPaid: money("fees_paid").notNull().default(ZERO),
  feesUnvalued: boolean("fees_unvalued").notNull().default(false),
  fundingPaid: money("funding_paid").notNull().default(ZERO),
  maxDrawdown: decimal("max_drawdown", { precision: 12, scale: 4 }),
  holdingTime: interval("holding_time"),
  riskConsumed: decimal("risk_consumed", { precision: 9, scale: 6 }),
  signalWalletId: uuid("signal_wallet_id").$type<WalletId>(),
  exchange: varchar("exchange", { length: 20 }).notNull().default("okx"),
  instrument: instrument(),
  contracts: price("contracts").notNull().default(ZERO),
  markPrice: price("mark_price"),
  stopPrice: price("stop_price"),
  updatedAt: instant("updated_at").notNull(),
});

export const positions = pgTable("positions", positionColumns());

export const positionsArchive = pgTable("positions_archive", positionColumns());

export const orders = pgTable("orders", {
  id: uuid("id").$type<OrderId>().primaryKey(),
  createdAt: instant("created_at").notNull().default(sql`now()`),
  tradingMode: mode(),
  exchange: varchar("exchange", { length: 20 }).notNull().default("okx"),
  clientOrderId: varchar("client_order_id", { length: 100 }).notNull(),
  exchangeOrderId: varchar("exchange_order_id", { length: 100 }),
  asset: asset(),
  side: varchar("side", { length: 10, enum: ["buy", "sell"] }).notNull(),
  orderType: varchar("order_type", {
    length: 20,
    enum: ["market", "limit", "post_only", "fok", "ioc", "stop", "take_profit"],
  }).notNull(),
  size: price("size").notNull(),
  price: price("price"),
  status: varchar("status", {
    length: 20,
    enum: [
      "proposed",
      "denied",
      "approved",
      "submitting",
      "open",
      "partially_filled",
      "filled",
      "canceled",
      "rejected",
      "expired",
      "unknown",
      "quarantined",
    ],
  })
    .notNull()
    .default("proposed"),
  filledSize: price("filled_size").notNull().default(ZERO),
  avgFillPrice: price("avg_fill_price"),
  fees: price("fees").notNull().default(ZERO),
  stopLoss: price("stop_loss"),
  takeProfit: price("take_profit").array(),
  signalEventId: uuid("signal_event_id").$type<EventId>(),
  policySnapshot: json("policy_snapshot"),
  errorMessage: text("error_message"),
  updatedAt: instant("updated_at").notNull(),
  requestedBy: uuid("requested_by"),
  instrument: instrument(),
  reduceOnly: boolean("reduce_only").notNull().default(false),
  timeframe: timeframe(),
  biasAt: instant("bias_at"),
  decidedAt: instant("decided_at").notNull(),
  epoch: count("epoch").notNull().default(0),
  expTime: instant("exp_time"),
  riskUsd: money("risk_usd").notNull().default(ZERO),
  positionId: uuid("position_id").$type<PositionId>(),
  signalSnapshot: json("signal_snapshot"),
  version: integer("version").notNull().default(0),
});

export const orderFills = pgTable(
  "order_fills",
  {
    tradingMode: mode(),
    exchange: varchar("exchange", { length: 20 }).notNull(),
    instrument: instrument(),
    exchangeTradeId: varchar("exchange_trade_id", { length: 100 }).notNull(),
    orderId: uuid("order_id").$type<OrderId>(),
    side: varchar("side", { length: 10, enum: ["buy", "sell"] }).notNull(),
    filledAt: instant("filled_at").notNull(),
    size: price("size").notNull(),
    price: price("price").notNull(),
    fee: price("fee").notNull().default(ZERO),
    feeAsset: varchar("fee_asset", { length: 64 }).notNull(),
    feePrice: price("fee_price"),
    liquidity: varchar("liquidity", { length: 10, enum: ["maker", "taker"] }).notNull(),
    cause: varchar("cause", { length: 20, enum: FILL_CAUSES }),
  },
  (t) => [primaryKey({ columns: [t.tradingMode, t.exchange, t.instrument, t.exchangeTradeId] })],
);

export const orderEvents = pgTable(
  "order_events",
  {
    orderId: uuid("order_id").$type<OrderId>().notNull(),
    seq: integer("seq").notNull(),
    at: instant("at").notNull(),
    fromStatus: varchar("from_status", { length: 20 }),
    toStatus: varchar("to_status", { length: 20 }).notNull(),
    detail: json("detail").notNull().default({}),
    prevHash: char("prev_hash", { length: 64 }).notNull(),
    hash: char("hash", { length: 64 }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.orderId, t.seq] })],
);

export const fundingPayments = pgTable(
  "funding_payments",
  {
    tradingMode: mode(),
    exchange: varchar("exchange", { length: 20 }).notNull(),
    billId: varchar("bill_id", { length: 100 }).notNull(),
    instrument: instrument(),
    at: instant("at").notNull(),
    amount: price("amount").notNull(),
  },
  (t) => [primaryKey({ columns: [t.tradingMode, t.exchange, t.billId] })],
);

/** Every change of the account's balance, as the venue wrote it. */
export const bills = pgTable(
  "bills",
  {
    tradingMode: mode(),
    exchange: varchar("exchange", { length: 20 }).notNull(),
    billId: serial("bill_id").notNull(),
    type: varchar("type", { length: 20 }).notNull(),
    subType: varchar("sub_type", { length: 20 }).notNull(),
    kind: varchar("kind", { length: 20, enum: BILL_KINDS }).notNull(),
    asset: asset(),
    instrument: varchar("instrument", { length: 64 }),
    at: instant("at").notNull(),
    change: price("change").notNull(),
    balance: price("balance").notNull(),
    pnl: price("pnl").notNull(),
    fee: price("fee").notNull(),
    venueOrderId: varchar("exchange_order_id", { length: 100 }),
    tradeId: varchar("exchange_trade_id", { length: 100 }),
  },
  (t) => [primaryKey({ columns: [t.tradingMode, t.exchange, t.billId] })],
);

export const equitySnapshots = pgTable(
  "equity_snapshots",
  {
    tradingMode: mode(),
    exchange: varchar("exchange", { length: 20 }).notNull(),
    at: instant("at").notNull(),
    equity: money("equity").notNull(),
    available: money("available").notNull(),
    units: price("units").notNull().default(decimalOf("1")),
    cash: price("cash"),
    unrealized: price("unrealized"),
    billId: serial("bill_id"),
    gap: price("gap"),
  },
  (t) => [primaryKey({ columns: [t.tradingMode, t.exchange, t.at] })],
);

/** The kill switch, one row per mode. A new epoch voids the orders approved under an older one. */
export const tradingControl = pgTable("trading_control", {
  tradingMode: varchar("trading_mode", { length: 20, enum: ["demo", "live"] }).primaryKey(),
  state: varchar("state", { length: 10, enum: CONTROL_STATES }).notNull(),
  epoch: count("epoch").notNull().default(1),
  reason: text("reason").notNull(),
  actor: varchar("actor", { length: 100 }).notNull(),
  changedAt: instant("changed_at").notNull(),
  lifts: text("lifts").array().notNull().default(sql`'{}'`),
});

/** How books and venue have stood to each other in each instrument, run after run. */
export const comparisons = pgTable(
  "comparisons",
  {
    tradingMode: mode(),
    exchange: varchar("exchange", { length: 20 }).notNull(),
    instrument: instrument(),
    since: instant("since"),
    comparedAt: instant("compared_at"),
    comparedBefore: instant("compared_before"),
    failedAt: instant("failed_at"),
    failures: integer("failures").notNull().default(0),
    ours: price("ours"),
    theirs: price("theirs"),
    positionAt: instant("position_at"),
    seen: integer("seen").notNull().default(0),
    seenAt: instant("seen_at"),
    agreed: integer("agreed").notNull().default(0),
    agreedSince: instant("agreed_since"),
    liftedAt: instant("lifted_at"),
    version: integer("version").notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.tradingMode, t.exchange, t.instrument] })],
);

/** The stops and take-profits that were asked of the venue, and what became of each. */
export const protections = pgTable("protections", {
  stopId: varchar("algo_cl_ord_id", { length: 32 }).primaryKey(),
  tradingMode: mode(),
  exchange: varchar("exchange", { length: 20 }).notNull(),
  instrument: instrument(),
  episode: uuid("episode").$type<PositionId>(),
  kind: varchar("kind", { length: 4, enum: PROTECTION_KINDS }).notNull(),
  side: varchar("side", { length: 4, enum: ["buy", "sell"] }).notNull(),
  trigger: price("trigger").notNull(),
  size: price("size"),
  status: varchar("status", { length: 10, enum: PROTECTION_STATES }).notNull(),
  algoId: varchar("algo_id", { length: 64 }),
  childOrderId: varchar("child_order_id", { length: 100 }),
  reason: text("reason"),
  exposedAt: instant("exposed_at").notNull(),
  wantedAt: instant("wanted_at").notNull(),
  liveAt: instant("live_at"),
  endedAt: instant("ended_at"),
  version: integer("version").notNull().default(0),
});

export const reports = pgTable("reports", {
  id: uuid("id").primaryKey(),
  periodStart: instant("period_start").notNull(),
  periodEnd: instant("period_end").notNull(),
  reportType: varchar("report_type", { length: 20 }).notNull().default("4h"),
  summaryMarkdown: text("summary_markdown"),
  metrics: json("metrics"),
  notableEvents: json("notable_events"),
  deliveredAt: instant("delivered_at"),
  pushSent: boolean("push_sent").notNull().default(false),
  createdAt: instant("created_at").notNull().default(sql`now()`),
});

/** Append-only and hash-chained in `seq` order. */
export const auditLogs = pgTable("audit_logs", {
  id: uuid("id").primaryKey(),
  seq: count("seq").notNull(),
  timestamp: instant("timestamp").notNull(),
  userId: uuid("user_id"),
  action: varchar("action", { length: 100 }).notNull(),
  entityType: varchar("entity_type", { length: 50 }),
  entityId: uuid("entity_id"),
  oldValue: json("old_value"),
  newValue: json("new_value"),
  ipAddress: inet("ip_address"),
  userAgent: text("user_agent"),
  traceId: varchar("trace_id", { length: 100 }),
  prevHash: char("prev_hash", { length: 64 }).notNull(),
  hash: char("hash", { length: 64 }).notNull(),
});

// The view has the columns of its day.
const { feesUnvalued: _, ...viewedColumns } = positionColumns();

/** Open positions with the watched wallet's latest 4 h credibility and the newest 4 h bias of the asset. */
export const activePositionsView = pgView("active_positions_view", {
  ...viewedColumns,
  signalWallet: varchar("signal_wallet", { length: 128 }),
  walletCredibility: decimal("wallet_credibility", { precision: 3, scale: 1 }),
  currentBias: decimal("current_bias", { precision: 7, scale: 6 }),
}).existing();

const dailyColumns = () => ({
  date: date("date"),
  tradingMode: varchar("trading_mode", { length: 20, enum: ["demo", "live"] }),
  totalTrades: count("total_trades"),
  winRate: decimal("win_rate"),
  totalPnl: decimal("total_pnl"),
  avgPnl: decimal("avg_pnl"),
  bestTrade: decimal("best_trade"),
  worstTrade: decimal("worst_trade"),
  avgHoldingTime: interval("avg_holding_time"),
});

/** Closed positions per UTC day and mode, archive included, as of the last refresh. */
export const dailyPerformance = pgMaterializedView("daily_performance", dailyColumns()).existing();

/** The same rows under the seed's other name. */
export const dailyPerformanceView = pgView("daily_performance_view", dailyColumns()).existing();
