import type { StoredControl } from "#trading/control";
import type { StoredOrder } from "#trading/orders/stored-order";
import {
  type Break,
  externalOrders,
  fillsSince,
  isFullRun,
  isStuck,
  lacksFills,
  tripOf,
} from "#trading/positions/reconcile";
import type { ClosedOrder, Run, TradingStore } from "#trading/store";
import type { Exchange, VenueOrder } from "#trading/venue";
import { lookUp, type Settled, settleOrders, type Told } from "./settle-orders.ts";
import { watchStops } from "./watch-stops.ts";

/** What one run found and did. */
export interface Reconciled {
  /** Orders that this run closed, by id; a repeated run of the same instant returns them again. */
  readonly closed: readonly ClosedOrder[];
  readonly breaks: readonly Break[];
  /** Venue order ids that are not ours. They are left alone. */
  readonly external: readonly string[];
  /** What the kill switch became, when this run tightened it. */
  readonly tripped: StoredControl | null;
  /** Orders that a person may have to look up. */
  readonly stuck: number;
}

const QUIET: Reconciled = { closed: [], breaks: [], external: [], tripped: null, stuck: 0 };

/**
 * Makes the books agree with the venue: look-ups first, then fills, positions and balance; books the fills, moves the
 * orders, rebuilds positions from fills, compares, watches the stops and the kill switch's triggers. It never trades to
 * repair a mismatch. @throws a transport failure: a query that failed is not an empty answer.
 */
export async function reconcileAccount(
  store: TradingStore,
  exchange: Exchange,
  run: Run,
  ids: readonly string[],
): Promise<Reconciled> {
  const { account, at } = run;
  if (!isFullRun(at) && !(await store.isBusy(account, at))) return QUIET;
  const { told, open } = await ask(store, exchange, run, ids);
  const first = await settleOrders(store, run, told);
  const settled = first.breaks.length > 0 ? await lookAgain(store, exchange, run, told, first) : first;
  const byStops = await watchStops(store, exchange, run, told.positions, told.instruments);
  const left = await store.ordersAtVenue(account.mode);
  const credentialError = byStops?.state === "HALTED";
  const tripped = (await trip(store, run, { ...settled, credentialError, left })) ?? byStops;
  return {
    closed: await store.closedBy(run),
    breaks: settled.breaks,
    external: await externalIn(store, open),
    tripped,
    stuck: left.filter((order) => isStuck(order, at)).length,
  };
}

/** Asks the venue: for each order that it may hold, then for all that it has. */
async function ask(
  store: TradingStore,
  exchange: Exchange,
  { account, at }: Run,
  ids: readonly string[],
): Promise<{ readonly told: Told; readonly open: readonly VenueOrder[] }> {
  const live = await store.ordersAtVenue(account.mode);
  const looked = live.length > 0 ? await lookUp(exchange, live, await exchange.now()) : [];
  const since = fillsSince(await store.lastFillAt(account), at);
  const [positions, balance, fills, open] = await Promise.all([
    exchange.positions(),
    exchange.balance(),
    exchange.fills(since),
    exchange.openOrders(),
  ]);
  const late = looked.flatMap(({ order, found }) => (lacksFills(order, found, fills) ? [found] : []));
  const byOrder = await Promise.all(late.map((order) => exchange.fillsOf(order.instrument, order.venueOrderId)));
  const listed = await store.instruments(ids);
  const instruments = new Map(listed.map((instrument) => [instrument.id, instrument]));
  const told = {
    looked,
    positions,
    balance,
    equity: balance.equity,
    fills: [...fills, ...byOrder.flat()],
    instruments,
  };
  return { told, open };
}

/** A fill between two queries looks like a break: asks once more before anyone is alarmed. */
async function lookAgain(
  store: TradingStore,
  exchange: Exchange,
  run: Run,
  told: Told,
  first: Settled,
): Promise<Settled> {
  const positions = await exchange.positions();
  const fills = await exchange.fills(fillsSince(await store.lastFillAt(run.account), run.at));
  const again = await settleOrders(store, run, { ...told, looked: [], balance: null, positions, fills });
  return { breaks: again.breaks, impossibleFills: first.impossibleFills + again.impossibleFills };
}

/** Evaluates the triggers of the kill switch, and tightens it when one has fired. */
async function trip(
  store: TradingStore,
  { account, at, by, policy }: Run,
  { left, ...seen }: Settled & { readonly credentialError: boolean; readonly left: readonly StoredOrder[] },
): Promise<StoredControl | null> {
  const health = await store.health(account, at);
  if (health === null) return null;
  const unknown = left.filter((order) => order.status === "unknown");
  const unknownSince = unknown.flatMap((order) => order.expiresAt ?? []);
  const found = tripOf({ ...health, ...seen, at, unknownSince }, policy);
  return found === null ? null : store.tighten(account.mode, { ...found, actor: by, at });
}

/** Returns the venue order ids of the open orders that are not ours. */
async function externalIn(store: TradingStore, open: readonly VenueOrder[]): Promise<string[]> {
  const ours = await store.ordersByClientId(open.flatMap((order) => order.clientOrderId ?? []));
  return externalOrders(open, new Set(ours.keys())).map((order) => order.venueOrderId);
}
