import { type Handler, lambdaContext, loadHandler } from "#local/aws/jobs";
import { setEnv } from "#runtime/config";
import { type OkxClient, okxClient } from "#runtime/okx/client";
import { okxExchange } from "#runtime/okx/exchange";
import { provide } from "#runtime/services";
import type { Job } from "#topology/job";
import { queues } from "#topology/queues";
import { schedules } from "#topology/schedules";
import type { ControlBoard, ControlObject } from "#trading/control-object";
import type { TradingStore } from "#trading/store";
import type { Exchange } from "#trading/venue";
import { paperAccess } from "../paper-access.ts";
import { INSTRUMENTS } from "./market.ts";
import type { Scheduler } from "./scheduler.ts";

/** The desk's trading jobs as the model runs them: the exported handlers, each in a process of its own. */

export const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };

const CONFIG = paperAccess("http://127.0.0.1:9", KEY);

const SETTINGS = {
  ...{ SPYHOP_MODE: "demo", VENUE: "paper", BAR_SECONDS: "300", GIT_SHA: "model", EVENT_BUS: "model" },
  INSTRUMENTS: INSTRUMENTS.map(({ id }) => id).join(","),
  POLICY: JSON.stringify({ cooldownSeconds: 60 }),
  ...Object.fromEntries(
    Object.keys(queues).map((name) => [`QUEUE_URL_${name.toUpperCase()}`, `http://model.invalid/${name}`]),
  ),
};

/** What a connection that breaks throws. */
export class LostConnection extends Error {
  override name = "LostConnection";
  readonly code = "ECONNRESET";
}

export interface Program {
  /** By consumer: each job of the topology that works on the books of trading. */
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly client: OkxClient;
}

let program: Promise<Program> | undefined;

async function load(): Promise<Program> {
  setEnv(SETTINGS);
  const jobs: readonly Pick<Job, "consumer" | "needs">[] = [...Object.values(queues), ...Object.values(schedules)];
  const trading = jobs.filter(({ needs }) => needs.includes("books"));
  const handlers = await Promise.all(trading.map(async (job) => [job.consumer, await loadHandler(job)] as const));
  // One is slow to make, and keeps nothing of a schedule but how far its clock is off.
  const client = okxClient(CONFIG);
  client.milliseconds = () => Date.now(); // ccxt keeps the clock that it found when it was loaded
  return { handlers: new Map(handlers), client };
}

/** Loads the handlers and their client of the venue, once a process. */
export function loadProgram(): Promise<Program> {
  program ??= load();
  return program;
}

/** Returns the context of an invocation that begins now. */
export function contextAt(scheduler: Scheduler, job: Pick<Job, "consumer" | "timeoutSeconds">) {
  const deadline = scheduler.now() + job.timeoutSeconds * 1000;
  const left = () => Math.max(0, deadline - scheduler.now());
  return { ...lambdaContext(job, 0), getRemainingTimeInMillis: left };
}

/** Begins an invocation of a job, in the process of the job if it lives. */
export type Begin = (job: string, work: () => Promise<unknown>) => Promise<"done" | "failed" | "died">;

/** Returns how invocations begin: with these books and this control object, and a new client of the venue after a death. */
export function processesOf(
  scheduler: Scheduler,
  client: OkxClient,
  books: TradingStore,
  control: ControlBoard,
): Begin {
  const alive = new Map<string, Exchange>();
  client.options.timeDifference = 0;
  return async (job, work) => {
    const exchange = alive.get(job) ?? okxExchange(CONFIG, client);
    alive.set(job, exchange);
    const end = await scheduler.invoke(job, () => {
      provide("database", {} as never); // no job asks it anything but through its books
      provide("books", books);
      provide("exchange", exchange);
      provide("control", control);
      return work();
    });
    if (end === "died") alive.delete(job);
    return end;
  };
}

/** Forgets what was provided. */
export function forget(): void {
  for (const need of ["database", "books", "exchange", "control"] as const) provide(need, null);
}

/** Returns the books as the jobs are given them: each call is an await of the scheduler's. `after` hears what came of each. */
export function gatedBooks(
  scheduler: Scheduler,
  store: TradingStore,
  fails: (door: string) => boolean,
  after: (method: string, made: unknown) => void,
): TradingStore {
  const gated = Object.entries(store).map(([name, method]) => [
    name,
    (...args: readonly unknown[]) =>
      scheduler.ask(`books.${name}`, 1 + scheduler.random() * 9, 0, async () => {
        if (fails("books-lost")) throw new LostConnection();
        const made = await (method as (...all: readonly unknown[]) => Promise<unknown>)(...args);
        after(name, made);
        if (fails("books-lost-after")) throw new LostConnection();
        return made;
      }),
  ]);
  return Object.fromEntries(gated) as TradingStore;
}

export interface Board {
  object: ControlObject | null;
  /** As a person with the keys writes it. */
  readonly plain: ControlBoard;
  /** As the jobs are given it. */
  readonly gated: ControlBoard;
}

/** Returns the place of the control object. */
export function boardOf(scheduler: Scheduler, fails: (door: string) => boolean, changed: () => void): Board {
  const wait = () => 5 + scheduler.random() * 60;
  const board: Board = {
    object: null,
    plain: {
      mode: "demo",
      read: async () => (board.object === null ? { problem: "it is empty", blank: true } : { object: board.object }),
      write: async (object) => {
        board.object = object;
        changed();
        return null;
      },
    },
    gated: {
      mode: "demo",
      read: () =>
        scheduler.ask("control.read", wait(), 0, () =>
          fails("control-unreadable") ? { problem: "it does not answer", blank: false } : board.plain.read(),
        ),
      write: (object) =>
        scheduler.ask("control.write", wait(), 0, () =>
          fails("control-refused") ? "it is refused" : board.plain.write(object),
        ),
    },
  };
  return board;
}
