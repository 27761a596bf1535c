import { type Random, randomOf } from "#recording/sample/random";
import type { Windows } from "./windows.ts";

/** How often each fault strikes, as fractions. */
export interface Rates {
  /** Of the messages that were taken off a queue: delivered once more. */
  readonly redelivered: number;
  /** Of the invocations: ended in the middle, like a Lambda whose machine went away. */
  readonly killed: number;
  /** Of the calls to SQS: answered with an error. */
  readonly refused: number;
  /** Of the calls to the bus, which are few: answered with an error. */
  readonly refusedByBus: number;
}

/** The rates of a drill. Source: docs/runbook.md, "The fault drill". */
export const RATES: Rates = { redelivered: 0.1, killed: 0.05, refused: 0.05, refusedByBus: 0.6 };

/** The job that claims orders and posts them. */
export const SUBMITTER = "submit-order";

/** Returns the job of a function: "functions/watch-head.handler" → "watch-head". */
export const jobOfConsumer = (consumer: string): string => consumer.replace(/^functions\/|\.handler$/g, "");

/** What an invocation waits for. */
export type Place = "database" | "queues" | "bus" | "node" | "venue" | "end";

/** How a call to SQS or the bus goes wrong: not carried out, carried out without a good answer, or in part. */
export interface Refusal {
  readonly stage: "before" | "after" | "part";
  /** Every retry of the SDK meets it too, so that it reaches the job. */
  readonly lasting: boolean;
}

/** Every way that a call goes wrong. A reply in part is final: the SDK sees a success, and the job must look. */
export const REFUSALS: readonly Refusal[] = [
  { stage: "before", lasting: false },
  { stage: "after", lasting: false },
  { stage: "before", lasting: true },
  { stage: "after", lasting: true },
  { stage: "part", lasting: true },
];

/** Returns how a refusal is called where its kinds are counted. */
export const refusalName = (place: "queues" | "bus", { stage, lasting }: Refusal): string =>
  `${place} ${stage}${lasting && stage !== "part" ? " through retries" : ""}`;

/** The invocation was ended by the drill. Nothing that it does from then on has an effect. */
export class KilledError extends Error {
  override name = "KilledError";
}

export interface FaultCounts {
  invocations: number;
  redelivered: number;
  receivesLost: number;
  spared: number;
  /** By job and what it waited for. */
  readonly killed: Map<string, number>;
  /** By endpoint and operation. */
  readonly refused: Map<string, number>;
  /** The same by endpoint and kind, as `refusalName` calls it. */
  readonly refusals: Map<string, number>;
}

export interface FaultPlan {
  readonly counts: FaultCounts;
  /**
   * Runs one invocation of `job` over `units` (message ids, or the schedule's due time). An invocation that is killed
   * throws KilledError, and only once its code has come to rest, so that invocations never overlap.
   */
  run<T>(job: string, units: readonly string[], work: () => Promise<T>): Promise<T>;
  /**
   * A wait of the current invocation; `posted` says that the venue has just carried out the POST of an order.
   * @throws KilledError when the invocation is dead, or dies here.
   */
  pass(place: Place, inTransaction?: boolean, posted?: boolean): Promise<void>;
  /** Whether the database fails now: true once per planned restart, while an invocation uses it. */
  breaksNow(inTransaction: boolean): Promise<boolean>;
  /** Decides over one call to SQS or the bus. `mayLast`: a job made it, and can be delivered again. */
  refuse(place: "queues" | "bus", operation: string, mayLast: boolean): Refusal | null;
  /** Whether a message that was done with comes once more. */
  redelivers(unit: string): boolean;
  /** Whether the reply of a receive of these messages may be lost: each then counts as received in vain. */
  mayLose(units: readonly string[]): boolean;
}

/** Where invocations are ended: everywhere but in the spared window, or only there. */
export type Aim = "around" | "inside";

export interface PlanOptions {
  readonly aim: Aim;
  readonly seed: string;
  readonly rates: Rates;
  /** The numbers of the invocations during which the database is restarted, ascending. */
  readonly restarts: readonly number[];
  /**
   * Returns the client order id of the order that was claimed and has no reply yet, where this job may be in that window;
   * else null. Asked outside of its transactions.
   */
  readonly submitting: (job: string) => Promise<string | null>;
  /** The submissions that end in that window, whatever the rates; null = none. */
  readonly windows: Windows | null;
  /** Makes the next invocation begin as a new process. */
  readonly renew: () => void;
}

/**
 * A message may be received five times, and a schedule's event is tried three times: more trouble than this, and the
 * receives that are lost beside it, would be a dead letter or a lost tick by design.
 */
const MOST_PER_UNIT = 2;
/** Waits of a job that has not run yet. */
const GUESS = 8;
/** Waits from an order's claim to the record of its reply: the commit, the last look, the POST, and the record. */
const WINDOW = 8;

interface Invocation {
  readonly job: string;
  readonly units: readonly string[];
  readonly killAt: number;
  passed: number;
  inside: number;
  dead: boolean;
  submitting: string | null;
  troubled: boolean;
}

const bump = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);

/** What a plan remembers while it runs. */
interface State extends PlanOptions {
  readonly counts: FaultCounts;
  readonly draws: Readonly<Record<"kills" | "refusals" | "deliveries", Random>>;
  readonly hasRoom: (units: readonly string[]) => boolean;
  readonly spend: (units: readonly string[]) => void;
  current: Invocation | null;
}

/** Returns a plan that draws every fault from `seed`: the same waits in the same order meet the same faults. */
export function faultPlan(options: PlanOptions): FaultPlan {
  const draw = (name: string): Random => randomOf(options.seed, `drill ${name}`);
  const trouble = new Map<string, number>();
  const state: State = {
    ...options,
    counts: {
      ...{ invocations: 0, redelivered: 0, receivesLost: 0, spared: 0 },
      ...{ killed: new Map(), refused: new Map(), refusals: new Map() },
    },
    draws: { kills: draw("kills"), refusals: draw("refusals"), deliveries: draw("deliveries") },
    hasRoom: (units) => units.every((unit) => (trouble.get(unit) ?? 0) < MOST_PER_UNIT),
    spend: (units) => {
      for (const unit of units) bump(trouble, unit);
    },
    current: null,
  };
  return {
    counts: state.counts,
    pass: (place, inTransaction = false, posted = false) => passing(state, place, inTransaction, posted),
    run: runner(state),
    breaksNow: breaker(state),
    ...judge(state),
  };
}

async function passing(state: State, place: Place, inTransaction: boolean, posted: boolean): Promise<void> {
  const { current: invocation, aim, counts, windows } = state;
  if (invocation === null) return;
  if (invocation.dead) throw new KilledError(`${invocation.job} was ended before`);
  invocation.passed += 1;
  const isDoomed = invocation.killAt !== Number.POSITIVE_INFINITY;
  const isWatched = windows !== null && invocation.job === SUBMITTER;
  if (!isDoomed && !isWatched) return;
  // A transaction is one step: whether its invocation may end inside was decided when it began.
  if (!inTransaction) invocation.submitting = await state.submitting(invocation.job);
  if (isWatched && windows.meet(invocation.submitting, posted)) die(state, invocation, place);
  if (!isDoomed) return;
  const spared = invocation.submitting !== null;
  if (aim === "inside" && spared) invocation.inside += 1;
  if ((aim === "inside" ? invocation.inside : invocation.passed) < invocation.killAt) return;
  if (spared === (aim === "around")) {
    counts.spared += 1;
    return;
  }
  die(state, invocation, place);
}

function die({ counts }: State, invocation: Invocation, place: Place): never {
  invocation.dead = true;
  bump(counts.killed, `${invocation.job} ${place}`);
  throw new KilledError(`${invocation.job} ends at its wait ${invocation.passed}, for ${place}`);
}

function runner(state: State): FaultPlan["run"] {
  const waits = new Map<string, number>();
  const begin = (job: string, units: readonly string[]): Invocation => {
    const { kills } = state.draws;
    state.counts.invocations += 1;
    const isDoomed = kills.chance(state.rates.killed);
    const killAt = 1 + kills.below(state.aim === "inside" ? WINDOW : (waits.get(job) ?? GUESS) + 1);
    return {
      job,
      units,
      killAt: isDoomed && state.hasRoom(units) ? killAt : Number.POSITIVE_INFINITY,
      passed: 0,
      inside: 0,
      dead: false,
      submitting: null,
      troubled: false,
    };
  };
  return async (job, units, work) => {
    const invocation = begin(job, units);
    state.current = invocation;
    try {
      const result = await work();
      // Everything is written and sent, and the answer never comes.
      if (invocation.killAt !== Number.POSITIVE_INFINITY && !invocation.dead) await passing(state, "end", false, false);
      if (invocation.dead) throw new KilledError(`${job} was ended`);
      waits.set(job, invocation.passed);
      return result;
    } catch (error) {
      throw invocation.dead && !(error instanceof KilledError) ? new KilledError(`${job} was ended`) : error;
    } finally {
      state.current = null;
      if (invocation.dead || invocation.troubled) state.spend(units);
      if (invocation.dead) state.renew();
    }
  };
}

function breaker(state: State): FaultPlan["breaksNow"] {
  const pending = [...state.restarts];
  return async (inTransaction) => {
    const { current, counts } = state;
    const due = pending[0];
    if (current === null || current.dead || due === undefined || counts.invocations < due) return false;
    if (!state.hasRoom(current.units)) return false;
    if ((inTransaction ? current.submitting : await state.submitting(current.job)) !== null) return false;
    pending.shift();
    current.troubled = true;
    return true;
  };
}

function judge(state: State): Pick<FaultPlan, "refuse" | "redelivers" | "mayLose"> {
  const { counts, rates } = state;
  const { refusals, deliveries } = state.draws;
  return {
    refuse: (place, operation, mayLast) => {
      if (!refusals.chance(place === "bus" ? rates.refusedByBus : rates.refused)) return null;
      const { current } = state;
      const lasts = mayLast && current !== null && !current.dead && state.hasRoom(current.units);
      // Calls are few: the kinds that came least often go first, so that each is met.
      const met = (refusal: Refusal): number => counts.refusals.get(refusalName(place, refusal)) ?? 0;
      const kinds = REFUSALS.filter(({ lasting }) => lasts || !lasting);
      const least = Math.min(...kinds.map(met));
      const refusal = refusals.pick(kinds.filter((kind) => met(kind) === least));
      if (refusal.lasting && current) current.troubled = true;
      bump(counts.refused, `${place} ${operation}`);
      bump(counts.refusals, refusalName(place, refusal));
      return refusal;
    },
    redelivers: (unit) => {
      if (!deliveries.chance(rates.redelivered) || !state.hasRoom([unit])) return false;
      state.spend([unit]);
      counts.redelivered += 1;
      return true;
    },
    mayLose: (units) => {
      if (!state.hasRoom(units)) return false;
      state.spend(units);
      counts.receivesLost += 1;
      return true;
    },
  };
}
