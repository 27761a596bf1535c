import type { Account } from "#trading/account";
import { explainedOf } from "#trading/ledger/ledger";
import type { TradingMode } from "#trading/mode";
import { AT_VENUE, CLOSED_AFTER_APPROVAL, IN_FLIGHT, type OrderStatus } from "#trading/orders/order";
import type { StoredOrder } from "#trading/orders/stored-order";
import { type EquityState, equityStateOf } from "#trading/positions/equity-state";
import { type AccountFacts, type AccountHealth, type AccountQuery, type ClosedOrder, REPEAT_MS } from "#trading/store";
import { barStart, type Instant, instant, millis } from "#units/time";
import { countsOf, foreignOf, held, openRows, toOpen, unvaluedFees } from "./booking.ts";
import { type Books, by, type EquitySnapshot, isOf, type Surroundings } from "./books.ts";
import { comparisonsOf, controlOf } from "./control.ts";
import { lastBill } from "./ledger.ts";
import { protectionsOf } from "./protections.ts";

/** What a reconciliation reads, in memory: the twin of db/trading/account-facts. */

const HOUR_MS = 3_600_000;
const PEAK_DAYS = 30;
const CLOSED: readonly OrderStatus[] = CLOSED_AFTER_APPROVAL;
const before = (at: Instant, ms: number): Instant => instant(millis(at) - ms);

export const byDecision = by<StoredOrder>(
  (order) => order.decidedAt,
  (order) => order.id,
);

/** Returns the orders of a mode, those in some states alone where they are given, by decision and id. */
export const ordersOf = ({ orders }: Books, mode: TradingMode, statuses?: readonly OrderStatus[]): StoredOrder[] =>
  [...orders.values()]
    .filter((order) => order.mode === mode && (statuses?.includes(order.status) ?? true))
    .sort(byDecision);

/** Returns those of an account's equities, ascending, by which a later one is judged. */
function judgedBy(equities: readonly EquitySnapshot[]): EquitySnapshot[] {
  const compared = equities.findLast(({ gap }) => gap !== null);
  return equities.filter(({ gap, at }) => gap !== null || compared === undefined || at > compared.at);
}

export function equityAt({ equity }: Books, account: Account, at: Instant, inclusive: boolean): EquityState | null {
  const mine = [...equity.values()]
    .filter((row) => isOf(account, row) && (inclusive ? row.at <= at : row.at < at))
    .sort(by((row) => row.at));
  const last = mine.at(-1);
  if (!last) return null;
  const judged = judgedBy(mine);
  const day = judged.find((row) => row.at >= barStart(at, 86_400));
  const price = (row: (typeof mine)[number]) => explainedOf(row).div(row.units);
  const recent = judged.filter((row) => row.at >= before(at, PEAK_DAYS * 86_400_000));
  const peak = recent.reduce((best, row) => (price(row).gt(price(best)) ? row : best), recent[0] ?? last);
  return equityStateOf(last, day, peak);
}

function closedBy(books: Books, { account, at, by: who }: AccountQuery): ClosedOrder[] {
  const closed = ordersOf(books, account.mode, CLOSED).filter(
    (order) =>
      order.decidedAt > before(at, REPEAT_MS) &&
      (books.events.get(order.id) ?? []).some(
        (event) =>
          event.at === at &&
          event.detail.by === who &&
          CLOSED.includes(event.toStatus) &&
          event.fromStatus !== null &&
          IN_FLIGHT.includes(event.fromStatus),
      ),
  );
  return closed
    .sort(by((order) => order.id))
    .map(({ id, clientOrderId, instrument, status, filledSize, errorMessage }) => ({
      ...{ id, clientOrderId, instrument, status, filledSize, errorMessage },
    }));
}

function healthOf(books: Books, account: Account, at: Instant): AccountHealth | null {
  const state = equityAt(books, account, at, true);
  if (state === null) return null;
  const recent = ordersOf(books, account.mode, ["rejected"]).filter(
    (order) => order.updatedAt > before(at, 600_000) && order.decidedAt > before(at, HOUR_MS),
  );
  return { ...state, rejects: recent.length };
}

export function accountFacts(books: Books, around: Surroundings, query: AccountQuery): AccountFacts {
  const { account, at, endedSince, filledSince } = query;
  const fills = [...books.fills.values()].filter((fill) => isOf(account, fill));
  const { changedAt } = controlOf(books, account.mode);
  const traded = [...new Set(fills.filter(countsOf).map(({ instrument }) => instrument))];
  return {
    comparisons: comparisonsOf(books, account),
    atVenue: ordersOf(books, account.mode, AT_VENUE),
    unclaimed: ordersOf(books, account.mode, ["approved"]),
    closed: closedBy(books, query),
    open: openRows(books, account).map(toOpen),
    held: new Map(traded.map((instrument) => [instrument, held(books, account, instrument)])),
    listed: new Map(around.instruments.toSorted(by(({ id }) => id)).map((instrument) => [instrument.id, instrument])),
    protections: protectionsOf(books, account, endedSince),
    unvalued: unvaluedFees(books, account, filledSince),
    foreign: foreignOf(fills.filter(({ filledAt }) => filledAt > changedAt)).sort(
      by(
        (fill) => fill.filledAt,
        (fill) => fill.instrument,
        (fill) => fill.tradeId,
      ),
    ),
    lastFillAt:
      fills
        .map(({ filledAt }) => filledAt)
        .sort()
        .at(-1) ?? null,
    lastBill: lastBill(books, account),
    health: healthOf(books, account, at),
  };
}
