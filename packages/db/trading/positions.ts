import { and, asc, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import type { Fill } from "#trading/fill";
import type { Instrument } from "#trading/instrument";
import type { Policy } from "#trading/policy";
import { heldFor, maxDrawdownOf, type Position, positionsOf, riskUsdOf, unrealizedOf } from "#trading/position";
import { big, type Decimal, decimalOf, fixed, text, ZERO } from "#units/decimal";
import { idOf, type WalletId } from "#units/ids";
import { type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { iso, plain, rows } from "../rows.ts";
import { orders, positions } from "../schema.ts";
import { bars } from "../signals/prices.ts";
import { fillsOf } from "./order-fills.ts";

/** An open position as stored. */
export interface OpenPosition {
  readonly id: string;
  readonly instrument: string;
  readonly asset: string;
  readonly openedAt: Instant;
  /** Signed. */
  readonly contracts: Decimal;
  readonly stopPrice: Decimal | null;
  /** Loss at the stop over equity, at the last reconciliation. */
  readonly riskConsumed: Decimal;
}

/** Returns the open positions of an account, by instrument. */
export async function openPositions(db: Db, { mode, venue }: Account): Promise<OpenPosition[]> {
  const list = await db
    .select({
      id: positions.id,
      instrument: positions.instrument,
      asset: positions.asset,
      openedAt: positions.openedAt,
      contracts: positions.contracts,
      stopPrice: positions.stopPrice,
      riskConsumed: positions.riskConsumed,
    })
    .from(positions)
    .where(and(eq(positions.tradingMode, mode), eq(positions.exchange, venue), isNull(positions.closedAt)))
    .orderBy(asc(positions.instrument));
  return list.map((row) => ({ ...row, riskConsumed: row.riskConsumed ?? ZERO }));
}

export interface Marking {
  readonly at: Instant;
  /** Null = the venue shows no position: the last mark stays. */
  readonly mark: Decimal | null;
  readonly equity: Decimal;
  /** Width of the stored bars that the drawdown is measured along. */
  readonly barSeconds: number;
  /** False leaves the stored drawdown of an open position: measuring it reads every bar since the opening. */
  readonly measure: boolean;
}

interface OrderFacts {
  readonly stopLoss: Decimal | null;
  readonly walletId: WalletId | null;
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
  const [archive] = await rows<{ at: Instant | null }>(
    db,
    sql`SELECT ${iso(sql`max(closed_at)`)} AS at FROM positions_archive WHERE ${mine}`,
  );
  const fills = await fillsOf(db, account, instrument.id, archive?.at ?? null);
  const episodes = positionsOf(fills, instrument.contractSize);
  const facts = await orderFacts(db, fills);
  const stored = await db
    .select({
      id: positions.id,
      closedAt: positions.closedAt,
      realizedPnl: positions.realizedPnl,
      feesPaid: positions.feesPaid,
    })
    .from(positions)
    .where(mine);
  const known = new Map(stored.map((row) => [row.id, row]));
  for (const episode of episodes) {
    const row = await rowOf(db, { account, instrument, episode, facts, marking, policy });
    const before = known.get(row.id);
    known.delete(row.id);
    const settled =
      before?.closedAt === row.closedAt && before?.realizedPnl === row.realizedPnl && before?.feesPaid === row.feesPaid;
    if (row.closedAt !== null && settled) continue;
    const { id, ...rest } = row;
    const { maxDrawdown, markPrice, ...always } = rest;
    const update = {
      ...always,
      ...(maxDrawdown === null ? {} : { maxDrawdown }),
      ...(markPrice === null ? {} : { markPrice }),
    };
    await db.insert(positions).values(row).onConflictDoUpdate({ target: positions.id, set: update });
  }
  if (known.size > 0) await db.delete(positions).where(inArray(positions.id, [...known.keys()]));
  return episodes.at(-1)?.contracts ?? ZERO;
}

/** What the orders behind some fills said: their stop, and the wallet that signalled. */
async function orderFacts(db: Db, fills: readonly Fill[]): Promise<Map<string, OrderFacts>> {
  const ids = [...new Set(fills.flatMap((fill) => (fill.orderId === null ? [] : [fill.orderId])))];
  if (ids.length === 0) return new Map();
  const list = await db
    .select({
      id: orders.id,
      stopLoss: orders.stopLoss,
      walletId: sql<WalletId | null>`${orders.signalSnapshot} ->> 'wallet_id'`,
    })
    .from(orders)
    .where(inArray(orders.id, ids));
  return new Map(list.map(({ id, ...rest }) => [id, rest]));
}

interface RowInput {
  readonly account: Account;
  readonly instrument: Instrument;
  readonly episode: Position;
  readonly facts: ReadonlyMap<string, OrderFacts>;
  readonly marking: Marking;
  readonly policy: Policy;
}

const money = (value: Decimal): Decimal => text(fixed(value, 8));

type PositionRow = typeof positions.$inferInsert &
  Pick<typeof positions.$inferSelect, "closedAt" | "maxDrawdown" | "markPrice">;

async function rowOf(db: Db, input: RowInput): Promise<PositionRow> {
  const { account, instrument, episode, marking, policy } = input;
  const { contractSize } = instrument;
  const isOpen = episode.closedAt === null;
  const facts = episode.parts.flatMap((fill) => input.facts.get(fill.orderId ?? "") ?? []);
  // The newest order that set a stop rules the whole position.
  const stopPrice = facts.findLast((fact) => fact.stopLoss !== null)?.stopLoss ?? null;
  const costs = text(big(policy.takerFeeBps).plus(policy.exitSlippageBps));
  const risk = big(riskUsdOf(episode, stopPrice, contractSize, costs));
  const equity = big(marking.equity);
  const mark = marking.mark ?? episode.entryPrice;
  const notional = big(episode.contracts).abs().times(contractSize).times(mark);
  const leverage = equity.gt(0) && isOpen ? fixed(notional.div(equity), 2) : ZERO;
  return {
    id: idOf("position", account.mode, account.venue, instrument.id, episode.openedBy, episode.openedAt),
    openedAt: episode.openedAt,
    closedAt: episode.closedAt,
    tradingMode: account.mode,
    exchange: account.venue,
    asset: instrument.asset,
    instrument: instrument.id,
    side: episode.side,
    entryPrice: episode.entryPrice,
    exitPrice: episode.exitPrice,
    size: text(
      big(isOpen ? episode.contracts : episode.peakContracts)
        .abs()
        .times(contractSize),
    ),
    leverage: big(leverage).gt(0) ? leverage : decimalOf("1"),
    contracts: episode.contracts,
    unrealizedPnl: isOpen ? money(unrealizedOf(episode, mark, contractSize)) : ZERO,
    realizedPnl: money(episode.realized),
    feesPaid: money(episode.fees.USDT ?? ZERO),
    fundingPaid: await fundingPaid(db, account, instrument.id, episode),
    maxDrawdown: isOpen && !marking.measure ? null : await drawdown(db, input),
    holdingTime: `${heldFor(episode, marking.at) / 1000} seconds`,
    riskConsumed: equity.gt(0) ? atMost(decimalOf(risk.div(equity).toFixed(6)), decimalOf("999")) : ZERO,
    signalWalletId: facts[0]?.walletId ?? null,
    markPrice: isOpen ? marking.mark : null,
    stopPrice,
    updatedAt: marking.at,
  };
}

const atMost = (value: Decimal, most: Decimal): Decimal => (big(value).gt(most) ? most : text(value));

/** Returns the funding paid during an episode: positive = paid. */
async function fundingPaid(db: Db, { mode, venue }: Account, instrument: string, episode: Position): Promise<Decimal> {
  const until = episode.closedAt === null ? sql`` : sql`AND at <= ${episode.closedAt}`;
  const [row] = await rows<{ paid: Decimal }>(
    db,
    sql`SELECT ${plain(sql`coalesce(-sum(amount), 0)`)} AS paid FROM funding_payments
        WHERE trading_mode = ${mode} AND exchange = ${venue} AND instrument = ${instrument} AND at > ${episode.openedAt} ${until}`,
  );
  return money(row?.paid ?? ZERO);
}

/** Returns the maximal drawdown of an episode along the closes of the bars that it lived through. */
async function drawdown(db: Db, { instrument, episode, marking }: RowInput): Promise<Decimal> {
  const until = episode.closedAt ?? marking.at;
  const candles = await bars(db, instrument.id, marking.barSeconds, episode.openedAt, until);
  const marks = candles.map(({ openedAt, close }) => ({
    at: instant(millis(openedAt) + marking.barSeconds * 1000),
    mark: close,
  }));
  const deepest = maxDrawdownOf(episode, marks, instrument.contractSize);
  return atMost(fixed(deepest, 4), decimalOf("99999999"));
}
