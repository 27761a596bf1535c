import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { seedCursor } from "#db/blocks";
import { upsertLabels } from "#db/labels";
import { watchWallets } from "#db/wallets";
import { okxMarket } from "#runtime/exchange";
import { errorFields, log, useSink } from "#runtime/log";
import { httpRpc } from "#runtime/rpc";
import { QUEUES, SCHEDULES, type ScheduleName, schedule } from "#topology/topology";
import { instant } from "#units/time";
import { liveCandles } from "./candle-source.ts";
import type { Clock } from "./clock.ts";
import { type Desk, startDesk } from "./desk.ts";
import { dueAfter } from "./due.ts";
import { lockFolder } from "./folder-lock.ts";
import { logFile } from "./log-file.ts";
import { paperKey, paperSecret, SECRET_ID } from "./paper-key.ts";
import { paperVenue } from "./paper-venue.ts";
import type { Label, WatchedWallet } from "./recording-schema.ts";
import { openServer } from "./server-postgres.ts";

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
  /** Where candles come from. */
  readonly okxUrl: string;
  readonly instruments: readonly string[];
  readonly barSeconds: number;
  readonly headPollSeconds: number;
  readonly warmupHours: number;
  readonly explorerUrl: string;
  readonly watchlist: readonly WatchedWallet[];
  readonly labels: readonly Label[];
  readonly gitSha: string;
  readonly clock: Clock;
}

/** The live desk: running until it is stopped. */
export interface Live {
  readonly desk: Desk;
  /** Ends the loops after the work in hand, then closes every part. */
  stop(): Promise<void>;
}

/**
 * Follows a chain as it grows: schedules by the clock, one poller a queue, paper trading on real candles. A handler's
 * failure is logged and its message comes again, as in the cloud.
 * @throws FolderInUseError when another desk has the folder; the node's or the venue's error when none answers at start.
 */
export async function startLive(options: LiveOptions): Promise<Live> {
  const { directory, databaseUrl, clock } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    await mkdir(directory, { recursive: true });
    closers.push(await lockFolder(directory));
    const lines = logFile(join(directory, "log.ndjson"));
    useSink(lines.write);
    closers.push(async () => useSink(null), lines.close);
    const venue = await openPaperVenue(options);
    closers.push(venue.close);
    const desk = await startDesk({
      databaseDirectory: join(directory, "db"),
      openDatabase: databaseUrl ? () => openServer(databaseUrl, { kind: "live" }) : undefined,
      queueDirectory: join(directory, "queues"),
      awsEndpoint: options.awsEndpoint,
      env: environment(options, venue.url),
      secrets: new Map([[SECRET_ID, paperSecret()]]),
    });
    closers.push(desk.close);
    await seed(desk, options);
    const stopLoops = startLoops(desk, clock);
    closers.push(stopLoops);
    return { desk, stop: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The paper account of this folder, filled at the candles of the market as they close. */
async function openPaperVenue({ okxUrl, instruments, barSeconds, clock, directory }: LiveOptions) {
  const venue = ["127.0.0.1", "localhost"].includes(new URL(okxUrl).hostname) ? "paper" : "okx";
  const market = okxMarket({ venue, mode: "demo", url: okxUrl, rateLimit: venue === "okx" });
  const source = await liveCandles(market, instruments, barSeconds, clock.now());
  return paperVenue({ clock, source, key: paperKey, file: join(directory, "paper-account.json") });
}

async function seed(desk: Desk, { watchlist, labels, rpcUrls, chainId, clock }: LiveOptions): Promise<void> {
  const { db } = desk.database;
  await upsertLabels(db, "ethereum", labels);
  await watchWallets(db, "ethereum", watchlist, instant(clock.now()));
  const { latest } = await httpRpc([...rpcUrls], { chainId }).heads();
  await seedCursor(db, "ethereum", { number: latest.number - 1, hash: latest.parentHash });
}

function environment(options: LiveOptions, venueUrl: string): Record<string, string> {
  const local = ["127.0.0.1", "localhost"].includes(new URL(options.okxUrl).hostname);
  return {
    SPYHOP_MODE: "demo",
    CHAIN_ID: String(options.chainId),
    INSTRUMENTS: options.instruments.join(","),
    BAR_SECONDS: String(options.barSeconds),
    HEAD_POLL_SECONDS: String(options.headPollSeconds),
    EXPLORER_URL: options.explorerUrl,
    GIT_SHA: options.gitSha,
    VENUE: "paper",
    WARMUP_HOURS: String(options.warmupHours),
    GENERATED: "false",
    INPUT_NAME: "live",
    ETH_RPC_URL: options.rpcUrls.join(","),
    OKX_URL: venueUrl,
    OKX_PUBLIC_URL: options.okxUrl,
    OKX_RATE_LIMIT: String(!local),
    EXCHANGE_SECRET_ID: SECRET_ID,
  };
}

// A long poll returns at once when a message comes; a short one lets the loops end soon after a stop.
const WAIT_SECONDS = 1;

/** Starts a loop for every schedule and queue. Returns how to end them; it resolves when the work in hand is done. */
function startLoops(desk: Desk, clock: Clock): () => Promise<void> {
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

/** Runs a schedule at each due time, and once at the start; a run that is late skips the times that it missed. */
async function scheduleLoop(desk: Desk, name: ScheduleName, clock: Clock, signal: AbortSignal): Promise<void> {
  const after = dueAfter(schedule(name).every);
  const isReport = name === "build-report";
  let due = isReport ? after(clock.now()) : clock.now();
  while (!signal.aborted) {
    if (clock.now() < due) {
      await pause(100, undefined, { signal }).catch(() => undefined); // aborted: the loop's condition ends it
      continue;
    }
    await attempt(`run ${name}`, () => desk.runSchedule(name, instant(Math.floor(clock.now() / 1000) * 1000)), signal);
    due = after(clock.now());
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
