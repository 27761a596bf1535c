import type { StoredControl } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import type { LookedUp } from "#trading/orders/settle";
import type { StoredOrder } from "#trading/orders/stored-order";
import { isDust } from "#trading/positions/dust";
import type { OpenPosition } from "#trading/positions/position-row";
import { adoptedStop } from "#trading/protection/adopted-stop";
import { exposureOf, unbooked } from "#trading/protection/exposure";
import { type Command, type Covered, isNearer, protect } from "#trading/protection/protect";
import type { Protection } from "#trading/protection/protection";
import { isSliced, type SliceRule, slice } from "#trading/protection/slices";
import { isStopId, stopId } from "#trading/protection/stop-id";
import type { TradingStore } from "#trading/store";
import type { Exchange, StopReply, VenuePosition, VenueStop } from "#trading/venue";
import { big, type Decimal, text, ZERO } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import { type Attempt, attempts, PartsFailed } from "../attempt.ts";
import { type Trail, trailOf } from "./record-protection.ts";
import { closeAtMarket, type StopRun } from "./watch-stops.ts";

/** The venue did not take a stop, or would not move or end one: what is held may be uncovered. */
class StopNotTaken extends Error {
  override name = "StopNotTaken";
  readonly instrument: string;
  readonly act: Command["act"];
  constructor(instrument: string, act: Command["act"], reply: Exclude<StopReply, { kind: "accepted" }>) {
    super(
      `${instrument}: the venue's answer to ${act} a stop is ${reply.kind}: ${reply.code ?? "no code"} ${reply.reason}. The next look tries again; meanwhile the desk watches the stop itself, once a minute.`,
    );
    this.instrument = instrument;
    this.act = act;
  }
}

/** What is known of one instrument when its stop is looked after. */
export interface Looked {
  readonly instrument: Instrument;
  /** Null = flat; undefined = the venue gave no answer. */
  readonly position: VenuePosition | null | undefined;
  /** As the books have it; null = they hold none. */
  readonly open: OpenPosition | null;
  /** Signed contracts by the booked fills. */
  readonly held: Decimal;
  /** Its orders that the venue may hold, asked for before its position was. */
  readonly orders: readonly Pick<LookedUp, "order" | "found">[];
  /** Waiting at the venue; of any instrument. */
  readonly stops: readonly VenueStop[];
  /** As they are written down; of any instrument. */
  readonly known: readonly Protection[];
  /** The desk trades it, or its books hold it: what is held there is covered, whoever opened it. */
  readonly isDesks: boolean;
  /** Where the stop is to be at least, since a part was closed at a profit; absent = where the orders set it. */
  readonly secured?: Decimal;
}

/** Returns what is to be covered: the exposure from whatever shows it first, and the stop of the newest order that fills it. */
function coveredOf(looked: Looked, distance: Decimal): Covered {
  const { instrument, position, open, held, orders, secured, known } = looked;
  const mine = orders.filter(({ order }) => order.instrument === instrument.id);
  const late = mine.map(({ order, found }) => ({ order, contracts: unbooked(order, found) }));
  const byFills = late.reduce((sum, { contracts }) => sum.plus(contracts), big(held));
  const venue = position === undefined ? null : (position?.contracts ?? text(0));
  const exposure = exposureOf(venue, text(byFills));
  const opens = ({ order }: { readonly order: StoredOrder }) =>
    !order.reduceOnly && order.stopLoss !== null && (order.side === "buy") === big(exposure).gt(0);
  const newest = late.findLast((one) => opens(one) && !big(one.contracts).eq(0)) ?? null;
  const set = newest?.order.stopLoss ?? open?.stopPrice ?? mine.findLast(opens)?.order.stopLoss ?? null;
  const side = big(exposure).gt(0) ? "sell" : "buy";
  const mark = position?.markPrice ?? null;
  const adopted = { instrument: instrument.id, tickSize: instrument.tickSize, side, mark, distance, known } as const;
  const least = set ?? (looked.isDesks ? adoptedStop(adopted) : null);
  const trigger = secured !== undefined && least !== null && isNearer(side, secured, least) ? secured : least;
  const isSure = position === null && mine.every(({ order }) => order.reduceOnly);
  return { exposure, mark, trigger, isSure };
}

/** A venue that is busy, or that did not answer, is asked again this often. */
const TRIES = 3;

/** Places a stop. One may be sent again: it can open nothing, and the venue keeps one of the whole position. */
async function placed(
  exchange: Exchange,
  trail: Trail,
  instrument: string,
  { side, trigger }: Extract<Command, { act: "place" }>,
): Promise<StopReply> {
  let row = trail.sending(side, trigger);
  let reply: StopReply = { kind: "unknown", code: null, reason: "not sent" };
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const next = trail.sending(side, trigger);
    if (next.stopId !== row.stopId) await trail.keep();
    row = next;
    reply = await exchange.placeStop({ stopId: row.stopId, instrument, side, trigger });
    // It may be there, from this call or from another: one that waits is the one that was wanted, or is mended next.
    if (reply.kind === "unknown" || reply.kind === "exists") {
      const there = (await exchange.stops()).filter((stop) => stop.instrument === instrument && stop.isWhole);
      if (there.some(({ stopId }) => stopId === row.stopId)) return { kind: "accepted" };
      trail.replied("place", row.stopId, reply);
      if (there.length > 0) return { kind: "accepted" };
    } else trail.replied("place", row.stopId, reply);
    if (reply.kind !== "busy" && reply.kind !== "unknown" && reply.kind !== "exists") return reply;
  }
  return reply;
}

/** Ids of slices are apart from those of stops of the whole position. */
const FIRST_SLICE = 50;

/** Places the stop of a size that is the `nth` of a run. It is seen waiting by the next look, and written down then. */
async function placedSlice(
  exchange: Exchange,
  { account, at }: StopRun,
  instrument: string,
  slice: Extract<Command, { act: "place" }> & { readonly size: Decimal },
  nth: number,
): Promise<StopReply> {
  const { side, trigger, size } = slice;
  const id = stopId(account, instrument, at, Math.min(FIRST_SLICE + nth, 99));
  let reply: StopReply = { kind: "unknown", code: null, reason: "not sent" };
  for (let attempt = 0; attempt < TRIES; attempt++) {
    reply = await exchange.placeStop({ stopId: id, instrument, side, trigger, size });
    // The venue takes an id once: it is there from a request whose reply was lost.
    if (reply.kind === "exists") return { kind: "accepted" };
    if (reply.kind !== "busy" && reply.kind !== "unknown") return reply;
  }
  return reply;
}

/** Carries out the `nth` command of a run. */
async function carriedOut(
  exchange: Exchange,
  run: StopRun,
  trail: Trail,
  instrument: string,
  command: Command,
  nth: number,
): Promise<StopReply> {
  switch (command.act) {
    case "place": {
      const { size } = command;
      if (size === undefined) return placed(exchange, trail, instrument, command);
      return placedSlice(exchange, run, instrument, { ...command, size }, nth);
    }
    case "resize":
      return exchange.resizeStop(instrument, command.algoId, command.size);
    case "amend":
      return exchange.moveStop(instrument, command.algoId, command.trigger);
    case "cancel": {
      const reply = await exchange.cancelStop(instrument, command.algoId);
      trail.replied("cancel", command.algoId, reply);
      return reply;
    }
    case "close":
      return { kind: "passed", code: null, reason: "the mark is beyond it" };
  }
}

/** Returns since when something is held, by the books or by whatever has shown it first; null = nothing is. */
function heldSince({ open, position, orders, instrument }: Looked, exposure: Decimal, at: Instant): Instant | null {
  if (big(exposure).eq(0)) return null;
  const isSame = open !== null && big(open.contracts).gt(0) === big(exposure).gt(0);
  if (isSame) return open.openedAt;
  const filled = orders.flatMap(({ order, found }) =>
    order.instrument === instrument.id && found !== null && !big(found.filledSize).eq(0) ? [found.updatedAt] : [],
  );
  return filled.sort()[0] ?? position?.updatedAt ?? at;
}

/**
 * Makes the venue hold exactly one stop for what an instrument holds: places, moves or ends what `protect` says, and closes at
 * market what no stop can cover any more, what the venue's own stop was triggered for in vain, or what has had none for too long
 * and is refused one. It may be called as often as one likes: where all is well it asks for nothing, and writes nothing that is
 * written. What is sent is written down before; where that fails it is sent all the same. Returns what the kill switch became,
 * when a reply tripped it. It does so in every state of the switch.
 * @throws StopNotTaken when the venue has not taken it; the next look tries again. What kept the record from being written.
 */
export async function coverPosition(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  looked: Looked,
): Promise<StoredControl | null> {
  const { instrument, position, open, stops, known } = looked;
  if (position && isDust(position.contracts, instrument, position.markPrice, run.policy)) return null; // no order can close it
  const covered = coveredOf(looked, run.policy.adoptedStop);
  const mine = stops.filter((stop) => stop.instrument === instrument.id);
  const { attempt, failures } = attempts();
  const { account, at } = run;
  const sight = { episode: open?.id ?? null, heldSince: heldSince(looked, covered.exposure, at) };
  const recorded = { ...sight, account, at, instrument: instrument.id, known, stops: mine };
  const trail = await trailOf(store, exchange, recorded, attempt);
  const rule = { most: await limitOf(exchange, instrument, covered.exposure, attempt), lotSize: instrument.lotSize };
  const sized = mine.filter((stop) => !stop.isWhole && isStopId(account.mode, stop.stopId));
  const ours = [...mine.filter((stop) => stop.isWhole), ...sized];
  const sliced = slice(covered, rule, ours);
  const isHeld = position !== null && !big(covered.exposure).eq(0);
  const isSpent = isHeld && trail.isSpent(big(covered.exposure).gt(0) ? "sell" : "buy");
  const laid = isSliced(covered, rule, ours) ? sliced : protect(covered, mine, sized);
  const wanted: readonly Command[] = isSpent ? [{ act: "close" }] : laid;
  const commands = await withoutStaleEnds(exchange, instrument.id, covered.exposure, wanted, attempt);
  for (const command of commands) {
    if (command.act === "place" && command.size === undefined) trail.sending(command.side, command.trigger);
    if (command.act === "amend") trail.moving(command.algoId, command.trigger);
  }
  const keep = () => attempt("record of the stops", instrument.id, () => trail.keep());
  await keep();
  const tripped = await attempt("stop", instrument.id, () =>
    carryOut(store, exchange, run, { ...looked, covered, commands, sliced, trail }),
  );
  await keep();
  if (failures.length > 1) throw new PartsFailed("cover-position", failures);
  for (const { error } of failures) throw error;
  return tripped;
}

/**
 * Returns the commands, without those that end a stop where the venue holds another side by now than what was seen: the process may
 * have stood still since, and the stop be that of what was opened meanwhile. The next look ends it if it is to be ended.
 */
async function withoutStaleEnds(
  exchange: Exchange,
  instrument: string,
  seen: Decimal,
  commands: readonly Command[],
  attempt: Attempt,
): Promise<readonly Command[]> {
  if (!commands.some(({ act }) => act === "cancel")) return commands;
  const positions = await attempt("position before a stop is ended", instrument, () => exchange.positions());
  const held = positions?.find((one) => one.instrument === instrument)?.contracts ?? ZERO;
  const isAsSeen = positions !== null && big(held).cmp(0) === big(seen).cmp(0);
  return isAsSeen ? commands : commands.filter(({ act }) => act !== "cancel");
}

/** What is to be done about one instrument. */
interface Acts extends Looked {
  readonly covered: Covered;
  readonly commands: readonly Command[];
  /** What is done instead where the venue takes no stop of the whole position. */
  readonly sliced: readonly Command[];
  readonly trail: Trail;
}

/** Returns the most that one stop may close, null when that is not known: the venue says it when a stop is too large. */
async function limitOf(
  exchange: Exchange,
  instrument: Instrument,
  exposure: Decimal,
  attempt: Attempt,
): Promise<SliceRule["most"]> {
  if (big(exposure).eq(0)) return null;
  return attempt("most of one stop", instrument.id, async () => {
    // What a stop places is a market order.
    const [stop, market] = [await exchange.stopLimit(instrument.id), await exchange.marketLimit(instrument.id)];
    return stop === null || (market !== null && big(market).lt(stop)) ? market : stop;
  });
}

/** Replies after which a stop may be had yet, by a later look. */
const UNTAKEN: readonly StopReply["kind"][] = ["rejected", "busy", "unknown", "exists"];

/** Returns whether what is held has had no stop at all for as long as is allowed, by the venue's clock, and was refused one now. */
async function hadNone(
  exchange: Exchange,
  { policy }: StopRun,
  trail: Trail,
  instrument: string,
  command: Command,
): Promise<boolean> {
  if (command.act !== "place") return false;
  const seconds = (millis(await exchange.now()) - millis(trail.exposedAt())) / 1000;
  if (seconds < policy.maxUncoveredSeconds) return false;
  const { side } = command;
  return (await exchange.stops()).every((stop) => stop.instrument !== instrument || stop.side !== side);
}

async function carryOut(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  acts: Acts,
): Promise<StoredControl | null> {
  const { instrument, open, orders, covered, commands, sliced, trail } = acts;
  const { exposure, trigger } = covered;
  let tripped: StoredControl | null = null;
  for (const [nth, command] of commands.entries()) {
    const reply = await carriedOut(exchange, run, trail, instrument.id, command, nth);
    if (reply.kind !== "accepted" && reply.onlySized)
      return (await carryOut(store, exchange, run, { ...acts, commands: sliced })) ?? tripped;
    // Nothing is held any more, or the stop that was to be moved or ended has fired: the books are about to say so.
    if (reply.kind === "accepted" || reply.kind === "flat" || reply.kind === "gone") continue;
    if (reply.kind === "halt" || reply.kind === "frozen") {
      const state = reply.kind === "halt" ? "HALTED" : "REDUCING";
      const change = { state, reason: `venue: ${reply.code} ${reply.reason}`, actor: run.by, at: run.at } as const;
      tripped = (await store.tighten(run.account.mode, change)) ?? tripped;
    }
    const isTooLate = UNTAKEN.includes(reply.kind) && (await hadNone(exchange, run, trail, instrument.id, command));
    if (reply.kind !== "passed" && !isTooLate) throw new StopNotTaken(instrument.id, command.act, reply);
    const held = { contracts: exposure, stopPrice: trigger, openedAt: open?.openedAt ?? run.at };
    const mark = covered.mark ?? (await exchange.quote(instrument.id)).mark;
    tripped = (await closeAtMarket(store, exchange, run, instrument, held, mark, orders)) ?? tripped;
    if (isTooLate) return tripped;
  }
  return tripped;
}
