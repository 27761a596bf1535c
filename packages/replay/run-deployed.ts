import type { Db } from "#db/client";
import { type Digest, digest } from "#db/server/digest";
import { chainDouble } from "#doubles/node/node";
import { paperKey } from "#doubles/venue/key";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import type { DeadLetter } from "#local/aws/queues";
import { recordedCandles } from "#recording/candle-source";
import type { Recording } from "#recording/recording";
import { readSettings } from "#runtime/config";
import { instant } from "#units/time";
import type { DeployedTarget } from "./deployed.ts";
import { type ReplayOptions, type ReplayProgress, replay } from "./replay.ts";
import { buildRunReport } from "./run-report.ts";
import { seedDesk, settingsOf, startOf } from "./run-settings.ts";

/** The chain and the venue that a deployed desk is replayed against, on loopback in this process. */
export interface World {
  readonly nodeUrl: string;
  /** When the replay will begin, in milliseconds since the epoch. */
  readonly startMs: number;
  readonly venue: PaperVenue;
  /** The settings that every function needs, by their names; the addresses of node and venue among them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Seeds the database and replays the recording through `target`, then reports and takes the digest. */
  run(db: Db, target: DeployedTarget, options: WorldOptions): Promise<DeployedRun>;
  close(): Promise<void>;
}

export interface WorldOptions extends ReplayOptions {
  readonly progress: (progress: ReplayProgress) => void;
  /** Called when the database is seeded, before the first instant. */
  readonly prepare?: ((db: Db) => Promise<void>) | undefined;
}

export interface DeployedRun {
  readonly digest: Digest;
  readonly deadLetters: readonly DeadLetter[];
}

/** Opens a recording's chain and venue under a clock that stands until `run` moves it. */
export async function openWorld(recording: Recording, gitSha: string): Promise<World> {
  const clock = virtualClock(startOf(recording));
  const chain = await chainDouble(recording, clock);
  const venue = await paperVenue({ clock, source: recordedCandles(recording), key: paperKey });
  const addresses = { nodeUrl: chain.url, venueUrl: venue.url };
  const settings = settingsOf({ recording, gitSha }, addresses, clock.now());
  return {
    nodeUrl: chain.url,
    startMs: clock.now(),
    venue,
    settings,
    run: async (db, target, { progress, prepare, ...options }) => {
      const began = instant(clock.now());
      await seedDesk(db, recording, began);
      await prepare?.(db);
      const times = recording.headers.map((header) => header.timestamp * 1000);
      const end = await replay(times, target, clock, progress, options);
      await buildRunReport(db, readSettings(settings), began, end);
      return { digest: await digest(db), deadLetters: await target.deadLetters() };
    },
    close: async () => {
      await venue.close();
      await chain.close();
    },
  };
}
