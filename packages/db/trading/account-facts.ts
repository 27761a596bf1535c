import { and, asc, desc, eq, gt, inArray, isNotNull, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import { AT_VENUE, CLOSED_AFTER_APPROVAL, IN_FLIGHT } from "#trading/orders/order";
import { equityStateOf } from "#trading/positions/equity-state";
import { type AccountFacts, type AccountHealth, type AccountQuery, REPEAT_MS } from "#trading/store";
import { type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { bills, orderEvents, orderFills, orders, tradingControl } from "../schema.ts";
import { together } from "../together.ts";
import { comparisonsOf, toComparison } from "./comparisons.ts";
import { equityQueries } from "./equity.ts";
import { unvaluedFees } from "./fees.ts";
import { allInstruments } from "./instruments.ts";
import { CONTRACTS, COUNTS, isForeign, STORED_FILL } from "./order-fills.ts";
import { ordersOf } from "./orders.ts";
import { openQuery, toOpen } from "./positions.ts";
import { protectionsOf, toProtection } from "./protections.ts";

const before = (at: Instant, ms: number): Instant => instant(millis(at) - ms);

/** Returns what a reconciliation needs of the books of an account, in one statement. */
export async function accountFacts(db: Db, query: AccountQuery): Promise<AccountFacts> {
  const { account, at, endedSince, filledSince } = query;
  const { mode } = account;
  const found = await together(db, {
    ...{ comparisons: comparisonsOf(db, account), protections: protectionsOf(db, account, endedSince) },
    ...{ atVenue: ordersOf(db, mode, AT_VENUE), unclaimed: ordersOf(db, mode, ["approved"]) },
    ...{ closed: closedBy(db, query), rejects: rejects(db, mode, at) },
    ...{ open: openQuery(db, account), held: held(db, account), listed: allInstruments(db) },
    ...{ unvalued: unvaluedFees(db, account, filledSince), foreign: foreignSinceChange(db, account) },
    ...{ lastFill: lastFill(db, account), lastBill: lastBill(db, account) },
    ...equityQueries(db, account, at, true),
  });
  const { now, day, peak, rejects: rejected, lastFill: newest, ...rest } = found;
  const state = now[0] ? equityStateOf(now[0], day[0], peak[0]) : null;
  const health: AccountHealth | null = state && { ...state, rejects: rejected.length };
  return {
    ...rest,
    comparisons: rest.comparisons.map(toComparison),
    protections: rest.protections.map(toProtection),
    open: rest.open.map(toOpen),
    held: new Map(rest.held.map(({ instrument, contracts }) => [instrument, contracts])),
    listed: new Map(rest.listed.map((instrument) => [instrument.id, instrument])),
    foreign: rest.foreign.filter(isForeign),
    lastFillAt: newest[0]?.filledAt ?? null,
    lastBill: rest.lastBill[0] ?? null,
    health,
  };
}

const isOurs = ({ mode, venue }: Account) => and(eq(orderFills.tradingMode, mode), eq(orderFills.exchange, venue));

const held = (db: Db, account: Account) =>
  drizzleOf(db)
    .select({ instrument: orderFills.instrument, contracts: CONTRACTS })
    .from(orderFills)
    .where(and(isOurs(account), COUNTS))
    .groupBy(orderFills.instrument);

const lastFill = (db: Db, account: Account) =>
  drizzleOf(db)
    .select({ filledAt: orderFills.filledAt })
    .from(orderFills)
    .where(isOurs(account))
    .orderBy(desc(orderFills.filledAt))
    .limit(1);

const foreignSinceChange = (db: Db, account: Account) =>
  drizzleOf(db)
    .select(STORED_FILL)
    .from(orderFills)
    .innerJoin(tradingControl, eq(tradingControl.tradingMode, orderFills.tradingMode))
    .where(and(isOurs(account), isNotNull(orderFills.cause), gt(orderFills.filledAt, tradingControl.changedAt)))
    .orderBy(asc(orderFills.filledAt), asc(orderFills.instrument), asc(orderFills.exchangeTradeId));

const lastBill = (db: Db, { mode, venue }: Account) =>
  drizzleOf(db)
    .select({ billId: bills.billId, at: bills.at })
    .from(bills)
    .where(and(eq(bills.tradingMode, mode), eq(bills.exchange, venue)))
    .orderBy(desc(bills.billId))
    .limit(1);

/** Those that the venue rejected in the ten minutes before. */
const rejects = (db: Db, mode: Account["mode"], at: Instant) =>
  drizzleOf(db)
    .select({ id: orders.id })
    .from(orders)
    .where(
      and(
        ...[eq(orders.tradingMode, mode), eq(orders.status, "rejected")],
        ...[gt(orders.updatedAt, before(at, 600_000)), gt(orders.decidedAt, before(at, 3_600_000))],
      ),
    );

const closedBy = (db: Db, { account, at, by }: AccountQuery) => {
  return drizzleOf(db)
    .selectDistinct({
      ...{ id: orders.id, clientOrderId: orders.clientOrderId, instrument: orders.instrument },
      ...{ status: orders.status, filledSize: orders.filledSize, errorMessage: orders.errorMessage },
    })
    .from(orders)
    .innerJoin(orderEvents, eq(orderEvents.orderId, orders.id))
    .where(
      and(
        ...[eq(orders.tradingMode, account.mode), gt(orders.decidedAt, before(at, REPEAT_MS))],
        ...[eq(orderEvents.at, at), sql`${orderEvents.detail} ->> 'by' = ${by}`],
        ...[inArray(orderEvents.toStatus, [...CLOSED_AFTER_APPROVAL])],
        ...[inArray(orderEvents.fromStatus, [...IN_FLIGHT])],
      ),
    )
    .orderBy(asc(orders.id));
};
