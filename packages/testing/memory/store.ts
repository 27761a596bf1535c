import type { TradingMode } from "#trading/mode";
import { AT_VENUE, IN_FLIGHT } from "#trading/orders/order";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { LaneFacts } from "#trading/plans/lane";
import type { PlannedBias } from "#trading/plans/plan";
import { runBefore } from "#trading/positions/comparison";
import { FORCED_CAUSES } from "#trading/positions/fill";
import type { LaneQuery, TradingStore } from "#trading/store";
import { big, text } from "#units/decimal";
import { type Horizon, type Instant, instant, millis } from "#units/time";
import { accountFacts, byDecision, equityAt, ordersOf } from "./account-facts.ts";
import { accountOf, barsOf, book, foreignOf, held, openRows, recordEquity, toOpen } from "./booking.ts";
import { type Books, by, emptyBooks, isOf, type Surroundings, whole } from "./books.ts";
import { comparisonsOf, controlOf, liftControl, noteComparisons, tightenControl } from "./control.ts";
import { keepLedger } from "./ledger.ts";
import { claimOrder, insertOrder, moveOrder } from "./orders.ts";
import { noteProtections, protectionsOf } from "./protections.ts";

const HOUR_MS = 3_600_000;
const before = (at: Instant, ms: number): Instant => instant(millis(at) - ms);

function othersIn(books: Books, { mode, venue, instrument, at }: LaneQuery) {
  const account = { mode, venue };
  const mine = [...books.fills.values()].filter((fill) => isOf(account, fill) && fill.instrument === instrument);
  const before = foreignOf(mine).filter((fill) => fill.filledAt < at);
  const open = openRows(books, account).find((row) => row.instrument === instrument);
  const forced = before.filter(({ cause }) => FORCED_CAUSES.includes(cause)).map((fill) => fill.filledAt);
  const isShared = before.some(
    ({ cause, filledAt, side }) =>
      !FORCED_CAUSES.includes(cause) &&
      open !== undefined &&
      filledAt >= open.openedAt &&
      (side === "buy") === (open.side === "long"),
  );
  return { forcedAt: forced.sort().at(-1) ?? null, isShared };
}

function lastOrders(orders: readonly StoredOrder[], { venue, instrument, at }: LaneQuery) {
  const mine = orders
    .filter((order) => order.venue === venue && order.instrument === instrument && order.decidedAt < at)
    .toSorted(byDecision);
  const last = mine.at(-1);
  const standing =
    last?.status === "denied"
      ? { side: last.side, reduceOnly: last.reduceOnly, errorMessage: last.errorMessage }
      : null;
  return { lastOrderAt: mine.findLast((order) => order.status !== "denied")?.decidedAt ?? null, standing };
}

function laneFacts(books: Books, around: Surroundings, query: LaneQuery): LaneFacts {
  const { mode, at, asset, instrument } = query;
  const orders = ordersOf(books, mode);
  const inFlight = orders.filter((order) => IN_FLIGHT.includes(order.status));
  const open = openRows(books, query);
  const sizes = new Map(around.instruments.map(({ id, contractSize }) => [id, contractSize]));
  const gross = open
    .filter((row) => row.instrument !== instrument && sizes.has(row.instrument))
    .reduce((sum, row) => {
      const worth = big(row.contracts)
        .abs()
        .times(sizes.get(row.instrument) ?? 0);
      return sum.plus(worth.times(row.markPrice ?? row.entryPrice));
    }, big(0));
  const isDecided = (order: StoredOrder, ms: number) => order.decidedAt > before(at, ms) && order.decidedAt < at;
  const closes = [...books.positions.values()]
    .filter((row) => isOf(query, accountOf(row)) && row.asset === asset)
    .flatMap((row) => row.closedAt ?? []);
  const compared = comparisonsOf(books, query).find((row) => row.instrument === instrument);
  const stops = orders.filter((order) => order.type === "stop" && big(order.filledSize).gt(0));
  return {
    control: controlOf(books, mode),
    candles: barsOf(around, instrument, query.barSeconds, query.candlesFrom, at),
    inFlight: inFlight.filter((order) => order.instrument === instrument).length,
    analyses: around.analyses
      .filter(({ eventId }) => query.eventIds.includes(eventId))
      .toSorted(by(({ eventId }) => eventId)),
    positions: open.map(toOpen),
    reserved: inFlight
      .filter((order) => order.decidedAt < at)
      .sort(by((order) => order.id))
      .map(({ riskUsd, size, filledSize }) => ({ riskUsd, size, filledSize })),
    otherGrossUsd: text(gross),
    ordersLastMinute: orders.filter((order) => order.status !== "denied" && isDecided(order, 60_000)).length,
    stopsLastDay: stops.filter((order) => isDecided(order, 24 * HOUR_MS)).length,
    lastClosedAt: closes.sort().at(-1) ?? null,
    earlier: biasesOf(around, asset, query.timeframe)
      .filter((row) => row.at < query.biasAt)
      .slice(0, query.earlier),
    ...lastOrders(orders, query),
    ...othersIn(books, query),
    comparedAt: compared ? runBefore(compared, at) : null,
  };
}

function closersOf(
  books: Books,
  type: "stop" | "take_profit",
  mode: TradingMode,
  positions: readonly { readonly instrument: string; readonly openedAt: Instant }[],
): StoredOrder[] {
  const isOne = (order: StoredOrder) =>
    positions.some(
      ({ instrument, openedAt }) =>
        order.instrument === instrument && (IN_FLIGHT.includes(order.status) || order.biasAt === openedAt),
    );
  return ordersOf(books, mode)
    .filter((order) => order.type === type && isOne(order))
    .sort(byDecision);
}

/** The newest first. */
const biasesOf = ({ biases }: Surroundings, asset: string, timeframe: Horizon): PlannedBias[] =>
  biases
    .filter((row) => row.asset === asset && row.timeframe === timeframe)
    .toSorted(by((row) => row.at))
    .toReversed()
    .map(({ asset: _, timeframe: __, ...bias }) => bias);

/**
 * Returns the books of trading in memory, and the tables behind them: the twin of the store in SQL, which refuses what it
 * refuses and shares with it only the core's types and pure transitions. A method is done when it returns, so it is one
 * transaction by nature. Left out: the archive of positions.
 */
export function memoryStore(around: Surroundings): { readonly store: TradingStore; readonly books: Books } {
  const books = emptyBooks(around);
  const transaction = async <T>(work: () => T): Promise<T> => whole(books, work);
  const store: TradingStore = {
    control: async (mode) => controlOf(books, mode),
    arming: async (mode) => around.armings?.[mode] ?? null,
    tighten: (mode, change) => transaction(() => tightenControl(books, mode, change)),
    lift: (account, now, lift) => transaction(() => liftControl(books, account, now, lift)),
    comparisons: async (account) => comparisonsOf(books, account),
    noteComparisons: (account, list) => transaction(() => noteComparisons(books, account, list)),
    order: async (id) => books.orders.get(id) ?? null,
    ordersByClientId: async (ids) => {
      const found = [...books.orders.values()].filter((order) => ids.includes(order.clientOrderId));
      return new Map(found.map((order) => [order.clientOrderId, order]));
    },
    decidedMark: async (id) => books.marks.get(id) ?? null,
    unclaimed: async (mode) => ordersOf(books, mode, ["approved"]),
    ordersAtVenue: async (mode) => ordersOf(books, mode, AT_VENUE),
    stops: async (mode, instrument, openedAt) => closersOf(books, "stop", mode, [{ instrument, openedAt }]),
    takeProfits: async (mode, positions) => closersOf(books, "take_profit", mode, positions),
    insert: (fresh) => transaction(() => insertOrder(books, fresh)),
    claim: (id, claim) => transaction(() => claimOrder(books, id, claim)),
    move: (order, event, move) => transaction(() => moveOrder(books, order, event, move)),
    bias: async (asset, timeframe, at) => biasesOf(around, asset, timeframe).find((row) => row.at <= at) ?? null,
    held: async (account, instrument) => held(books, account, instrument),
    instruments: async (ids) => around.instruments.filter(({ id }) => ids.includes(id)).toSorted(by(({ id }) => id)),
    equity: async (account, at) => equityAt(books, account, at, false),
    laneFacts: async (query) => laneFacts(books, around, query),
    accountFacts: async (query) => accountFacts(books, around, query),
    openPositions: async (account) => openRows(books, account).map(toOpen),
    recordEquity: (run, balance) => transaction(() => recordEquity(books, run, balance)),
    book: (run, seen, settle) => transaction(() => book(books, around, run, seen, settle)),
    protections: async (account, since) => protectionsOf(books, account, since),
    noteProtections: (account, list) => transaction(() => noteProtections(books, account, list)),
    keepLedger: (run, balance, bills) => transaction(() => keepLedger(books, around, run, balance, bills)),
  };
  return { store, books };
}
