import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Verify } from "#chain/integrity";
import type { Heads } from "#chain/reorg";
import { cursorOf, seedCursor } from "#db/chain/blocks";
import { upsertLabels } from "#db/chain/labels";
import { watchWallets } from "#db/chain/wallets";
import { paperSecret, SECRET_ID } from "#doubles/venue/key";
import type { Clock } from "#host/clock";
import { type Closer, closeAll } from "#host/closers";
import { makeFolder, orDiskFull } from "#host/disk";
import { lockFolder } from "#host/folder-lock";
import type { Label, WatchedWallet } from "#recording/schema";
import { errorFields, type LogLine, log, useSink } from "#runtime/log";
import type { ScheduleName } from "#topology/schedules";
import { QUEUES, SCHEDULES, schedule } from "#topology/topology";
import type { PolicyDifferences } from "#trading/plans/policy";
import { type Instant, instant } from "#units/time";
import { controlFile } from "../control-board.ts";
import { openDoor } from "../door.ts";
import { dueAfter } from "../due.ts";
import { type Laptop, startLaptop } from "../laptop.ts";
import { logFile } from "../log-file.ts";
import { openServer } from "../postgres/server-postgres.ts";
import { headFileOf, recordFile } from "../record-file.ts";
import { isLoopback, openPaperVenue, reachNodes } from "./live-sources.ts";
import { type LiveStatus, liveStatus } from "./live-status.ts";

export interface LiveOptions {
  /** The desk's folder: database, queues, paper account, log. It carries on from what is there. */
  readonly directory: string;
  /** A server's database to use instead of the embedded one. */
  readonly databaseUrl?: string | undefined;
  /** An emulator of AWS whose queues and bus are used instead of those of this process. */
  readonly awsEndpoint?: string | undefined;
  /** Nodes, best first. */
  readonly rpcUrls: readonly string[];
  readonly chainId: number;
  /** How blocks far behind the head are proven. */
  readonly verify: Verify;
  /** Where candles come from. */
  readonly okxUrl: string;
  readonly instruments: readonly string[];
  readonly barSeconds: number;
  readonly warmupHours: number;
  /** Empty where no explorer shows the chain's blocks. */
  readonly explorerUrl: string;
  /** What the desk runs on, as it is said wherever its figures are shown, and whether that is generated. */
  readonly input: { readonly name: string; readonly generated: boolean };
  readonly watchlist: readonly WatchedWallet[];
  readonly labels: readonly Label[];
  readonly gitSha: string;
  /** The limits that differ from the policy's defaults. */
  readonly policy: PolicyDifferences;
  readonly clock: Clock;
  /** Called with each step of the start, which may take a while. */
  readonly say: (text: string) => void;
}

/** The live desk: running until it is stopped. */
export interface Live {
  readonly desk: Laptop;
  status(): Promise<LiveStatus>;
  /** Ends the loops after the work in hand, then closes every part. */
  stop(): Promise<void>;
}

/** An error of a job is shown for this long; it may have been repaired since. */
const TOLD_MS = 60_000;

/**
 * Follows a chain as it grows: schedules by the clock, one poller a queue, paper trading on real candles. Prices and
 * partitions are there before the first block is read. A handler's failure is logged and its message comes again, as in
 * the cloud.
 * @throws FolderInUseError when another desk has the folder; NoNodeError and NoMarketError when nobody answers at start.
 */
export async function startLive(options: LiveOptions): Promise<Live> {
  const { directory, databaseUrl, clock, say } = options;
  const closers: Closer[] = [];
  const close = (): Promise<void> => closeAll(closers);
  try {
    makeFolder(directory);
    closers.push(await lockFolder(directory));
    const problems = openLog(directory, clock);
    closers.push(problems.close);
    say(`asking ${options.rpcUrls.length} Ethereum node${options.rpcUrls.length === 1 ? "" : "s"} for the head ...`);
    const { heads, answering, problems: unused } = await reachNodes(options.rpcUrls, options.chainId);
    for (const problem of unused) say(`not used for now: ${problem}`);
    say(`${answering} of ${options.rpcUrls.length} answer; asking ${new URL(options.okxUrl).host} for prices ...`);
    const venue = await openPaperVenue(options);
    closers.push(venue.close);
    const desk = await startLaptop({
      databaseDirectory: join(directory, "db"),
      openDatabase: databaseUrl ? () => openServer(databaseUrl, { kind: "live" }) : undefined,
      queueDirectory: join(directory, "queues"),
      awsEndpoint: options.awsEndpoint,
      env: environment(options, venue.url),
      secrets: new Map([[SECRET_ID, paperSecret()]]),
      // A server's database is no part of the folder, and may be another one the next time.
      recordCopy: databaseUrl ? undefined : recordFile(headFileOf(directory)),
      controlBoard: controlFile(directory, "demo"),
    });
    closers.push(desk.close);
    closers.push(await openDoor(directory, desk.handlers));
    await seed(desk, options, heads);
    for (const name of FIRST) await desk.runSchedule(name, second(clock));
    closers.push(startLoops(desk, clock));
    return { desk, status: () => liveStatus(desk, second(clock), problems.latest()), stop: close };
  } catch (error) {
    await close().catch(() => undefined); // what broke the start is reported, not that a broken part does not close
    throw await orDiskFull(error, directory);
  }
}

/** Log lines go to a file; the newest error among them is kept for the person who watches. */
function openLog(directory: string, clock: Clock) {
  const lines = logFile(join(directory, "log.ndjson"), "append");
  let last: { readonly text: string; readonly ms: number } | null = null;
  useSink((line: LogLine) => {
    lines.write(line);
    if (line.level === "error")
      last = { text: [line.message, line.reason].filter(Boolean).join(": "), ms: clock.now() };
  });
  return {
    latest: () => (last !== null && clock.now() - last.ms <= TOLD_MS ? last.text : null),
    close: async () => {
      useSink(null);
      await lines.close();
    },
  };
}

/** Writes whom the desk watches and, in a new folder, that it begins at the newest block. */
async function seed(desk: Laptop, { watchlist, labels, clock, say }: LiveOptions, { latest }: Heads): Promise<void> {
  const { db } = desk.database;
  await upsertLabels(db, "ethereum", labels);
  await watchWallets(db, "ethereum", watchlist, instant(clock.now()));
  const before = await cursorOf(db, "ethereum");
  if (before) {
    say(`carrying on after block ${before.number}, ${Math.max(0, latest.number - before.number)} blocks behind`);
    return;
  }
  say(`a new desk: beginning at block ${latest.number}; loading candles ...`);
  await seedCursor(db, "ethereum", { number: latest.number - 1, hash: latest.parentHash });
}

function environment(options: LiveOptions, venueUrl: string): Record<string, string> {
  return {
    SPYHOP_MODE: "demo",
    CHAIN_ID: String(options.chainId),
    INSTRUMENTS: options.instruments.join(","),
    BAR_SECONDS: String(options.barSeconds),
    // The loop below calls watch-head at its grain, so that a stop need not wait for a run of a minute.
    HEAD_POLL_SECONDS: "0",
    EXPLORER_URL: options.explorerUrl,
    GIT_SHA: options.gitSha,
    VENUE: "paper",
    WARMUP_HOURS: String(options.warmupHours),
    GENERATED: String(options.input.generated),
    INPUT_NAME: options.input.name,
    VERIFY: options.verify,
    POLICY: JSON.stringify(options.policy),
    ETH_RPC_URL: options.rpcUrls.join(","),
    OKX_URL: venueUrl,
    OKX_PUBLIC_URL: options.okxUrl,
    OKX_RATE_LIMIT: String(!isLoopback(options.okxUrl)),
    EXCHANGE_SECRET_ID: SECRET_ID,
  };
}

/** Run at the start, in this order: without partitions and prices the first events would stay unpriced. */
const FIRST = ["maintain-storage", "sync-prices"] as const satisfies readonly ScheduleName[];
/** Not run at once by their loops: the first ones ran already, and a report is about its due time. */
const ON_TIME: readonly ScheduleName[] = [...FIRST, "build-report"];

// A long poll returns at once when a message comes; a short one lets the loops end soon after a stop.
const WAIT_SECONDS = 1;

/** Returns the second in which the clock stands: the grain of a schedule's event. */
const second = (clock: Clock): Instant => instant(Math.floor(clock.now() / 1000) * 1000);

/** Starts a loop for every schedule and queue. Returns how to end them; it resolves when the work in hand is done. */
function startLoops(desk: Laptop, clock: Clock): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loops = [
    ...SCHEDULES.map((name) => scheduleLoop(desk, name, clock, signal)),
    ...QUEUES.map(async (name) => {
      while (!signal.aborted) await attempt(`poll ${name}`, () => desk.pollQueue(name, WAIT_SECONDS), signal);
    }),
  ];
  return async () => {
    stopping.abort();
    await Promise.all(loops);
  };
}

/** Runs a schedule at once, unless it is of ON_TIME, and at each due time; a run that is late skips the times that it missed. */
async function scheduleLoop(desk: Laptop, name: ScheduleName, clock: Clock, signal: AbortSignal): Promise<void> {
  const { every, pollSeconds } = schedule(name);
  const after = pollSeconds === undefined ? dueAfter(every) : (ms: number) => ms + pollSeconds * 1000;
  let due = ON_TIME.includes(name) ? after(clock.now()) : clock.now();
  while (!signal.aborted) {
    if (clock.now() < due) {
      await pause(100, undefined, { signal }).catch(() => undefined); // aborted: the loop's condition ends it
      continue;
    }
    const began = clock.now();
    await attempt(`run ${name}`, () => desk.runSchedule(name, second(clock)), signal);
    due = after(began);
  }
}

/** The edge of the live desk: what fails is logged, and comes again by its queue or its next due time. */
async function attempt(what: string, work: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  try {
    await work();
  } catch (error) {
    log({ level: "error", message: `${what} failed`, ...errorFields(error) });
    await pause(1000, undefined, { signal }).catch(() => undefined);
  }
}
