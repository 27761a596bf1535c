import type { StoredControl } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import { isJudged } from "#trading/ledger/ledger";
import { awaitsLook, LOOK_SPACING_MS } from "#trading/orders/resolve";
import type { StoredOrder } from "#trading/orders/stored-order";
import { type Comparison, compared, type Found, isBreak, SNAPSHOT_MS } from "#trading/positions/comparison";
import type { UnvaluedFee } from "#trading/positions/fee";
import { adoption, type ForeignFill } from "#trading/positions/fill";
import type { OpenPosition } from "#trading/positions/position-row";
import { type Break, differenceOf, externalOrders, isStuck, lacksFills } from "#trading/positions/reconcile";
import { unprotectedSeconds } from "#trading/protection/protection";
import type { AccountFacts, Booked, ClosedOrder, KeptLedger, Run, TradingStore } from "#trading/store";
import type { Exchange, VenueBalance, VenueOrder } from "#trading/venue";
import { big, type Decimal, ZERO } from "#units/decimal";
import { millis } from "#units/time";
import { type Answers, askVenue, dayBefore, instrumentsOf } from "./ask-venue.ts";
import { type Attempt, attempts, type Failure } from "./attempt.ts";
import { watchedSwitch } from "./control-object.ts";
import { keepLedger } from "./keep-ledger.ts";
import { askedOnce, feePrices } from "./price-fees.ts";
import { settleInstrument, type Told } from "./settle-orders.ts";
import { adoptFired } from "./stops/adopt-fired.ts";
import { closeDust } from "./stops/close-dust.ts";
import { coverPosition } from "./stops/cover-position.ts";
import { layLadder, type Shown } from "./stops/lay-ladder.ts";
import { protectionsSince } from "./stops/record-protection.ts";
import { watchStop } from "./stops/watch-stops.ts";
import { sweepApproved } from "./sweep-approved.ts";
import { tripAccount } from "./trip-account.ts";

/** What one run found and did. */
export interface Reconciled {
  /** Orders that this run closed, by id; a repeated run of the same instant returns them again. */
  readonly closed: readonly ClosedOrder[];
  /** Where books and venue differ by the same in three snapshots. */
  readonly breaks: readonly Break[];
  /** Venue order ids that are not ours. They are left alone. */
  readonly external: readonly string[];
  /** What the kill switch became, when this run tightened it, or lifted what had lifted itself. */
  readonly tripped: StoredControl | null;
  /** New fills that count and are of no order of ours: by hand, or by the venue itself. */
  readonly foreign: readonly ForeignFill[];
  /** Fees of the last day in a currency that the venue does not price: they are in no sum of USDT. */
  readonly unvalued: readonly UnvaluedFee[];
  /** Orders that a person may have to look up. */
  readonly stuck: number;
  /** For how long something was held without a stop, at most, of late; null where the venue did not tell its time. */
  readonly unprotected: number | null;
  /** Approved orders whose message was lost: it is to be sent once more. */
  readonly unsent: readonly StoredOrder[];
  /** The balance as the bills explain it; null where the venue did not say both. */
  readonly ledger: KeptLedger | null;
  /** Instruments of which something was to be closed at market. What is left has no stop: they are to be looked at again soon. */
  readonly closing: readonly string[];
  /** What could not be asked or done. All else was. */
  readonly failures: readonly Failure[];
}

/** Waits so many milliseconds. */
export type Pause = (ms: number) => Promise<void>;

/** What a run works with. */
interface Job {
  readonly store: TradingStore;
  readonly exchange: Exchange;
  readonly run: Run & { readonly closing: Set<string> };
  readonly attempt: Attempt;
  /** The instruments that the desk trades. */
  readonly ids: readonly string[];
  /** How each instrument stands, as far as the run has come. */
  readonly standing: Map<string, Comparison>;
  readonly indexPrice: Exchange["indexPrice"];
}

/** What one round over the instruments came to. */
interface Round {
  readonly open: readonly VenueOrder[];
  /** Null also in a round that looks at some instruments once more. */
  readonly balance: VenueBalance | null;
  readonly impossibleFills: number;
  readonly foreign: readonly ForeignFill[];
}

/** A difference and an order that nobody shows are looked at this often within one run. */
const ROUNDS = 3;

/**
 * Makes the books agree with the venue, one instrument at a time: sees first to its stop at the venue, looks its orders up,
 * books its fills, moves the orders, rebuilds its position from fills, compares, and watches its stop; then come the bills
 * and the triggers of the kill switch. Of `ids`, and of whatever else is held or under way. What differs, or is not shown, is
 * looked at again within the run, as `pause` lets the venue's time pass. The error of one question or of one instrument stops
 * no other: it is among the failures, and the caller must tell them. It never trades to repair a mismatch.
 * @throws when the books cannot be read at all.
 */
export async function reconcileAccount(
  books: TradingStore,
  exchange: Exchange,
  run: Run,
  ids: readonly string[],
  pause: Pause,
): Promise<Reconciled> {
  const { account, at } = run;
  const { attempt, failures } = attempts();
  const { store, tightened } = watchedSwitch(books);
  const query = { account, at, by: run.by, endedSince: protectionsSince(at), filledSince: dayBefore(at) };
  let facts = await store.accountFacts(query);
  const standing = new Map(facts.comparisons.map((row) => [row.instrument, row]));
  const indexPrice = askedOnce((asset, of) => exchange.indexPrice(asset, of));
  const closing = new Set<string>();
  const job = { store, exchange, run: { ...run, closing }, attempt, ids, standing, indexPrice };
  const first = await reconcileRound(job, facts, ids, null);
  const rounds = [first];
  const { balance } = first;
  const newest = facts.lastBill;
  const ledger = balance && (await attempt("ledger", null, () => keepLedger(store, exchange, run, balance, newest)));
  facts = await store.accountFacts(query);
  for (;;) {
    const again = await unsettled(job, facts);
    if (again.size === 0 || rounds.length === ROUNDS) break;
    const differs = [...again].some((id) => (standing.get(id)?.seen ?? 0) > 0);
    const isLater = await attempt("clock", null, () =>
      passes(exchange, pause, differs ? SNAPSHOT_MS : LOOK_SPACING_MS),
    );
    if (!isLater) break;
    rounds.push(await reconcileRound(job, facts, [...again], again));
    facts = await store.accountFacts(query);
  }
  await store.noteComparisons(account, [...standing.values()]);
  const { lost: unsent, hasVoided } = await sweepApproved(store, run, facts.unclaimed);
  if (hasVoided) facts = await store.accountFacts(query);
  const byStops = tightened();
  const impossibleFills = rounds.reduce((sum, round) => sum + round.impossibleFills, 0);
  const breaks = [...standing.values()].filter((row) => isBreak(row, run.policy)).flatMap(breakOf);
  const foreign = rounds.flatMap((round) => round.foreign);
  const waiting = await externalIn(store, first.open);
  const credentialError = byStops?.state === "HALTED";
  const isExplained = ledger !== null && isJudged(ledger.agreedAt, at, run.policy);
  const seen = { breaks, foreign, waiting, impossibleFills, credentialError, isExplained };
  return {
    closed: facts.closed,
    breaks,
    foreign,
    external: waiting.map(({ venueOrderId }) => venueOrderId),
    tripped: (await tripAccount({ ...job, facts }, seen)) ?? byStops,
    unvalued: facts.unvalued,
    stuck: facts.atVenue.filter((order) => isStuck(order, at, run.policy)).length,
    unprotected: await attempt("time without a stop", null, () => unprotectedIn(exchange, facts)),
    unsent,
    ledger,
    closing: [...closing],
    failures,
  };
}

/** Returns for how many seconds something was held without a stop, at most, now or in the last two minutes. */
const unprotectedIn = async (exchange: Exchange, { protections }: AccountFacts): Promise<number> =>
  protections.length === 0 ? 0 : unprotectedSeconds(protections, await exchange.now());

const breakOf = ({ instrument, ours, theirs }: Comparison): Break[] =>
  ours === null || theirs === null ? [] : [{ instrument, ours, venue: theirs }];

/** Returns the instruments that differ and are no break yet, and those with an order whose absence is to be seen again. */
async function unsettled(
  { exchange, run, attempt, standing }: Job,
  { atVenue: left }: AccountFacts,
): Promise<Set<string>> {
  const differing = [...standing.values()]
    .filter((row) => row.seen > 0 && !isBreak(row, run.policy))
    .map((row) => row.instrument);
  const now = left.some(({ status }) => status === "unknown")
    ? await attempt("clock", null, () => exchange.now())
    : null;
  const absent = now === null ? [] : left.filter((order) => awaitsLook(order, now)).map((order) => order.instrument);
  return new Set([...differing, ...absent]);
}

/** Waits, and returns whether the venue's time went on: where a clock is moved by hand, it does not. */
async function passes(exchange: Exchange, pause: Pause, ms: number): Promise<boolean> {
  const before = millis(await exchange.now());
  await pause(LOOK_SPACING_MS);
  if (millis(await exchange.now()) - before < LOOK_SPACING_MS / 2) return false;
  if (ms > LOOK_SPACING_MS) await pause(ms - LOOK_SPACING_MS);
  return true;
}

/** Goes once over `ids`, and over whatever else is held or under way unless it is about `only` some. */
async function reconcileRound(
  job: Job,
  facts: AccountFacts,
  ids: readonly string[],
  only: ReadonlySet<string> | null,
): Promise<Round> {
  const { store, exchange, run, attempt } = job;
  const answers = await askVenue(job, facts, only);
  let impossibleFills = 0;
  const foreign: ForeignFill[] = [];
  const laddered: Laddered[] = [];
  const all = instrumentsOf(job, facts, ids, only, answers);
  // Before the books: what keeps them from being written keeps no stop from being placed.
  await coverAll(job, facts, [...all.values()], answers);
  for (const [id, listed] of all) {
    const booked = await attempt("books", id, () => reconcileInstrument(job, facts, id, listed, answers));
    if (booked === null) note(job, id, { kind: "failed" });
    impossibleFills += booked?.impossibleFills ?? 0;
    foreign.push(...(booked?.foreign ?? []));
    const open = booked === null ? openIn(facts, id) : booked.open;
    const shown = answers.positions?.find(({ instrument }) => instrument === id) ?? null;
    if (listed !== null && shown !== null) {
      const { markPrice: mark } = shown;
      await attempt("stop", id, () => watchStop(store, exchange, run, listed, open, mark));
      const isQuiet = answers.looked.every(({ order }) => order.instrument !== id);
      if (isQuiet) await attempt("dust", id, () => closeDust(store, exchange, run, listed, open, shown));
    }
    if (listed !== null && booked !== null) laddered.push({ instrument: listed, open });
  }
  await layLadders(job, laddered, answers, facts.protections);
  return { open: answers.orders ?? [], balance: answers.balance, impossibleFills, foreign };
}

/** Looks after the stop of each instrument at the venue, also of those that the books call flat. */
async function coverAll(
  { store, exchange, run, attempt, ids }: Job,
  facts: AccountFacts,
  all: readonly (Instrument | null)[],
  { looked: orders, positions, stops: told }: Answers,
): Promise<void> {
  // A list that did not come is asked for once more: without it nothing is covered until the next minute.
  const stops = told ?? (await attempt("stops, once more", null, () => exchange.stops()));
  if (stops === null) return;
  for (const instrument of all) {
    if (instrument === null) continue;
    const isMine = (one: { readonly instrument: string }) => one.instrument === instrument.id;
    await attempt("stop at the venue", instrument.id, () => {
      const open = openIn(facts, instrument.id);
      const position = positions === null ? undefined : (positions.find(isMine) ?? null);
      const held = open?.contracts ?? ZERO;
      const isDesks = ids.includes(instrument.id) || open !== null;
      const books = { open, held, orders, known: facts.protections, isDesks };
      return coverPosition(store, exchange, run, { instrument, position, stops, ...books });
    });
  }
}

/** An instrument that is booked, with the position that it came to; null = none. */
type Laddered = Pick<Shown, "instrument" | "open">;

/** Looks after the legs of each instrument that is booked, when the venue told all that they depend on. */
async function layLadders(
  { store, exchange, run, attempt }: Job,
  laddered: readonly Laddered[],
  { positions, stops, takeProfits }: Answers,
  known: AccountFacts["protections"],
): Promise<void> {
  if (positions === null || stops === null || takeProfits === null) return;
  const { mode } = run.account;
  const opened = laddered.flatMap(({ open }) => open ?? []);
  const orders = await attempt("take-profits", null, () => store.takeProfits(mode, opened));
  if (orders === null) return;
  let state: StoredControl["state"] | null = null;
  const isHalted = async () => {
    state ??= (await store.control(mode)).state; // once a round: what is laid can only reduce
    return state === "HALTED";
  };
  for (const { instrument, open } of laddered) {
    const position = positions.find((one) => one.instrument === instrument.id) ?? null;
    const shown = { instrument, position, open, stops, takeProfits, known, orders, isHalted };
    await attempt("take-profits", instrument.id, () => layLadder(store, exchange, run, shown));
  }
}

/** Returns the open position of an instrument; null without one. */
const openIn = ({ open }: AccountFacts, id: string): OpenPosition | null =>
  open.find(({ instrument }) => instrument === id) ?? null;

function note({ standing, run }: Job, instrument: string, found: Found): void {
  standing.set(instrument, compared(standing.get(instrument) ?? null, instrument, run.at, found));
}

/** Books one instrument and compares it with the venue's position, when the venue told that and its fills. */
async function reconcileInstrument(
  job: Job,
  facts: AccountFacts,
  instrument: string,
  listed: Instrument | null,
  { looked: all, equity, positions, fills, unvalued }: Answers,
): Promise<Booked> {
  const { store, exchange, run, attempt } = job;
  const isMine = (one: { readonly instrument: string }) => one.instrument === instrument;
  const looked = all.filter(({ order }) => isMine(order));
  const late = looked.flatMap(({ order, found }) => (lacksFills(order, found, fills ?? []) ? [found] : []));
  const byOrder = await Promise.all(late.map((order) => exchange.fillsOf(instrument, order.venueOrderId)));
  const position = positions?.find(isMine) ?? null;
  const shown = [...(fills ?? []).filter(isMine), ...byOrder.flat()];
  // A fee that cannot be priced now is booked without a value: it is in no sum, and is asked for again.
  const prices = await attempt("fee prices", instrument, () =>
    feePrices(job.indexPrice, shown, unvalued.filter(isMine)),
  );
  const told: Told = {
    ...{ instrument, listed, looked, equity, position, since: job.standing.get(instrument)?.since ?? null },
    ...{ fills: shown, feePrices: prices ?? [] },
  };
  if (listed !== null) await adoptFired(store, exchange, run, listed, openIn(facts, instrument), told.fills);
  const isQuiet = shown.length + looked.length + told.feePrices.length === 0 && openIn(facts, instrument) === null;
  const flat = { held: facts.held.get(instrument) ?? ZERO, open: null, foreign: [], impossibleFills: 0 };
  const booked = isQuiet ? flat : await settleInstrument(store, run, told);
  if (positions === null || fills === null) {
    note(job, instrument, { kind: "failed" });
    return booked;
  }
  const isOther = !job.ids.includes(instrument) && big(booked.held).eq(0);
  if (isOther) return booked; // what others do elsewhere is theirs, and is only told
  const found = await foundOf(job, told, booked.held);
  const isUnknown = found.kind === "differs" && told.since === null && big(found.ours).eq(0);
  if (!isUnknown || position === null || listed === null) {
    note(job, instrument, found);
    return booked;
  }
  const adopted = await settleInstrument(store, run, { ...told, looked: [], fills: [adoption(position, run.at)] });
  note(job, instrument, await foundOf(job, told, adopted.held));
  return { ...adopted, foreign: [...booked.foreign, ...adopted.foreign] };
}

/** Returns how books and venue compare; an instrument with an order still in flight is not judged yet. */
async function foundOf({ store, exchange, run }: Job, told: Told, held: Decimal): Promise<Found> {
  const { instrument, listed, position } = told;
  const difference = differenceOf(instrument, held, position?.contracts ?? ZERO, listed?.lotSize ?? ZERO);
  if (difference === null) return { kind: "agrees" };
  const atVenue = await store.ordersAtVenue(run.account.mode);
  if (atVenue.some((order) => order.instrument === instrument)) return { kind: "busy" };
  const { ours, venue: theirs } = difference;
  return { kind: "differs", ours, theirs, positionAt: position?.updatedAt ?? null, seenAt: await exchange.now() };
}

/** Returns the open orders that are not ours. */
async function externalIn(store: TradingStore, open: readonly VenueOrder[]): Promise<VenueOrder[]> {
  const ours = await store.ordersByClientId(open.flatMap((order) => order.clientOrderId ?? []));
  return externalOrders(open, new Set(ours.keys()));
}
