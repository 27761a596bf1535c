import { and, asc, eq, gt, inArray, sql } from "drizzle-orm";
import { clientOrderId } from "#trading/client-order-id";
import { decisive, type StoredControl } from "#trading/control";
import type { Fill } from "#trading/fill";
import type { Instrument } from "#trading/instrument";
import { AT_VENUE, IN_FLIGHT, type OrderStatus } from "#trading/order";
import { type Break, externalOrders, stopReached, tripOf } from "#trading/reconcile";
import type { StoredOrder } from "#trading/stored-order";
import type { Exchange, VenueFill, VenuePosition } from "#trading/venue";
import { big, type Decimal, text, ZERO } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { rows } from "../rows.ts";
import { orderEvents, orders } from "../schema.ts";
import { readControl } from "./control.ts";
import { equityAt, insertEquity } from "./equity.ts";
import { listedInstruments } from "./instruments.ts";
import { tightenControl } from "./kill-switch.ts";
import { insertOrder } from "./move-order.ts";
import { insertFills } from "./order-fills.ts";
import { approvedStop, countInFlight, ordersAtVenue, ordersByClientId } from "./orders.ts";
import { openPositions } from "./positions.ts";
import { fillCursor, findBreaks, type LookedUp, lookUp, type Run, rebuildAll, settleOrders } from "./reconciliation.ts";
import { submitOrder } from "./submission.ts";

/** What one run found and did. */
export interface Reconciled {
  /** Orders that this run closed, by id; a repeated run of the same instant returns them again. */
  readonly closed: readonly Pick<
    StoredOrder,
    "id" | "clientOrderId" | "instrument" | "status" | "filledSize" | "errorMessage"
  >[];
  readonly breaks: readonly Break[];
  /** Venue order ids that are not ours. They are left alone. */
  readonly external: readonly string[];
  /** What the kill switch became, when this run tightened it. */
  readonly tripped: StoredControl | null;
  /** Orders that a person may have to look up: quarantined, or unknown for half a minute past their deadline. */
  readonly stuck: number;
}

interface Venue {
  readonly positions: readonly VenuePosition[];
  readonly equity: Decimal;
}

/** An account that holds nothing and waits for nothing is compared with the venue this often, any other each minute. */
const QUIET_MINUTES = 5;
/** Orders older than this are not looked through for what a run has closed. */
const REPEAT_MS = 2 * 86_400_000;

/**
 * Makes the database agree with the venue: look-ups first, then fills, positions and balance; books the fills, moves the
 * orders, rebuilds positions from fills, compares, watches the stops and the kill switch's triggers. It never trades to
 * repair a mismatch. @throws a transport failure: a query that failed is not an empty answer.
 */
export async function reconcileAccount(
  db: Db,
  exchange: Exchange,
  run: Run,
  ids: readonly string[],
): Promise<Reconciled> {
  const { account, at } = run;
  const full = Math.floor(millis(at) / 60_000) % QUIET_MINUTES === 0;
  if (!full && (await isQuiet(db, run))) return QUIET;
  const live = await ordersAtVenue(db, account.mode);
  const looked = live.length > 0 ? await lookUp(exchange, live, await exchange.now()) : [];
  const since = await fillCursor(db, account, at);
  const [positions, balance, fills, open] = await Promise.all([
    exchange.positions(),
    exchange.balance(),
    exchange.fills(since),
    exchange.openOrders(),
  ]);
  const instruments = new Map((await listedInstruments(db, ids)).map((instrument) => [instrument.id, instrument]));
  const venue = { positions, equity: balance.equity };
  const first = await db.transaction(async (tx) => {
    await insertEquity(tx, account, at, balance);
    return apply(tx, run, { looked, fills, venue, instruments });
  });
  const { breaks, impossibleFills } =
    first.breaks.length > 0 ? await lookAgain(db, exchange, run, venue, instruments, first) : first;
  const halted = await watchStops(db, exchange, run, positions, instruments);
  const left = await ordersAtVenue(db, account.mode);
  const tripped = await trip(db, run, { breaks, impossibleFills, credentialError: halted, left });
  const ours = await ordersByClientId(
    db,
    open.flatMap((order) => order.clientOrderId ?? []),
  );
  const external = externalOrders(open, new Set(ours.keys())).map((order) => order.venueOrderId);
  const stuck = left.filter((order) => isStuck(order, at)).length;
  return { closed: await closedAt(db, run), breaks, external, tripped, stuck };
}

const QUIET: Reconciled = { closed: [], breaks: [], external: [], tripped: null, stuck: 0 };
const STUCK_MS = 30_000;

const isStuck = ({ status, expiresAt }: StoredOrder, at: Instant): boolean =>
  status === "quarantined" ||
  (status === "unknown" && (expiresAt === null || millis(at) > millis(expiresAt) + STUCK_MS));

/** Returns whether there is nothing to reconcile: no order at the venue, no position, and no order moved at this instant. */
async function isQuiet(db: Db, { account: { mode, venue }, at }: Run): Promise<boolean> {
  const atVenue = sql.join(
    AT_VENUE.map((status) => sql`${status}`),
    sql`, `,
  );
  const [found] = await rows<{ busy: boolean }>(
    db,
    sql`SELECT EXISTS (SELECT 1 FROM orders WHERE trading_mode = ${mode} AND status IN (${atVenue}))
            OR EXISTS (SELECT 1 FROM positions WHERE trading_mode = ${mode} AND exchange = ${venue} AND closed_at IS NULL)
            OR EXISTS (SELECT 1 FROM orders WHERE trading_mode = ${mode} AND updated_at = ${at}
                       AND decided_at > ${instant(millis(at) - REPEAT_MS)}) AS busy`,
  );
  return found?.busy === false;
}

interface Applied {
  readonly breaks: readonly Break[];
  readonly impossibleFills: number;
}

/** Books what the venue said, in the caller's transaction. */
async function apply(
  db: Db,
  run: Run,
  seen: {
    readonly looked: readonly LookedUp[];
    readonly fills: readonly VenueFill[];
    readonly venue: Venue;
    readonly instruments: ReadonlyMap<string, Instrument>;
  },
): Promise<Applied> {
  const fresh: readonly Fill[] = await insertFills(db, run.account, seen.fills);
  const { impossibleFills } = await settleOrders(db, run, seen.looked, fresh);
  const { positions, equity } = seen.venue;
  const held = await rebuildAll(db, run, positions, seen.instruments, { equity, fresh });
  const lots = new Map([...seen.instruments].map(([id, { lotSize }]) => [id, lotSize]));
  return { breaks: await findBreaks(db, run, held, positions, lots), impossibleFills };
}

/** A fill between two queries looks like a break: asks once more before anyone is alarmed. */
async function lookAgain(
  db: Db,
  exchange: Exchange,
  run: Run,
  venue: Venue,
  instruments: ReadonlyMap<string, Instrument>,
  first: Applied,
): Promise<Applied> {
  const positions = await exchange.positions();
  const fills = await exchange.fills(await fillCursor(db, run.account, run.at));
  const again = await db.transaction((tx) =>
    apply(tx, run, { looked: [], fills, venue: { positions, equity: venue.equity }, instruments }),
  );
  return { breaks: again.breaks, impossibleFills: first.impossibleFills + again.impossibleFills };
}

/**
 * Sends a reduce-only market order for each position whose mark has reached its stop. Simple on purpose: the desk watches
 * its stops each minute where a venue's own algo order would watch each tick. Returns whether the venue refused our
 * credentials meanwhile.
 */
async function watchStops(
  db: Db,
  exchange: Exchange,
  run: Run,
  venue: readonly VenuePosition[],
  instruments: ReadonlyMap<string, Instrument>,
): Promise<boolean> {
  let refused = false;
  for (const position of await openPositions(db, run.account)) {
    const mark = venue.find((theirs) => theirs.instrument === position.instrument)?.markPrice;
    const instrument = instruments.get(position.instrument);
    if (mark === undefined || !instrument || !stopReached(position.contracts, position.stopPrice, mark)) continue;
    // A run that ended between storing a stop and claiming it left it approved: nobody else sends it.
    const waiting = await approvedStop(db, run.account.mode, position.instrument);
    if (!waiting && (await countInFlight(db, run.account.mode, position.instrument, "stop")) > 0) continue;
    const order = waiting ?? (await insertStop(db, run, instrument, position, mark));
    const submitted = await submitOrder(db, exchange, order.id, run.at, run.by);
    refused ||= submitted.tripped !== null;
  }
  return refused;
}

async function insertStop(
  db: Db,
  run: Run,
  instrument: Instrument,
  position: { readonly contracts: Decimal; readonly stopPrice: Decimal | null; readonly openedAt: Instant },
  mark: Decimal,
): Promise<StoredOrder> {
  const { mode, venue } = run.account;
  const { timeframe } = run.policy;
  const biasAt = position.openedAt;
  const control = await readControl(db, mode);
  const [before] = await db
    .select({ count: sql<number>`count(*)::int` })
    .from(orders)
    .where(
      and(
        eq(orders.tradingMode, mode),
        eq(orders.instrument, instrument.id),
        eq(orders.orderType, "stop"),
        eq(orders.biasAt, biasAt),
      ),
    );
  const intent = { venue, mode, instrument: instrument.id, timeframe, biasAt, leg: "stop" as const };
  const long = big(position.contracts).gt(0);
  return insertOrder(db, {
    mode,
    venue,
    asset: instrument.asset,
    instrument: instrument.id,
    timeframe,
    biasAt,
    epoch: control.epoch,
    at: run.at,
    by: run.by,
    verdict: "approved",
    codes: [],
    policySnapshot: null,
    detail: {
      leg: "stop",
      mark,
      stop: position.stopPrice,
      contracts: position.contracts,
      control: { ...decisive(control) },
    },
    order: {
      clientOrderId: clientOrderId(intent, Math.min(before?.count ?? 0, 99)),
      side: long ? "sell" : "buy",
      type: "stop",
      size: text(big(position.contracts).abs()),
      price: position.stopPrice,
      reduceOnly: true,
      stopLoss: null,
      riskUsd: ZERO,
      signal: null,
    },
  });
}

/** Evaluates the triggers of the kill switch, and tightens it when one has fired. */
async function trip(
  db: Db,
  run: Run,
  { left, ...seen }: Applied & { readonly credentialError: boolean; readonly left: readonly StoredOrder[] },
): Promise<Reconciled["tripped"]> {
  const { account, at, policy, by } = run;
  const state = await equityAt(db, account, at, true);
  if (state === null) return null;
  const [counts] = await db
    .select({
      rejects: sql<number>`count(*) FILTER (WHERE status = 'rejected' AND updated_at > ${instant(millis(at) - 600_000)})::int`,
    })
    .from(orders)
    .where(and(eq(orders.tradingMode, account.mode), gt(orders.decidedAt, instant(millis(at) - 3_600_000))));
  const unknown = left.filter((order) => order.status === "unknown");
  const unknownSince = unknown.flatMap((order) => order.expiresAt ?? []);
  const found = tripOf({ ...state, ...seen, at, unknownSince, rejects: counts?.rejects ?? 0 }, policy);
  if (found === null) return null;
  return tightenControl(db, account.mode, { ...found, actor: by, at });
}

const CLOSED: readonly OrderStatus[] = ["filled", "canceled", "rejected", "expired"];

/** Returns the orders that a run of this instant closed. A late fill on a dead order does not close it again. */
async function closedAt(db: Db, { account, at, by }: Run): Promise<Reconciled["closed"]> {
  return db
    .selectDistinct({
      id: orders.id,
      clientOrderId: orders.clientOrderId,
      instrument: orders.instrument,
      status: orders.status,
      filledSize: orders.filledSize,
      errorMessage: orders.errorMessage,
    })
    .from(orders)
    .innerJoin(orderEvents, eq(orderEvents.orderId, orders.id))
    .where(
      and(
        eq(orders.tradingMode, account.mode),
        gt(orders.decidedAt, instant(millis(at) - REPEAT_MS)),
        eq(orderEvents.at, at),
        sql`${orderEvents.detail} ->> 'by' = ${by}`,
        inArray(orderEvents.toStatus, [...CLOSED]),
        inArray(orderEvents.fromStatus, [...IN_FLIGHT]),
      ),
    )
    .orderBy(asc(orders.id));
}
