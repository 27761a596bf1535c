import type { StoredControl } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import type { LookedUp } from "#trading/orders/settle";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { OpenPosition } from "#trading/positions/position-row";
import {
  type Break,
  differenceOf,
  externalOrders,
  fillsSince,
  isStuck,
  lacksFills,
  tripOf,
} from "#trading/positions/reconcile";
import type { ClosedOrder, Run, TradingStore } from "#trading/store";
import type { Exchange, VenueFill, VenueOrder, VenuePosition } from "#trading/venue";
import { type Decimal, ZERO } from "#units/decimal";
import { type Attempt, attempts, type Failure } from "./attempt.ts";
import { lookUp, settleInstrument, type Told } from "./settle-orders.ts";
import { watchStop } from "./watch-stops.ts";

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
  /** What could not be asked or done. All else was. */
  readonly failures: readonly Failure[];
}

/** What the books held when the run began. */
interface Books {
  readonly atVenue: readonly StoredOrder[];
  readonly open: readonly OpenPosition[];
}

/** What the venue said, each answer apart: null = it gave none, which is never an empty one. */
interface Answers {
  readonly looked: readonly LookedUp[];
  readonly positions: readonly VenuePosition[] | null;
  readonly fills: readonly VenueFill[] | null;
  readonly orders: readonly VenueOrder[] | null;
  readonly equity: Decimal;
}

/** What one instrument came to. */
interface Settled {
  readonly difference: Break | null;
  readonly impossibleFills: number;
}

/**
 * Makes the books agree with the venue, one instrument at a time: looks its orders up, books its fills, moves the orders,
 * rebuilds its position from fills, compares, and watches its stop; then the triggers of the kill switch. Of `ids`, and of
 * whatever else is held or under way. The error of one question or of one instrument stops no other: it is among the
 * failures, and the caller must tell them. It never trades to repair a mismatch.
 * @throws when the books cannot be read at all.
 */
export async function reconcileAccount(
  store: TradingStore,
  exchange: Exchange,
  run: Run,
  ids: readonly string[],
): Promise<Reconciled> {
  const { account, at } = run;
  const { attempt, failures } = attempts();
  const books = { atVenue: await store.ordersAtVenue(account.mode), open: await store.openPositions(account) };
  const answers = await ask(store, exchange, run, books, attempt);
  const instruments = await instrumentsOf(store, ids, books, answers);
  const impossible: number[] = [];
  const breaks: Break[] = [];
  let byStops: StoredControl | null = null;
  for (const [id, listed] of instruments) {
    const settled = await attempt("books", id, () => reconcileInstrument(store, exchange, run, id, listed, answers));
    impossible.push(settled?.impossibleFills ?? 0);
    if (settled?.difference) breaks.push(settled.difference);
    const mark = answers.positions?.find(({ instrument }) => instrument === id)?.markPrice ?? null;
    if (listed !== null && mark !== null)
      byStops = (await attempt("stop", id, () => watchStop(store, exchange, run, listed, mark))) ?? byStops;
  }
  const left = await store.ordersAtVenue(account.mode);
  const impossibleFills = impossible.reduce((sum, n) => sum + n, 0);
  const credentialError = byStops?.state === "HALTED";
  const tripped = (await trip(store, run, { breaks, impossibleFills, credentialError, left })) ?? byStops;
  return {
    closed: await store.closedBy(run),
    breaks,
    external: await externalIn(store, answers.orders ?? []),
    tripped,
    stuck: left.filter((order) => isStuck(order, at)).length,
    failures,
  };
}

/** Asks the venue: for each order that it may hold, then for all that it has; each question by itself. */
async function ask(
  store: TradingStore,
  exchange: Exchange,
  run: Run,
  { atVenue }: Books,
  attempt: Attempt,
): Promise<Answers> {
  const { account, at } = run;
  // Orders first: a fill between the two is then among the fills that are asked for after it.
  const looked = await attempt("order look-ups", null, async () =>
    atVenue.length > 0 ? lookUp(exchange, atVenue, await exchange.now()) : [],
  );
  const since = fillsSince(await store.lastFillAt(account), at);
  const [positions, balance, fills, orders] = await Promise.all([
    attempt("positions", null, () => exchange.positions()),
    attempt("balance", null, () => exchange.balance()),
    attempt("fills", null, () => exchange.fills(since)),
    attempt("open orders", null, () => exchange.openOrders()),
  ]);
  if (balance !== null) await store.recordEquity(run, balance);
  const equity = balance?.equity ?? (await store.health(account, at))?.equity ?? ZERO;
  return { looked: looked ?? [], positions, fills, orders, equity };
}

/** Returns every instrument that the desk trades, holds or waits for, and every one that the venue shows, by id. */
async function instrumentsOf(
  store: TradingStore,
  ids: readonly string[],
  { atVenue, open }: Books,
  { positions, fills }: Answers,
): Promise<ReadonlyMap<string, Instrument | null>> {
  const named = [...atVenue, ...open, ...(positions ?? []), ...(fills ?? [])].map(({ instrument }) => instrument);
  const all = [...new Set([...ids, ...named])].sort();
  const listed = new Map((await store.instruments(all)).map((instrument) => [instrument.id, instrument]));
  return new Map(all.map((id) => [id, listed.get(id) ?? null]));
}

/** Books one instrument and compares it. A difference is looked at once more: a fill may have come between two questions. */
async function reconcileInstrument(
  store: TradingStore,
  exchange: Exchange,
  run: Run,
  instrument: string,
  listed: Instrument | null,
  answers: Answers,
): Promise<Settled> {
  const { equity, positions, fills } = answers;
  const isMine = (one: { readonly instrument: string }) => one.instrument === instrument;
  const looked = answers.looked.filter(({ order }) => isMine(order));
  const late = looked.flatMap(({ order, found }) => (lacksFills(order, found, fills ?? []) ? [found] : []));
  const byOrder = await Promise.all(late.map((order) => exchange.fillsOf(instrument, order.venueOrderId)));
  const told: Told = {
    ...{ instrument, listed, looked, equity },
    fills: [...(fills ?? []).filter(isMine), ...byOrder.flat()],
    position: positions?.find(isMine) ?? null,
  };
  const booked = await settleInstrument(store, run, told);
  // Without the venue's word for both there is nothing to compare.
  if (positions === null || fills === null) return { difference: null, impossibleFills: booked.impossibleFills };
  const difference = await judged(store, run, told, booked.held);
  if (difference === null) return { difference, impossibleFills: booked.impossibleFills };
  const position = (await exchange.positions()).find(isMine) ?? null;
  const since = fillsSince(await store.lastFillAt(run.account), run.at);
  const newer = { ...told, looked: [], position, fills: (await exchange.fills(since)).filter(isMine) };
  const again = await settleInstrument(store, run, newer);
  return {
    difference: await judged(store, run, newer, again.held),
    impossibleFills: booked.impossibleFills + again.impossibleFills,
  };
}

/** Returns where fills and venue disagree; null also while an order of the instrument is in flight: it is not judged yet. */
async function judged(
  store: TradingStore,
  { account }: Run,
  { instrument, listed, position }: Told,
  held: Decimal,
): Promise<Break | null> {
  const difference = differenceOf(instrument, held, position?.contracts ?? ZERO, listed?.lotSize ?? ZERO);
  if (difference === null) return null;
  const atVenue = await store.ordersAtVenue(account.mode);
  return atVenue.some((order) => order.instrument === instrument) ? null : difference;
}

/** What the triggers of the kill switch look at besides the stored health. */
interface Seen extends Pick<Settled, "impossibleFills"> {
  readonly breaks: readonly Break[];
  readonly credentialError: boolean;
  readonly left: readonly StoredOrder[];
}

/** Evaluates the triggers of the kill switch, and tightens it when one has fired. */
async function trip(
  store: TradingStore,
  { account, at, by, policy }: Run,
  { left, ...seen }: Seen,
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
