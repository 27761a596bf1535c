import type { StoredControl } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import { IN_FLIGHT } from "#trading/orders/order";
import type { StoredOrder } from "#trading/orders/stored-order";
import { isDust } from "#trading/positions/dust";
import type { OpenPosition } from "#trading/positions/position-row";
import { firedOrder } from "#trading/positions/stop";
import {
  type Ladder,
  type LadderPolicy,
  type Leg,
  type LegCommand,
  ladderOf,
  layLegs,
} from "#trading/protection/ladder";
import { isLegId, legId } from "#trading/protection/leg-id";
import { isNearer } from "#trading/protection/protect";
import type { Protection } from "#trading/protection/protection";
import type { TradingStore } from "#trading/store";
import type { Exchange, StopReply, VenuePosition, VenueStop } from "#trading/venue";
import { big } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { attempts, PartsFailed } from "../attempt.ts";
import { submitOrder } from "../submit-order.ts";
import { coverPosition } from "./cover-position.ts";
import { type LegTrail, legTrailOf } from "./record-legs.ts";
import { protectionsOf } from "./record-protection.ts";
import type { StopRun } from "./watch-stops.ts";

/** The venue did not take a leg, or would not change or end one. Its stop is another order, and is not touched. */
class LegNotTaken extends Error {
  override name = "LegNotTaken";
  readonly instrument: string;
  readonly act: LegCommand["act"];
  constructor(instrument: string, act: LegCommand["act"], { kind, code, reason }: StopRefusal) {
    super(
      `${instrument}: the venue's answer to ${act} a take-profit is ${kind}: ${code ?? "no code"} ${reason}. The next run tries again; the stop stands as it is.`,
    );
    this.instrument = instrument;
    this.act = act;
  }
}

type StopRefusal = Exclude<StopReply, { kind: "accepted" }>;

/** What legs need of a run. */
export type LadderRun = Omit<StopRun, "policy"> & { readonly policy: StopRun["policy"] & LadderPolicy };

/** What the venue shows of one instrument, once its fills are booked. */
export interface Shown {
  readonly instrument: Instrument;
  /** Null = flat. */
  readonly position: VenuePosition | null;
  /** As the books have it; null = they hold none. */
  readonly open: OpenPosition | null;
  /** Waiting at the venue; of any instrument. */
  readonly stops: readonly VenueStop[];
  readonly takeProfits: readonly VenueStop[];
  /** As they are written down; of any instrument and kind. */
  readonly known: readonly Protection[];
  /** Take-profit orders in flight, and those of the position, as the books have them now; of any instrument. */
  readonly orders: readonly StoredOrder[];
  /** Returns whether the kill switch is at HALTED; asked before a leg is laid or made larger. */
  readonly isHalted: () => Promise<boolean>;
}

interface Job {
  readonly store: TradingStore;
  readonly exchange: Exchange;
  readonly run: LadderRun;
  readonly instrument: Instrument;
  readonly trail: LegTrail;
}

/**
 * Makes the take-profits that wait at the venue those of an instrument's position: lays, resizes and ends legs, ends all of
 * them once it is closed, and moves the stop to the entry with its costs when a leg has closed its part. It acts where books
 * and venue agree about what is held, and is called after the fills are booked. In a halt it only ends legs and makes them
 * smaller. Each leg is written down before it is sent. Returns what the kill switch became, when a reply tripped it.
 * @throws LegNotTaken when the venue has not taken a leg; the next run tries again. What kept the record from being written.
 */
export async function layLadder(
  store: TradingStore,
  exchange: Exchange,
  run: LadderRun,
  shown: Shown,
): Promise<StoredControl | null> {
  const { instrument, open, takeProfits, known } = shown;
  const mine = takeProfits.filter((one) => one.instrument === instrument.id);
  const of = { ...run, instrument: instrument.id, episode: open?.id ?? null };
  const trail = legTrailOf(store, exchange, { ...of, known, waiting: mine });
  const { attempt, failures } = attempts();
  const job = { store, exchange, run, instrument, trail };
  const tripped = await attempt("take-profits", instrument.id, () => laid(job, shown, mine));
  await attempt("record of the take-profits", instrument.id, () => trail.keep());
  if (failures.length > 1) throw new PartsFailed("lay-ladder", failures);
  for (const { error } of failures) throw error;
  return tripped;
}

async function laid(job: Job, shown: Shown, mine: readonly VenueStop[]): Promise<StoredControl | null> {
  const { run, instrument } = job;
  const { position, open } = shown;
  if (open === null || position === null)
    return open === null && position === null ? layAll(job, shown, run.at, [], mine) : null;
  if (
    !big(open.contracts).eq(position.contracts) ||
    isDust(position.contracts, instrument, position.markPrice, run.policy)
  )
    return null;
  const { legs, secured, unsent } = wanted(job, shown.orders, open, position);
  const secure = secured === null ? null : await securedAt(job, shown, open, secured);
  const sent = await sendLeft(job, unsent);
  return (await layAll(job, shown, open.openedAt, legs, mine)) ?? sent ?? secure;
}

/** Returns the ladder of a position, and the orders of legs that are written and that nobody has sent. */
function wanted(
  { run, instrument }: Job,
  orders: readonly StoredOrder[],
  { openedAt, stopPrice: stop }: OpenPosition,
  position: VenuePosition,
): Ladder & { readonly unsent: readonly StoredOrder[] } {
  const { account, policy } = run;
  if (stop === null || policy.takeProfitLegs === 0) return { legs: [], secured: null, unsent: [] };
  const mine = orders.filter((order) => order.instrument === instrument.id);
  const taken = mine.filter(({ status, filledSize }) => IN_FLIGHT.includes(status) || big(filledSize).gt(0));
  const ladder = ladderOf({ account, instrument, position, openedAt, stop, taken }, policy);
  return { ...ladder, unsent: taken.filter(({ status }) => status === "approved") };
}

/** Moves the stop to `secured`, unless one waits that is at least as near to profit. */
async function securedAt(
  { store, exchange, run, instrument }: Job,
  { position, stops }: Shown,
  open: OpenPosition,
  secured: NonNullable<Ladder["secured"]>,
): Promise<StoredControl | null> {
  const side = big(open.contracts).gt(0) ? "sell" : "buy";
  const mine = stops.filter((stop) => stop.instrument === instrument.id && stop.isReduceOnly && stop.side === side);
  if (mine.some((stop) => !isNearer(side, secured, stop.trigger))) return null;
  const held = open.contracts;
  // One may have been laid in this run.
  const [now, known] = await Promise.all([exchange.stops(), protectionsOf(store, run)]);
  const looked = { instrument, position, open, held, orders: [], stops: now, known, secured, isDesks: true };
  return coverPosition(store, exchange, run, looked);
}

/** Sends the orders of legs that a run left, unless the venue has them: those that it sent itself are about to be booked. */
async function sendLeft(job: Job, unsent: readonly StoredOrder[]): Promise<StoredControl | null> {
  let tripped: StoredControl | null = null;
  for (const { id, clientOrderId } of unsent)
    if ((await job.exchange.order(job.instrument.id, clientOrderId)) === null)
      tripped = (await send(job, id)) ?? tripped;
  return tripped;
}

const send = async ({ store, exchange, run }: Job, id: OrderId): Promise<StoredControl | null> =>
  (await submitOrder(store, exchange, id, run.at, run.by, run)).tripped;

/** Returns whether a command leaves less to be closed by legs: a halt lets that through alone. */
const lessens = (command: LegCommand, waiting: readonly VenueStop[]): boolean =>
  command.act === "cancel" ||
  (command.act === "resize" &&
    waiting.some(({ algoId, size }) => algoId === command.algoId && size !== null && big(command.size).lt(size)));

async function layAll(
  job: Job,
  { isHalted }: Pick<Shown, "isHalted">,
  openedAt: OpenPosition["openedAt"],
  legs: readonly Leg[],
  waiting: readonly VenueStop[],
): Promise<StoredControl | null> {
  const { exchange, run, instrument } = job;
  const all = layLegs({ account: run.account, instrument, openedAt }, legs, waiting);
  const less = all.filter((one) => lessens(one, waiting));
  const commands = less.length < all.length && (await isHalted()) ? less : all;
  for (const command of commands) {
    if (command.act === "place") continue; // those come last
    const reply =
      command.act === "cancel"
        ? await exchange.cancelStop(instrument.id, command.algoId)
        : await exchange.resizeStop(instrument.id, command.algoId, command.size);
    if (reply.kind === "accepted") {
      if (command.act === "cancel") job.trail.canceled(command.algoId);
      continue;
    }
    // It has fired, or is about to: its fill is booked first, and the next run lays what is then right.
    if (reply.kind === "gone" || reply.kind === "flat" || reply.kind === "passed") return null;
    throw new LegNotTaken(instrument.id, command.act, reply);
  }
  const fresh = commands.flatMap((command) => (command.act === "place" ? [command] : []));
  let tripped: StoredControl | null = null;
  for (const leg of await written(job, openedAt, fresh, 0)) tripped = (await place(job, openedAt, leg)) ?? tripped;
  return tripped;
}

/** An id may have been used by a leg that was ended or that failed. */
const TRIES = 3;

/** A leg with the id that it is sent by. */
interface WrittenLeg {
  readonly leg: Leg;
  readonly stopId: string;
}

/**
 * Writes down legs that are about to be sent, all in one statement, by their ids of one try. Left out are those whose id has
 * placed an order: they have fired, and are about to be booked.
 */
async function written(
  { exchange, run, instrument, trail }: Job,
  openedAt: OpenPosition["openedAt"],
  legs: readonly Leg[],
  attempt: number,
): Promise<readonly WrittenLeg[]> {
  const fresh: WrittenLeg[] = [];
  for (const { side, trigger, size } of legs) {
    const stopId = legId({ account: run.account, instrument: instrument.id, openedAt, trigger }, attempt);
    if ((await exchange.order(instrument.id, stopId)) === null) fresh.push({ leg: { side, trigger, size }, stopId });
  }
  await trail.sending(fresh);
  return fresh;
}

/** Places a leg, once: an id that has placed an order is not used again. What no leg can wait for any more is sent now. */
async function place(
  job: Job,
  openedAt: OpenPosition["openedAt"],
  { leg, stopId: first }: WrittenLeg,
): Promise<StoredControl | null> {
  const { exchange, instrument, trail } = job;
  let stopId = first;
  for (let attempt = 1; ; attempt++) {
    const reply = await exchange.placeTakeProfit({ ...leg, stopId, instrument: instrument.id });
    trail.placed(stopId, reply);
    if (reply.kind === "accepted" || reply.kind === "flat") return null;
    if (reply.kind === "passed") return takeNow(job, openedAt, leg, stopId);
    if (reply.kind !== "exists" && reply.kind !== "busy") throw new LegNotTaken(instrument.id, "place", reply);
    const waiting = await exchange.takeProfits();
    if (waiting.some((one) => one.instrument === instrument.id && one.stopId === stopId)) return null;
    if (attempt === TRIES) throw new LegNotTaken(instrument.id, "place", reply);
    const [again] = await written(job, openedAt, [leg], attempt);
    if (again === undefined) return null;
    stopId = again.stopId;
  }
}

/** Closes the part of a leg at market, since its price is reached already. Its order has the leg's id, so it is sent once. */
async function takeNow(
  job: Job,
  openedAt: OpenPosition["openedAt"],
  { side, trigger, size }: Leg,
  stopId: string,
): Promise<StoredControl | null> {
  const { store, run, instrument } = job;
  const control = await store.control(run.account.mode);
  const position = { stopPrice: trigger, openedAt };
  const leg = { type: "take_profit", sentBy: "desk", stopId, side, size } as const;
  return send(job, (await store.insert(firedOrder({ ...run, ...leg, control, instrument, position }))).id);
}

/** Returns the instruments that a leg of this desk waits on. */
export const ladderedIn = (run: Pick<LadderRun, "account">, takeProfits: readonly VenueStop[]): string[] =>
  takeProfits.filter((one) => isLegId(run.account.mode, one.stopId)).map(({ instrument }) => instrument);
