import { and, asc, eq, gt, inArray, isNull, sql } from "drizzle-orm";
import * as z from "zod";
import type { Account } from "#trading/account";
import type { Instrument } from "#trading/instrument";
import type { Policy } from "#trading/plans/policy";
import { type Position, positionsOf } from "#trading/positions/position";
import {
  type FundingPayment,
  isSettled,
  type Marking,
  type OpenPosition,
  type OrderFacts,
  type PositionRow,
  positionId,
  positionRow,
} from "#trading/positions/position-row";
import type { Candle } from "#units/candle";
import { type Decimal, ZERO } from "#units/decimal";
import { type OrderId, WalletId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, rows } from "../rows.ts";
import { fundingPayments, orders, positions } from "../schema.ts";
import * as kind from "../shape.ts";
import { bars } from "../signals/prices.ts";
import { fillsOf } from "./order-fills.ts";

/** The part of the signal stored with an order that its position keeps. */
const Signal = z.object({ wallet_id: WalletId.nullish() }).nullable();

const Archive = kind.shape("archived episodes", { episodes: kind.int, until: kind.orNull(kind.instant) });

/** The columns of an open position. */
const OPEN = {
  ...{ id: positions.id, instrument: positions.instrument, asset: positions.asset, openedAt: positions.openedAt },
  ...{ contracts: positions.contracts, stopPrice: positions.stopPrice, riskConsumed: positions.riskConsumed },
} as const;

/** Selects the open positions of an account, by instrument. */
export const openQuery = (db: Db, { mode, venue }: Account) =>
  drizzleOf(db)
    .select(OPEN)
    .from(positions)
    .where(and(eq(positions.tradingMode, mode), eq(positions.exchange, venue), isNull(positions.closedAt)))
    .orderBy(asc(positions.instrument));

/** Returns an open position as selected. */
export const toOpen = (row: Omit<OpenPosition, "riskConsumed"> & { riskConsumed: Decimal | null }): OpenPosition => ({
  ...row,
  riskConsumed: row.riskConsumed ?? ZERO,
});

/** Returns the open positions of an account, by instrument. */
export const openPositions = async (db: Db, account: Account): Promise<OpenPosition[]> =>
  (await openQuery(db, account)).map(toOpen);

/**
 * Returns how many positions of an instrument are archived, and when the newest of them was closed: the fills up to then
 * are theirs.
 */
export async function archiveOf(
  db: Db,
  { mode, venue }: Account,
  instrument: string,
): Promise<kind.RowOf<typeof Archive>> {
  const [archive] = await rows(
    db,
    Archive,
    sql`SELECT count(*)::int AS episodes, ${iso(sql`max(closed_at)`)} AS until FROM positions_archive
        WHERE trading_mode = ${mode} AND exchange = ${venue} AND instrument = ${instrument}`,
  );
  return archive ?? { episodes: 0, until: null };
}

/**
 * Writes the position rows of one instrument from its fills alone: the same fills give the same rows, whatever they were
 * before. Archived episodes are over: only fills after the last of them count. Rows that no episode accounts for are
 * removed. Mark, unrealized result, risk and drawdown are those of `marking`. Returns the signed contracts held.
 */
export async function rebuildPositions(
  db: Db,
  account: Account,
  instrument: Instrument,
  marking: Marking,
  policy: Policy,
): Promise<Decimal> {
  const { mode, venue } = account;
  const mine = sql`trading_mode = ${mode} AND exchange = ${venue} AND instrument = ${instrument.id}`;
  const archive = await archiveOf(db, account, instrument.id);
  const fills = await fillsOf(db, account, instrument.id, archive.until);
  const all = positionsOf(fills, instrument.contractSize);
  const { openedAt, closedAt, realizedPnl, feesPaid, feesUnvalued } = positions;
  const stored = await drizzleOf(db)
    .select({ id: positions.id, openedAt, closedAt, realizedPnl, feesPaid, feesUnvalued })
    .from(positions)
    .where(mine);
  const unaccounted = new Map(stored.map((row) => [row.id, row]));
  const moving = all
    .map((episode, index) => ({ episode, ordinal: archive.episodes + index }))
    .filter(({ episode, ordinal }) => {
      const id = positionId(account, instrument.id, ordinal);
      const before = unaccounted.get(id);
      unaccounted.delete(id);
      return before === undefined || !isSettled(before, episode);
    });
  // First what is gone: a fill that is seen late may join two episodes, and the open one takes the earlier one's row.
  if (unaccounted.size > 0)
    await drizzleOf(db)
      .delete(positions)
      .where(inArray(positions.id, [...unaccounted.keys()]));
  const [first] = moving;
  const episodes = moving.map(({ episode }) => episode);
  const facts = first ? await orderFacts(db, episodes) : new Map<OrderId, OrderFacts>();
  const funding = first ? await fundingSince(db, account, instrument.id, first.episode.openedAt) : [];
  for (const { episode, ordinal } of moving) {
    const candles = await candlesOf(db, instrument, episode, marking);
    const given = { account, instrument, episode, ordinal, facts, funding, candles, marking, policy };
    await writeRow(db, positionRow(given));
  }
  return all.at(-1)?.contracts ?? ZERO;
}

async function writeRow(db: Db, row: PositionRow): Promise<void> {
  const { id: _, maxDrawdown, markPrice, ...always } = row;
  const set = {
    ...always,
    ...(maxDrawdown === null ? {} : { maxDrawdown }),
    ...(markPrice === null ? {} : { markPrice }),
  };
  await drizzleOf(db).insert(positions).values(row).onConflictDoUpdate({ target: positions.id, set });
}

/** What the orders behind some episodes said, by order id. */
async function orderFacts(db: Db, episodes: readonly Position[]): Promise<Map<OrderId, OrderFacts>> {
  const ids = [...new Set(episodes.flatMap(({ parts }) => parts.flatMap((fill) => fill.orderId ?? [])))];
  if (ids.length === 0) return new Map();
  const list = await drizzleOf(db)
    .select({
      id: orders.id,
      stopLoss: orders.stopLoss,
      signal: orders.signalSnapshot,
    })
    .from(orders)
    .where(inArray(orders.id, ids));
  return new Map(
    list.map(({ id, stopLoss, signal }) => [id, { stopLoss, walletId: Signal.parse(signal)?.wallet_id ?? null }]),
  );
}

/** Returns the funding payments of an instrument after `since`. */
export const fundingSince = (
  db: Db,
  { mode, venue }: Account,
  instrument: string,
  since: Instant,
): Promise<FundingPayment[]> =>
  drizzleOf(db)
    .select({ at: fundingPayments.at, amount: fundingPayments.amount })
    .from(fundingPayments)
    .where(
      and(
        eq(fundingPayments.tradingMode, mode),
        eq(fundingPayments.exchange, venue),
        eq(fundingPayments.instrument, instrument),
        gt(fundingPayments.at, since),
      ),
    );

/** Returns the bars that an episode lived through; null where its drawdown is not measured now. */
async function candlesOf(
  db: Db,
  instrument: Instrument,
  { openedAt, closedAt }: Position,
  { at, barSeconds, measure }: Marking,
): Promise<Candle[] | null> {
  if (closedAt === null && !measure) return null;
  return bars(db, instrument.id, barSeconds, openedAt, closedAt ?? at);
}
