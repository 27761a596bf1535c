import { join } from "node:path";
import type { Db } from "#db/client";
import { type Digest, digest } from "#db/server/digest";
import { chainDouble } from "#doubles/node/node";
import { paperKey, paperSecret, SECRET_ID } from "#doubles/venue/key";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { type Closer, closeAll } from "#host/closers";
import { makeFolder, orDiskFull } from "#host/disk";
import { lockFolder } from "#host/folder-lock";
import { type DrillParts, type Laptop, startLaptop } from "#local/laptop";
import { logFile } from "#local/log-file";
import { openServer } from "#local/postgres/server-postgres";
import { recordedCandles } from "#recording/candle-source";
import type { Recording } from "#recording/recording";
import { readSettings } from "#runtime/config";
import { useSink } from "#runtime/log";
import type { PolicyDifferences } from "#trading/plans/policy";
import { type Instant, instant } from "#units/time";
import { assertExplained } from "./assert-explained.ts";
import { type ReplayProgress, replay } from "./replay.ts";
import { clearNext, markFinished, nextDatabase, takeFinished } from "./run-folder.ts";
import { buildRunReport, type RunReport } from "./run-report.ts";
import { seedDesk, settingsOf, startOf } from "./run-settings.ts";

export interface RunOptions {
  readonly recording: Recording;
  /** The run's folder: database, log. The database of the last finished run stays until this one is. Null = all in memory. */
  readonly directory: string | null;
  /** A server's database to use instead of the embedded one; an earlier replay in it is removed. */
  readonly databaseUrl?: string | undefined;
  /** Whether an earlier replay in the server's database may be emptied for this one. */
  readonly replaces?: boolean;
  /** An emulator of AWS whose queues and bus are used instead of those of this process. */
  readonly awsEndpoint?: string | undefined;
  readonly gitSha: string;
  /** The limits that differ from the defaults; left out = those of the input (recording/policy.ts). */
  readonly policy?: PolicyDifferences;
  readonly progress: (progress: ReplayProgress, events: number) => void;
  readonly signal?: AbortSignal;
  /** How long the clock goes on after the last block, in milliseconds; until the longest outcome has settled unless said. */
  readonly settleMs?: number;
  /** Called when the desk stands, before the first instant. */
  readonly prepare?: ((db: Db) => Promise<void>) | undefined;
  readonly drill?: DrillParts | undefined;
}

/** A finished replay, still open: the database can be read and the handlers called. */
export interface Run {
  readonly desk: Laptop;
  readonly db: Db;
  readonly venue: PaperVenue;
  /** The virtual time at which it ended. */
  readonly end: Instant;
  readonly digest: Digest;
  readonly reported: RunReport;
  readonly close: () => Promise<void>;
}

/**
 * Replays a recording through the whole desk: chain double, paper venue, queues, handlers. The clock starts a minute
 * before the first block. Throws what broke the run, after closing every part. At its end the equity must be what bills and
 * positions make it.
 * @throws FolderInUseError when another run has the folder open; OccupiedDatabaseError when the server's database holds
 * anything but a replay; UnexplainedEquityError.
 */
export async function runRecording(options: RunOptions): Promise<Run> {
  const { recording, directory, databaseUrl } = options;
  const closers: Closer[] = [];
  const close = (): Promise<void> => closeAll(closers);
  try {
    if (directory) {
      makeFolder(directory);
      closers.push(await lockFolder(directory));
      await clearNext(directory);
      closers.push(() => takeFinished(directory));
      const lines = logFile(join(directory, "log.ndjson"));
      useSink(lines.write);
      closers.push(async () => useSink(null), lines.close);
    }
    const times = recording.headers.map((header) => header.timestamp * 1000);
    const clock = virtualClock(startOf(recording));
    const chain = await chainDouble(recording, clock);
    closers.push(chain.close);
    const venue = await paperVenue({ clock, source: recordedCandles(recording), key: paperKey });
    closers.push(venue.close);
    const { drill } = options;
    const nodeUrl = (await drill?.edge("node", chain.url)) ?? chain.url;
    const venueUrl = (await drill?.edge("venue", venue.url)) ?? venue.url;
    const env = settingsOf(options, { nodeUrl, venueUrl }, clock.now());
    const secrets = new Map([[SECRET_ID, paperSecret()]]);
    const desk = await startLaptop({
      databaseDirectory: directory && nextDatabase(directory),
      openDatabase: databaseUrl
        ? () => openServer(databaseUrl, { kind: "replay", name: recording.manifest.name }, options.replaces)
        : undefined,
      queueDirectory: null,
      awsEndpoint: options.awsEndpoint,
      env,
      secrets,
      crashSeconds: 1,
      drill,
    });
    closers.push(desk.close);
    await seedDesk(desk.database.db, recording, instant(clock.now()));
    await options.prepare?.(desk.database.db);
    const { db } = desk.database;
    const began = instant(clock.now());
    const progress = (step: ReplayProgress): void => options.progress(step, desk.received("events"));
    const end = await replay(times, desk, clock, progress, options);
    await assertExplained(db, readSettings());
    const reported = await buildRunReport(db, readSettings(), began, end);
    const run = { desk, db, venue, end, digest: await digest(db), reported, close };
    if (directory) await markFinished(directory);
    return run;
  } catch (error) {
    const reported = directory === null ? error : await orDiskFull(error, directory); // closing frees what the run took
    await close().catch(() => undefined); // what broke the run is reported, not that a broken part does not close
    throw reported;
  }
}
