import { type PaperEngine, paperEngine } from "#doubles/venue/venue";
import { useSink } from "#runtime/log";
import { schedules } from "#topology/schedules";
import { objectOf } from "#trading/control-object";
import { decimalOf } from "#units/decimal";
import { actOut, type Scene } from "./acts.ts";
import {
  type Begin,
  boardOf,
  contextAt,
  forget,
  gatedBooks,
  KEY,
  LostConnection,
  loadProgram,
  processesOf,
} from "./desk.ts";
import { type Outside, takeDoors } from "./doors.ts";
import { type Bare, watchOf } from "./laws.ts";
import { marketOf, START } from "./market.ts";
import { type Queues, queuesOf } from "./queues.ts";
import { ROUGH_S, type Schedule } from "./schedule.ts";
import { type Scheduler, type Strikes, schedulerOf } from "./scheduler.ts";
import type { Open } from "./stage.ts";
import { wayToVenue } from "./venue.ts";

export interface Outcome {
  /** Which laws were broken, and how; none is well. */
  readonly violations: readonly string[];
  /** Exposures without a stop, each with what had struck the schedule. */
  readonly bare: readonly (Bare & { readonly struck: "nothing" | "a fault" | "a death" })[];
  /** What struck, each once. */
  readonly struck: ReadonlySet<string>;
  /** Each await that was come to, as `job before|after what`. */
  readonly reached: ReadonlySet<string>;
  readonly trace: readonly string[];
  readonly hash: string;
  /** Orders of the desk that the venue took. */
  readonly orders: number;
}

const BALANCE = decimalOf("100000");
/** So long at least nothing more goes wrong, and so many minutes more until all that is under way has ended. */
const QUIET_S = 180;
const MOST_MINUTES = 25;
/** A stop covers what the desk was told that it holds: within this where nothing is wrong, within that whatever is. */
const STOP_MS = 10_000;
const LONGEST_MS = 60_000;
/** A reconciliation, which begins each minute, takes so long at most to come to what it does. */
const LOOK_MS = 5000;
/** Where more processes die or stand still, it may be each that looks: only a look that nothing hindered is held to it. */
const FEW_BLOWS = 2;
/** After its last trade the venue has shown all, and two runs have seen it. */
const SEEN_MS = 125_000;
const TICK_S = 60;

/** What strikes a schedule, and the awaits at which it could. */
interface Struck {
  readonly struck: Set<string>;
  readonly reached: Set<string>;
  readonly deaths: Strikes;
  /** Returns whether a fault of this door strikes now, at this second. */
  door(name: string, second: number): boolean;
}

function struckBy({ deaths, doors }: Schedule): Struck {
  const [struck, reached] = [new Set<string>(), new Set<string>()];
  const dying = Map.groupBy(
    deaths.map((death) => ({ ...death, seen: 0 })),
    ({ job, moment, what }) => `${job} ${moment} ${what}`,
  );
  const failing = doors.map((fault) => ({ fault, times: fault.times }));
  return {
    struck,
    reached,
    deaths: ({ job }, moment, what) => {
      const point = `${job} ${moment} ${what}`;
      reached.add(point);
      const [death, ...others] = dying.get(point) ?? [];
      if (death === undefined) return null;
      death.seen += 1;
      if (death.seen < death.nth) return null;
      dying.set(point, others);
      struck.add(death.stillMs === null ? `dies: ${job} at ${what}` : `stands still: ${job}`);
      return death.stillMs ?? "dies";
    },
    door: (name, second) => {
      const found = failing.find(({ fault, times }) => fault.door === name && times > 0 && second >= fault.fromS);
      if (found === undefined) return false;
      found.times -= 1;
      struck.add(`door: ${name}`);
      return true;
    },
  };
}

function outsideOf(
  scheduler: Scheduler,
  { skewMs }: Schedule,
  queues: Queues,
  fails: (door: string) => boolean,
  fetch: Outside["fetch"],
): Outside {
  const soon = () => 5 + scheduler.random() * 40;
  return {
    now: () => scheduler.now() + skewMs,
    elapsed: scheduler.now,
    random: scheduler.random,
    timer: (ms, act) => scheduler.at(scheduler.now() + ms, act),
    pause: (ms) => scheduler.ask("pause", ms, 0, () => undefined),
    fetch,
    send: (sent) =>
      scheduler.ask("queue.send", soon(), 0, () => {
        if (fails("send-refused")) throw new LostConnection();
        queues.send(sent);
      }),
    again: (waits) => scheduler.ask("queue.again", soon(), 0, () => queues.again(waits)),
    publish: () => scheduler.ask("bus.publish", soon(), 0, () => undefined),
  };
}

type End = Awaited<ReturnType<Begin>>;

/** Has the reconciler run at a second of the schedule; `ended` hears how. */
function tick(scheduler: Scheduler, begin: Begin, run: Handler, second: number, ended: (end: End) => void): void {
  const job = schedules["reconcile-orders"];
  scheduler.at(START + second * 1000, () => {
    const event = { id: `tick-${second}`, time: new Date(START + second * 1000).toISOString() };
    void begin("reconcile-orders", () => run(event, contextAt(scheduler, job))).then(ended);
  });
}
type Handler = (event: unknown, context: ReturnType<typeof contextAt>) => Promise<unknown>;

/** Returns whether nothing is under way, no answer of the last run was a wrong one, and the venue has shown all that it did. */
async function isQuiet(
  { stage: { store }, scheduler, engine, faultyAt }: Scene & Faulty,
  schedule: Schedule,
): Promise<boolean> {
  if (scheduler.now() - faultyAt() < TICK_S * 1000) return false;
  const shownMs = Math.max(schedule.fillLagMs, schedule.hidden?.forMs ?? 0, schedule.billLagMs ?? 0);
  const last = engine.account.orders.reduce((latest, { uTime }) => Math.max(latest, uTime), 0);
  if (scheduler.now() - last < shownMs + SEEN_MS) return false;
  const { state, lifts } = await store.control("demo");
  if (state === "REDUCING" && lifts.length > 0) return false;
  return (await store.unclaimed("demo")).length + (await store.ordersAtVenue("demo")).length === 0;
}

/** When the venue's answer was last another than the right one. */
interface Faulty {
  readonly faultyAt: () => number;
}

/** Plays a schedule to its quiet end. */
async function play(schedule: Schedule, scene: Scene & Faulty, begin: Begin, reconcile: Handler): Promise<void> {
  const { scheduler, watch } = scene;
  let last: End = "failed";
  const ended = (end: End): void => {
    last = end;
  };
  const until = (second: number) => scheduler.run(START + (second + TICK_S - 5) * 1000);
  for (let second = 0; second <= ROUGH_S + QUIET_S; second += TICK_S) tick(scheduler, begin, reconcile, second, ended);
  for (const step of schedule.steps) scheduler.at(START + step.atS * 1000, () => actOut(scene, step));
  await until(ROUGH_S + QUIET_S);
  // What is held up, as by fills that show late or a venue that refuses, may go on for a while; it has to end.
  const isOver = async () => last === "done" && (await isQuiet(scene, schedule));
  for (let minute = 1; minute <= MOST_MINUTES && !(await isOver()); minute += 1) {
    const second = ROUGH_S + QUIET_S + minute * TICK_S;
    tick(scheduler, begin, reconcile, second, ended);
    await until(second);
  }
  await watch.end();
}

let isWarm = false;
/**
 * Runs one schedule: the handlers' own files on the books that `open` gives, against the paper venue's engine through the
 * desk's own client, in time that passes by this scheduler alone. The same schedule has the same trace.
 */
export async function runSchedule(schedule: Schedule, open: Open): Promise<Outcome> {
  // What the first run of a process makes for the first time comes in other turns: that run says nothing.
  if (!isWarm) await runOnce(schedule, open);
  isWarm = true;
  return runOnce(schedule, open);
}

async function runOnce(schedule: Schedule, open: Open): Promise<Outcome> {
  const { handlers, client } = await loadProgram();
  const { struck, reached, deaths, door } = struckBy(schedule);
  const scheduler = schedulerOf(schedule.seed, START, (invocation, ...at) => {
    const blow = deaths(invocation, ...at);
    if (blow !== null) watch.hindered(invocation, true);
    return blow;
  });
  const fails = (name: string) => {
    const isStruck = door(name, (scheduler.now() - START) / 1000);
    if (isStruck) watch.hindered(scheduler.current(), false);
    return isStruck;
  };
  const market = marketOf(schedule);
  const stage = await open(market);
  const { store, faults } = stage;
  const clock = { now: scheduler.now };
  const engine: PaperEngine = paperEngine({
    ...{ clock, source: market.source, key: KEY, balance: BALANCE, fillLagMs: schedule.fillLagMs, limits: true },
  });
  const isFresh = schedule.fillLagMs === 0 && !schedule.hidden && schedule.faults.every(({ kind }) => kind !== "stale");
  const { now, current } = scheduler;
  const watch = watchOf({ store, faults, engine, now, current, initial: BALANCE, isFresh });
  const changed = async () => watch.control(await store.control("demo"), board.object);
  const board = boardOf(scheduler, fails, () => void changed());
  board.object = objectOf("demo", await store.control("demo"));
  const books = gatedBooks(scheduler, store, fails, (method, made) => {
    if (method === "tighten" || method === "lift") void changed();
    if (method === "lift" && made !== null) watch.lifted(made as never);
    if (method === "keepLedger") watch.kept(made as never);
  });
  let faultyAt = Number.NEGATIVE_INFINITY;
  const hears = {
    ...watch,
    struck: (name: string, isReply: boolean) => {
      struck.add(name);
      faultyAt = now();
      if (isReply) watch.hindered(current(), false);
    },
  };
  const way = wayToVenue(scheduler, engine, schedule, hears);
  const begin = processesOf(scheduler, client, books, board.gated);
  const queues = queuesOf(scheduler, handlers, begin, fails);
  const giveBack = takeDoors(outsideOf(scheduler, schedule, queues, fails, way));
  useSink(() => undefined);
  try {
    const scene = { scheduler, engine, stage, watch, queues, board, faultyAt: () => faultyAt };
    await play(schedule, scene, begin, handlers.get(schedules["reconcile-orders"].consumer) as Handler);
  } finally {
    giveBack();
    useSink(null);
    forget();
  }
  const stood = schedule.steps.some(({ act }) => act === "freeze");
  const names = [...struck, ...(stood ? ["a process stood still"] : [])];
  const by = names.some((name) => name.startsWith("dies")) ? "a death" : names.length > 0 ? "a fault" : "nothing";
  const most = by === "nothing" ? STOP_MS : LONGEST_MS;
  const blows = names.filter((name) => /^(dies|stands)/.test(name)).length;
  const isFew = blows <= FEW_BLOWS;
  const late = watch.bare.filter(({ cause, ms, unhinderedMs }) =>
    cause === "order" && isFew ? ms > most : unhinderedMs > most + LOOK_MS,
  );
  return {
    violations: [
      ...watch.violations,
      ...late.map(
        ({ instrument, cause, ms, unhinderedMs }) =>
          `a stop is there in time: ${instrument}, held by ${cause}, had none for ${ms / 1000} s, ${unhinderedMs / 1000} s of them after a look that nothing hindered`,
      ),
    ],
    bare: watch.bare.map((one) => ({ ...one, struck: by })),
    ...{ struck, reached, trace: scheduler.trace, hash: scheduler.hash() },
    orders: engine.account.orders.filter(({ clOrdId }) => clOrdId !== "").length,
  };
}
