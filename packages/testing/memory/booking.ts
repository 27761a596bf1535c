import type { Account } from "#trading/account";
import type { Instrument } from "#trading/instrument";
import { FIRST_UNITS } from "#trading/ledger/ledger";
import type { TradingMode } from "#trading/mode";
import type { Look } from "#trading/orders/resolve";
import { LOOKED_FOR, lookOf, type OrderBooks, type Settlement } from "#trading/orders/settle";
import type { StoredOrder } from "#trading/orders/stored-order";
import { priceOf, type UnvaluedFee } from "#trading/positions/fee";
import { byTime, causeOf, type Fill, type ForeignFill, signed, totalOf } from "#trading/positions/fill";
import { positionsOf } from "#trading/positions/position";
import {
  isSettled,
  type Marking,
  type OpenPosition,
  type OrderFacts,
  type PositionRow,
  positionId,
  positionRow,
} from "#trading/positions/position-row";
import { measuresDrawdown } from "#trading/positions/reconcile";
import type { Booked, Run, Seen } from "#trading/store";
import type { VenueBalance } from "#trading/venue";
import type { Candle } from "#units/candle";
import { big, type Decimal, fixed, text, ZERO } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { type Instant, instant, millis } from "#units/time";
import { type BookedFill, type Books, by, isOf, RefusedRow, type Surroundings } from "./books.ts";
import { fundingOf, newestEquity } from "./ledger.ts";
import { moveOrder } from "./orders.ts";

/** What a run books, in memory: the twin of db/trading/book, db/trading/order-fills and db/trading/positions. */

type Settle = (books: OrderBooks) => Settlement;

const keyOf = (...parts: readonly string[]): string => parts.join("\t");

/** Returns the account of a position row. */
export const accountOf = (row: { readonly tradingMode: TradingMode; readonly exchange: string }): Account => ({
  mode: row.tradingMode,
  venue: row.exchange,
});

export function book(books: Books, around: Surroundings, run: Run, seen: Seen, settle: Settle): Booked {
  const fresh = insertFills(books, run.account, seen);
  const isPriced = priceFees(books, run.account, seen);
  const impossibleFills = settleAll(books, run, seen.orderIds, fresh, settle);
  const held = rebuildIfHeld(books, around, run, seen, fresh.length > 0 || isPriced);
  const open = openRows(books, run.account).find((row) => row.instrument === seen.instrument);
  return { held, open: open === undefined ? null : toOpen(open), foreign: foreignOf(fresh), impossibleFills };
}

/** Stores the balance of a run, once. */
export function recordEquity(books: Books, { account, at }: Run, balance: VenueBalance): void {
  const [equity, available] = [text(fixed(balance.equity, 8)), text(fixed(balance.available, 8))];
  const key = keyOf(account.mode, account.venue, at);
  const { units } = newestEquity(books, account, at) ?? { units: FIRST_UNITS };
  const unexplained = { cash: null, unrealized: null, billId: null, gap: null };
  if (!books.equity.has(key)) books.equity.set(key, { ...pick(account), at, equity, available, units, ...unexplained });
}

export const countsOf = ({ orderId, cause }: BookedFill): boolean => orderId !== null || cause !== null;

/** Returns the fills among some that count and are of no order of ours, in their order. */
export const foreignOf = (fills: readonly BookedFill[]): ForeignFill[] =>
  fills.flatMap(({ mode: _, venue: __, cause, ...fill }) => (cause === null ? [] : [{ ...fill, cause }])).sort(byTime);

/** Returns the signed contracts of an instrument by the fills that count. */
export function held({ fills }: Books, account: Account, instrument: string): Decimal {
  const ours = [...fills.values()].filter(
    (fill) => isOf(account, fill) && fill.instrument === instrument && countsOf(fill),
  );
  return text(ours.reduce((sum, fill) => sum.plus(signed(fill)), big(0)));
}

const pick = ({ mode, venue }: Account): Account => ({ mode, venue });

const isUnvalued = ({ fee, feeAsset, feePrice }: BookedFill): boolean =>
  feePrice === null && feeAsset !== "USDT" && !big(fee).eq(0);

/** Returns the fees of fills that count, were made after `since` and have no value in USDT. */
export const unvaluedFees = ({ fills }: Books, account: Account, since: Instant): UnvaluedFee[] =>
  [...fills.values()]
    .filter((fill) => isOf(account, fill) && countsOf(fill) && fill.filledAt > since && isUnvalued(fill))
    .map(({ instrument, tradeId, fee, feeAsset, filledAt }) => ({ instrument, tradeId, fee, feeAsset, filledAt }))
    .sort(
      by(
        (row) => row.instrument,
        (row) => row.tradeId,
      ),
    );

function priceFees({ fills }: Books, { mode, venue }: Account, { instrument, feePrices }: Seen): boolean {
  let priced = false;
  for (const { tradeId, price } of feePrices) {
    const key = keyOf(mode, venue, instrument, tradeId);
    const fill = fills.get(key);
    if (fill === undefined || !isUnvalued(fill)) continue;
    fills.set(key, { ...fill, feePrice: text(price) });
    priced = true;
  }
  return priced;
}

function insertFills(books: Books, account: Account, { fills, listed, since, feePrices }: Seen): BookedFill[] {
  const prices = new Map(feePrices.map(({ tradeId, price }) => [tradeId, text(price)]));
  const ours = new Map([...books.orders.values()].map((order) => [order.clientOrderId, order.id]));
  return fills.flatMap(({ clientOrderId, venueOrderId: _, cause: told, ...fill }) => {
    const key = keyOf(account.mode, account.venue, fill.instrument, fill.tradeId);
    if (books.fills.has(key)) return [];
    const orderId = (clientOrderId === null ? null : ours.get(clientOrderId)) ?? null;
    const reach = { mode: account.mode, isListed: listed !== null, since };
    const cause = orderId === null ? causeOf({ ...fill, clientOrderId, ...(told && { cause: told }) }, reach) : null;
    const [size, price, fee] = [text(fill.size), text(fill.price), text(fill.fee)];
    const feePrice = priceOf(fill, prices);
    const booked: BookedFill = { ...pick(account), ...fill, orderId, size, price, fee, feePrice, cause };
    books.fills.set(key, booked);
    return [booked];
  });
}

function settleAll(
  books: Books,
  { at, by: who }: Run,
  orderIds: readonly OrderId[],
  fresh: readonly Fill[],
  settle: Settle,
): number {
  const filledNow = new Set(fresh.flatMap((fill) => fill.orderId ?? []));
  const fills = Map.groupBy(books.fills.values(), (fill) => fill.orderId);
  let impossible = 0;
  const asked = [...new Set([...orderIds, ...filledNow])].sort().flatMap((id) => books.orders.get(id) ?? []);
  for (const order of asked) {
    const { id } = order;
    const mine = fills.get(id);
    const filled = mine ? totalOf(mine) : null;
    const looks = LOOKED_FOR.includes(order.status) ? looksOf(books, id) : [];
    const settlement = settle({ order, filled, isFresh: filledNow.has(id), looks });
    if (settlement.impossible) impossible += 1;
    let current: StoredOrder | null = order;
    for (const { event, ...rest } of settlement.steps) {
      if (current !== null) current = moveOrder(books, current, event, { at, by: who, ...rest });
    }
  }
  return impossible;
}

const looksOf = ({ events }: Books, id: OrderId): Look[] =>
  (events.get(id) ?? []).filter(({ detail }) => detail.event === "looked_up").map(({ detail }) => lookOf(detail));

function rebuildIfHeld(
  books: Books,
  around: Surroundings,
  run: Run,
  { instrument, listed, mark, equity }: Seen,
  isFresh: boolean,
): Decimal {
  const { account, at, barSeconds } = run;
  const open = openRows(books, account).some((row) => row.instrument === instrument);
  if (listed === null || !(open || isFresh)) return held(books, account, instrument);
  return rebuild(books, around, run, listed, {
    at,
    mark,
    equity,
    barSeconds,
    measure: isFresh || measuresDrawdown(at),
  });
}

/** Writes the position rows of one instrument from its fills alone. Nothing is archived in these books. */
function rebuild(
  books: Books,
  around: Surroundings,
  { account, policy }: Run,
  instrument: Instrument,
  marking: Marking,
): Decimal {
  const isMine = (row: Account & { readonly instrument: string }) =>
    isOf(account, row) && row.instrument === instrument.id;
  const fills = [...books.fills.values()].filter((fill) => isMine(fill) && countsOf(fill));
  const episodes = positionsOf(fills, instrument.contractSize);
  const stored = [...books.positions.values()].filter((row) =>
    isMine({ ...accountOf(row), instrument: row.instrument }),
  );
  const unaccounted = new Map(stored.map((row) => [row.id, row]));
  const moving = [...episodes.entries()].filter(([ordinal, episode]) => {
    const id = positionId(account, instrument.id, ordinal);
    const before = unaccounted.get(id);
    unaccounted.delete(id);
    return before === undefined || !isSettled(before, episode);
  });
  for (const id of unaccounted.keys()) books.positions.delete(id);
  const facts = new Map<OrderId, OrderFacts>(
    [...books.orders.values()].map(({ id, stopLoss }) => [id, { stopLoss, walletId: books.wallets.get(id) ?? null }]),
  );
  const funding = fundingOf(books, around, account, instrument.id);
  for (const [ordinal, episode] of moving) {
    const { openedAt, closedAt } = episode;
    const measured = closedAt !== null || marking.measure;
    const candles = measured
      ? barsOf(around, instrument.id, marking.barSeconds, openedAt, closedAt ?? marking.at)
      : null;
    put(books, positionRow({ account, instrument, episode, ordinal, facts, funding, candles, marking, policy }));
  }
  return episodes.at(-1)?.contracts ?? ZERO;
}

/** Returns the bars that opened at or after `from` and were closed at or before `to`. */
export const barsOf = (
  { candles }: Surroundings,
  instrument: string,
  barSeconds: number,
  from: Instant,
  to: Instant,
): Candle[] =>
  (candles.get(instrument) ?? []).filter(
    ({ openedAt }) => openedAt >= from && openedAt <= instant(millis(to) - barSeconds * 1000),
  );

function put({ positions }: Books, row: PositionRow): void {
  const before = positions.get(row.id);
  const [drawdown, mark] = [row.maxDrawdown ?? before?.maxDrawdown ?? null, row.markPrice ?? before?.markPrice ?? null];
  const trimmed = { maxDrawdown: drawdown && text(drawdown), markPrice: mark && text(mark) };
  const decimals = {
    ...{ entryPrice: text(row.entryPrice), exitPrice: row.exitPrice && text(row.exitPrice) },
    ...{ leverage: text(row.leverage), riskConsumed: text(row.riskConsumed), contracts: text(row.contracts) },
  };
  const isRival = (other: PositionRow) =>
    other.id !== row.id && other.instrument === row.instrument && isOf(accountOf(row), accountOf(other));
  if (row.closedAt === null && [...positions.values()].some((other) => other.closedAt === null && isRival(other)))
    throw new RefusedRow("unique", `two open positions in ${row.instrument}`);
  positions.set(row.id, { ...row, ...decimals, ...trimmed });
}

/** Returns an open position of its row. */
export function toOpen(row: PositionRow): OpenPosition {
  const { id, instrument, asset, openedAt, contracts, stopPrice, riskConsumed } = row;
  return { id, instrument, asset, openedAt, contracts, stopPrice, riskConsumed };
}

/** Returns the rows of the open positions of an account, by instrument. */
export const openRows = ({ positions }: Books, account: Account): PositionRow[] =>
  [...positions.values()]
    .filter((row) => row.closedAt === null && isOf(account, accountOf(row)))
    .sort(by((row) => row.instrument));
