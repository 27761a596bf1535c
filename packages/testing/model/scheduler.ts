import { AsyncLocalStorage } from "node:async_hooks";
import { sha256 } from "#units/ids";
import { uniform } from "../simulation.ts";

/** One run of a handler in a process that can die at any of its awaits. */
export interface Invocation {
  readonly job: string;
  readonly n: number;
  dead: boolean;
  /** It stands still until then. */
  frozenTo: number;
  /** Awaits of it that the scheduler still owes an answer. */
  waiting: number;
}

interface Due {
  readonly at: number;
  readonly nth: number;
  readonly act: () => void | Promise<void>;
}

/** Whether a process ends before what it asks for is done, or when the answer is there. */
export type Moment = "before" | "after";

/** Says what strikes a process at an await: it dies, or stands still for so many ms; null = nothing. */
export type Strikes = (
  invocation: Pick<Invocation, "job" | "n">,
  moment: Moment,
  what: string,
) => "dies" | number | null;

/** The one owner of time, timers, chance and of the answer to every await of a port. */
export interface Scheduler {
  now(): number;
  /** Returns a number in [0, 1), drawn from the seed. */
  random(): number;
  /** Has `act` done when the clock has come to `at`. Returns how to forget it. */
  at(at: number, act: () => void | Promise<void>): () => void;
  /**
   * Has an effect of a port done `there` ms from now, and answered `back` ms after that. An invocation that is dead by then
   * hears nothing; what it has sent is done all the same.
   */
  ask<T>(what: string, there: number, back: number, effect: () => T | Promise<T>, remark?: string): Promise<T>;
  /** Runs `work` as one invocation. Resolves with "died" when its process did. */
  invoke(job: string, work: () => Promise<unknown>): Promise<"done" | "failed" | "died">;
  /** Returns the invocation that asks, or for which something is done; null outside of one. */
  current(): Pick<Invocation, "job" | "n"> | null;
  /** What runs now stands still for `ms`, and hears nothing in that time; what begins meanwhile does not. Returns which do. */
  freeze(ms: number): readonly Pick<Invocation, "job" | "n">[];
  /** Goes on until nothing is due before `until`. */
  run(until: number): Promise<void>;
  note(line: string): void;
  readonly trace: readonly string[];
  /** Returns the hash of all that happened. */
  hash(): string;
}

const immediate = setImmediate;
const macrotask = (): Promise<void> => new Promise((done) => immediate(done));

/** Returns when the next of `list` is due first, by its time and then by when it was asked for. */
function takeFirst(list: Due[]): Due {
  let best = 0;
  for (let i = 1; i < list.length; i += 1) {
    const [a, b] = [list[i] as Due, list[best] as Due];
    if (a.at < b.at || (a.at === b.at && a.nth < b.nth)) best = i;
  }
  return list.splice(best, 1)[0] as Due;
}

/** Returns a scheduler whose clock stands at `start`. */
export function schedulerOf(seed: number, start: number, strikes: Strikes): Scheduler {
  const random = uniform(seed);
  const running = new AsyncLocalStorage<Invocation>();
  const due: Due[] = [];
  const alive = new Set<Invocation>();
  const ends = new Map<Invocation, (end: "died") => void>();
  const trace: string[] = [];
  let [now, nth, invoked] = [start, 0, 0];
  const note = (line: string): void => {
    trace.push(`${((now - start) / 1000).toFixed(3)} ${line}`);
  };
  const at: Scheduler["at"] = (when, act) => {
    const one: Due = { at: Math.max(Math.round(when), now), nth: nth++, act };
    due.push(one);
    return () => {
      const place = due.indexOf(one);
      if (place >= 0) due.splice(place, 1);
    };
  };
  const kill = (invocation: Invocation, why: string): void => {
    note(`${invocation.job}#${invocation.n} dies ${why}`);
    invocation.dead = true;
    alive.delete(invocation);
    ends.get(invocation)?.("died");
  };
  /** Returns whether a process is dead at an await, or dies there; it may stand still instead. */
  const dies = (invocation: Invocation | undefined, moment: Moment, what: string): boolean => {
    if (!invocation || invocation.dead) return invocation !== undefined;
    const struck = strikes(invocation, moment, what);
    if (struck === null) return false;
    if (struck === "dies") {
      kill(invocation, `${moment} ${what}`);
      return true;
    }
    note(`${invocation.job}#${invocation.n} stands still ${moment} ${what} for ${struck / 1000} s`);
    invocation.frozenTo = Math.max(invocation.frozenTo, now + struck);
    return false;
  };
  /** Lets every continuation run that can, until all that is alive waits for the scheduler. */
  const settle = async (): Promise<void> => {
    do await macrotask();
    while ([...alive].some(({ waiting }) => waiting === 0));
  };
  const ask: Scheduler["ask"] = (what, there, back, effect, remark = "") => {
    const invocation = running.getStore();
    const { promise, resolve, reject } = Promise.withResolvers<never>();
    if (dies(invocation, "before", what)) return promise;
    if (invocation) invocation.waiting += 1;
    const name = invocation ? `${invocation.job}#${invocation.n}` : "-";
    at(Math.max(now, invocation?.frozenTo ?? now) + there, async () => {
      const answer = await Promise.resolve()
        .then(() => (invocation ? running.run(invocation, effect) : effect()))
        .then(
          (value) => () => resolve(value as never),
          (error: unknown) => () => reject(error),
        );
      note(`${name} ${what}${remark}`);
      const wake = (): void => {
        if (invocation && now < invocation.frozenTo) return void at(invocation.frozenTo, wake);
        if (invocation) invocation.waiting -= 1;
        if (!invocation?.dead) answer();
      };
      const arrive = (): void => {
        if (!dies(invocation, "after", what)) wake();
      };
      if (back <= 0) arrive();
      else at(now + back, arrive);
    });
    return promise;
  };
  return {
    now: () => now,
    random,
    at,
    ask,
    note,
    trace,
    hash: () => sha256(trace.join("\n")),
    invoke: async (job, work) => {
      const invocation: Invocation = { job, n: invoked++, dead: false, frozenTo: start, waiting: 0 };
      alive.add(invocation);
      const ended = new Promise<"died">((end) => ends.set(invocation, end));
      const worked = running.run(invocation, work).then(
        () => "done" as const,
        (error: Error) => {
          note(`${job}#${invocation.n} fails: ${error.name} ${error.message.slice(0, 200)}`);
          return "failed" as const;
        },
      );
      const end = await Promise.race([worked, ended]);
      alive.delete(invocation);
      ends.delete(invocation);
      return end;
    },
    current: () => running.getStore() ?? null,
    freeze: (ms) => {
      for (const one of alive) one.frozenTo = now + ms;
      return [...alive];
    },
    run: async (until) => {
      await settle();
      while (due.some((one) => one.at <= until)) {
        const next = takeFirst(due);
        now = Math.max(now, next.at);
        await next.act();
        await settle();
      }
      now = Math.max(now, until);
    },
  };
}
