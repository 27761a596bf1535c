import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Db } from "#db/client";
import { chainDouble } from "#doubles/node/node";
import { paperKey, paperSecret } from "#doubles/venue/key";
import { paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { type Closer, closeAll } from "#host/closers";
import { openEmbedded } from "#local/postgres/embedded-postgres";
import { recordedCandles } from "#recording/candle-source";
import type { Recording } from "#recording/recording";
import { readSettings } from "#runtime/config";
import type { ScheduleName } from "#topology/schedules";
import { type Instant, instant } from "#units/time";
import { type ReplayOptions, type ReplayProgress, replay } from "../replay.ts";
import { buildRunReport } from "../run-report.ts";
import { seedDesk, settingsOf, startOf } from "../run-settings.ts";
import type { Call, DeskProcessOptions, FromDesk, FromParent, Wait } from "./desk-process.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import type { Place } from "./plan.ts";
import { trustWallets } from "./trust.ts";
import { submissionWindows } from "./windows.ts";

export interface KilledOptions extends ReplayOptions {
  readonly recording: Recording;
  /** The desk's folder; what is in it goes. */
  readonly directory: string;
  /** How many invocations the replay has when nothing is killed. */
  readonly invocations: number;
  readonly progress: (step: ReplayProgress) => void;
}

export interface KilledOutcome extends Outcome {
  /** Processes that were killed outside of the windows, by what they waited for. */
  readonly kills: ReadonlyMap<string, number>;
}

/** The process of the desk ended without being killed: it cannot go on. The message says how it ended. */
class DeskProcessError extends Error {
  override name = "DeskProcessError";
}

/** The process was killed, as the drill wanted it. */
class DeskKilledError extends Error {
  override name = "DeskKilledError";
}

/** What a process waits for when it is killed, outside of the windows; in a transaction where it is the database. */
export const STRUCK = ["database", "queues", "bus", "end"] as const satisfies readonly Place[];

/** Decides at each wait whether the process dies there, and counts. */
function reaper(invocations: number) {
  const windows = submissionWindows();
  const kills = new Map<string, number>();
  const left: Place[] = [...STRUCK];
  let begun = 0;
  const strikes = ({ place, inTransaction, submitting }: Wait): boolean => {
    const due = (invocations * (STRUCK.length - left.length + 1)) / (STRUCK.length + 2);
    if (submitting !== null || place !== left[0] || begun < due) return false;
    if (place === "database" && !inTransaction) return false;
    left.shift();
    return true;
  };
  return {
    windows,
    kills,
    invocations: (): number => begun,
    begin: (): void => {
      begun += 1;
    },
    takes: (wait: Wait): boolean => {
      if (windows.meet(wait.submitting, wait.posted)) return true;
      if (!strikes(wait)) return false;
      kills.set(wait.place, (kills.get(wait.place) ?? 0) + 1);
      return true;
    },
  };
}

type Reaper = ReturnType<typeof reaper>;

interface Desk {
  /** @throws DeskKilledError when the process is killed meanwhile; DeskProcessError when it ends otherwise or fails. */
  call(call: Call): Promise<readonly string[]>;
  end(): Promise<void>;
}

/** Starts a process that goes on from what is in the folder, and returns when it takes calls. */
async function startDesk(options: DeskProcessOptions, fates: Reaper): Promise<Desk> {
  const child = fork(join(import.meta.dirname, "desk-process.ts"), {
    execArgv: [...process.execArgv, "--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const say = (message: FromParent): void => void child.send(message);
  const waiting = new Map<number, { resolve: (letters: readonly string[]) => void; reject: (error: Error) => void }>();
  const ready = Promise.withResolvers<void>();
  const settle = (id: number) => {
    const call = waiting.get(id);
    waiting.delete(id);
    return call;
  };
  child.on("message", (message: FromDesk) => {
    if (message.kind === "ready") ready.resolve();
    else if (message.kind === "began") fates.begin();
    else if (message.kind === "done") settle(message.id)?.resolve(message.deadLetters);
    else if (message.kind === "failed") settle(message.id)?.reject(new DeskProcessError(message.problem));
    else if (!child.killed && fates.takes(message.wait)) child.kill("SIGKILL");
    else if (!child.killed) say({ kind: "go", id: message.id });
  });
  const ended = once(child, "exit");
  void ended.then(([code, signal]) => {
    const error = child.killed
      ? new DeskKilledError("the desk's process was killed")
      : new DeskProcessError(`the desk's process ended with ${signal ?? code}`);
    ready.reject(error);
    for (const call of waiting.values()) call.reject(error);
  });
  say({ kind: "start", options });
  await ready.promise;
  let calls = 0;
  return {
    call: (call) => {
      const id = ++calls;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        say({ kind: "call", id, call });
      });
    },
    end: async () => {
      if (alive(child)) child.kill("SIGKILL");
      await ended;
    },
  };
}

const alive = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

/**
 * Lets the time pass after which SQS shows again what a dead consumer holds, six timeouts of its function: the drill's
 * clock stands meanwhile, and nobody wants to wait.
 */
function passTimeouts(directory: string): void {
  const store = new DatabaseSync(join(directory, "queues", "fauxqs.db"));
  store.exec("UPDATE sqs_messages SET visibility_deadline = 1 WHERE visibility_deadline IS NOT NULL");
  store.close();
}

/** A desk that is started anew whenever it was killed, on the same files; a schedule that died is run again at its time. */
async function immortalDesk(options: DeskProcessOptions, fates: Reaper) {
  let desk = await startDesk(options, fates);
  return {
    call: async (call: Call): Promise<readonly string[]> => {
      for (;;) {
        try {
          return await desk.call(call);
        } catch (error) {
          if (!(error instanceof DeskKilledError)) throw error;
          await desk.end();
          passTimeouts(options.directory);
          desk = await startDesk(options, fates);
        }
      }
    },
    end: () => desk.end(),
  };
}

/**
 * Replays a recording through a desk in a process of its own that is killed (SIGKILL) again and again and started anew on
 * its database's and queues' files: once at each of STRUCK, and once in each window of a submission. Chain, venue and
 * clock are of this process and stay.
 * @throws what broke the replay; DeskProcessError.
 */
export async function replayKilled(options: KilledOptions): Promise<KilledOutcome> {
  const { recording, directory, progress, ...rest } = options;
  const began = performance.now();
  const closers: Closer[] = [];
  try {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    const clock = virtualClock(startOf(recording));
    const chain = await chainDouble(recording, clock);
    closers.push(chain.close);
    const venue = await paperVenue({ clock, source: recordedCandles(recording), key: paperKey });
    closers.push(venue.close);
    const addresses = { nodeUrl: chain.url, venueUrl: venue.url };
    const env = settingsOf({ recording, gitSha: "drill" }, addresses, clock.now());
    const start = instant(clock.now());
    await withDatabase(directory, async (db) => {
      await seedDesk(db, recording, start);
      await trustWallets(db, recording.manifest.chain, instant((recording.headers[0]?.timestamp ?? 0) * 1000));
    });
    const fates = reaper(options.invocations);
    const desk = await immortalDesk({ directory, env, venueSecret: paperSecret() }, fates);
    closers.push(desk.end);
    const target = {
      runSchedule: async (name: ScheduleName, at: Instant) => void (await desk.call({ kind: "schedule", name, at })),
      drain: async () => void (await desk.call({ kind: "drain" })),
    };
    const times = recording.headers.map((header) => header.timestamp * 1000);
    const end = await replay(times, target, clock, progress, rest);
    const deadLetters = await desk.call({ kind: "close" });
    await desk.end();
    const measured = { invocations: fates.invocations(), deadLetters, windows: fates.windows.ended };
    const outcome = await withDatabase(directory, async (db) => {
      await buildRunReport(db, readSettings(env), start, end);
      return outcomeOf(db, venue.state(), { ...measured, seconds: (performance.now() - began) / 1000 });
    });
    return { ...outcome, kills: fates.kills };
  } finally {
    await closeAll(closers);
  }
}

async function withDatabase<T>(directory: string, work: (db: Db) => Promise<T>): Promise<T> {
  const embedded = await openEmbedded(join(directory, "db"));
  try {
    return await work(embedded.db);
  } finally {
    await embedded.close();
  }
}
