import { and, asc, eq, gt, inArray, or, type SQL, sql } from "drizzle-orm";
import * as z from "zod";
import type { Account } from "#trading/account";
import type { OrderFacts } from "#trading/positions/position-row";
import { measuresDrawdown } from "#trading/positions/reconcile";
import type { Run, Seen } from "#trading/store";
import { type OrderId, WalletId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { fundingPayments, orderEvents, orderFills, orders, positions, positionsArchive } from "../schema.ts";
import { barsFrom } from "../signals/prices.ts";
import { together } from "../together.ts";
import { CONTRACTS, COUNTS, FILL } from "./order-fills.ts";
import { looksQuery, STORED } from "./orders.ts";
import { OPEN } from "./positions.ts";

/** What a booking goes by, all of one moment. */
export type BookFacts = Awaited<ReturnType<typeof bookFacts>>;

/** The part of the signal stored with an order that its position keeps. */
const Signal = z.object({ wallet_id: WalletId.nullish() }).nullable();

/** Returns what the booking of an instrument goes by, in one statement. */
export async function bookFacts(
  db: Db,
  { account: { mode, venue }, at, barSeconds }: Run,
  { instrument, fills, feePrices, orderIds }: Seen,
) {
  const tradeIds = [...new Set([...fills, ...feePrices].map(({ tradeId }) => tradeId))];
  const clientIds = [...new Set(fills.flatMap(({ clientOrderId }) => clientOrderId ?? []))];
  const isNamed = or(inArray(orders.id, [...orderIds]), inArray(orders.clientOrderId, clientIds));
  const named = drizzleOf(db).select({ id: orders.id }).from(orders).where(isNamed);
  const of = { mode, venue, instrument };
  // The venue's clock may be ahead: a position can be closed after `at`.
  const barsUntil = [...timesOf(fills), at].sort().at(-1) ?? at;
  const ended = sql`coalesce((SELECT max(a.closed_at) FROM positions_archive a WHERE a.trading_mode = ${mode}
    AND a.exchange = ${venue} AND a.instrument = ${instrument}), '-infinity'::timestamptz)`;
  const found = await together(db, {
    ...{ known: fillsWhere(db, of, inArray(orderFills.exchangeTradeId, tradeIds)), held: held(db, of) },
    orders: drizzleOf(db).select(STORED).from(orders).where(isNamed).orderBy(asc(orders.id)),
    filled: drizzleOf(db).select(FILL).from(orderFills).where(inArray(orderFills.orderId, named)),
    looks: looksQuery(db, inArray(orderEvents.orderId, named)),
    hashes: drizzleOf(db)
      .select({ orderId: orderEvents.orderId, hash: orderEvents.hash })
      .from(orderEvents)
      .innerJoin(orders, and(eq(orders.id, orderEvents.orderId), eq(orders.version, orderEvents.seq)))
      .where(isNamed),
    // Of the positions that are not archived.
    ...{ archive: archive(db, of), fills: fillsWhere(db, of, and(COUNTS, gt(orderFills.filledAt, ended))) },
    // Those that a drawdown is measured along, unless a fill is so late that an earlier position goes on.
    bars: barsFrom(db, instrument, barSeconds, measuredFrom(of, at, fills), barsUntil),
    ...{ positions: rowsOf(db, of), funding: funding(db, of, ended), signals: signals(db, of, ended, isNamed) },
  });
  const opened = found.positions.flatMap(({ closedAt, openedAt }) => (closedAt === null ? openedAt : []));
  const barsSince = isMeasured(at, fills) ? ([...opened, ...timesOf(fills)].sort()[0] ?? null) : null;
  return {
    ...found,
    barsSince,
    barsUntil,
    facts: new Map(found.signals.map(factsOf)),
    held: found.held[0]?.contracts ?? null,
  };
}

const isMeasured = (at: Instant, fills: Seen["fills"]): boolean => fills.length > 0 || measuresDrawdown(at);
const timesOf = (fills: Seen["fills"]): Instant[] => fills.map(({ filledAt }) => filledAt);

/** Returns from when bars are read; null where no drawdown is measured. */
function measuredFrom({ mode, venue, instrument }: Of, at: Instant, fills: Seen["fills"]): SQL {
  if (!isMeasured(at, fills)) return sql`NULL::timestamptz`;
  const first = timesOf(fills).sort()[0] ?? null;
  return sql`least(${first}::timestamptz, (SELECT min(p.opened_at) FROM positions p WHERE p.trading_mode = ${mode}
    AND p.exchange = ${venue} AND p.instrument = ${instrument} AND p.closed_at IS NULL))`;
}

interface Of extends Account {
  readonly instrument: string;
}

const isOf = ({ mode, venue, instrument }: Of): SQL | undefined =>
  and(eq(orderFills.tradingMode, mode), eq(orderFills.exchange, venue), eq(orderFills.instrument, instrument));

const fillsWhere = (db: Db, of: Of, where: SQL | undefined) =>
  drizzleOf(db)
    .select(FILL)
    .from(orderFills)
    .where(and(isOf(of), where));

const held = (db: Db, of: Of) =>
  drizzleOf(db)
    .select({ contracts: CONTRACTS })
    .from(orderFills)
    .where(and(isOf(of), COUNTS));

const archive = (db: Db, { mode, venue, instrument }: Of) => {
  const { tradingMode, exchange, instrument: id, closedAt } = positionsArchive;
  return drizzleOf(db)
    .select({ episodes: sql`count(*)`.mapWith(orderEvents.seq), until: sql`max(${closedAt})`.mapWith(closedAt) })
    .from(positionsArchive)
    .where(and(eq(tradingMode, mode), eq(exchange, venue), eq(id, instrument)));
};

const rowsOf = (db: Db, { mode, venue, instrument }: Of) => {
  const { tradingMode, exchange, instrument: id, closedAt, realizedPnl, feesPaid, feesUnvalued } = positions;
  return drizzleOf(db)
    .select({ ...OPEN, closedAt, realizedPnl, feesPaid, feesUnvalued })
    .from(positions)
    .where(and(eq(tradingMode, mode), eq(exchange, venue), eq(id, instrument)));
};

const funding = (db: Db, { mode, venue, instrument }: Of, since: SQL) => {
  const { tradingMode, exchange, instrument: id, at, amount } = fundingPayments;
  return drizzleOf(db)
    .select({ at, amount })
    .from(fundingPayments)
    .where(and(eq(tradingMode, mode), eq(exchange, venue), eq(id, instrument), gt(at, since)));
};

/** What the orders behind the fills said, those of new fills too. */
const signals = (db: Db, of: Of, since: SQL, isNamed: SQL | undefined) => {
  const behind = drizzleOf(db)
    .select({ orderId: orderFills.orderId })
    .from(orderFills)
    .where(and(isOf(of), gt(orderFills.filledAt, since)));
  return drizzleOf(db)
    .select({ id: orders.id, stopLoss: orders.stopLoss, signal: orders.signalSnapshot })
    .from(orders)
    .where(or(isNamed, inArray(orders.id, behind)));
};

const factsOf = (row: Awaited<ReturnType<typeof signals>>[number]): [OrderId, OrderFacts] => [
  row.id,
  { stopLoss: row.stopLoss, walletId: Signal.parse(row.signal)?.wallet_id ?? null },
];
