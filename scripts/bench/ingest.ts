import { join } from "node:path";
import { seedCursor } from "#db/chain/blocks";
import { upsertLabels } from "#db/chain/labels";
import { watchWallets } from "#db/chain/wallets";
import type { Db } from "#db/client";
import { chainDouble } from "#doubles/node/node";
import { paperKey } from "#doubles/venue/key";
import { paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { startLaptop } from "#local/laptop";
import { recordedCandles } from "#recording/candle-source";
import type { Recording } from "#recording/recording";
import { instant } from "#units/time";
import { type MeasuredRun, measuredRun } from "./measured-run.ts";

const MINUTE = 60_000;
/** Blocks that watch-head sends in one run, at most. */
const PAGE = 200;
/** Of candles before the first block: enough for prices at any block. */
const WARMUP_HOURS = "48";

async function seed(db: Db, { manifest, headers, labels, watchlist }: Recording, at: number): Promise<void> {
  const [first] = headers;
  if (!first) return;
  await upsertLabels(db, manifest.chain, labels);
  await watchWallets(db, manifest.chain, watchlist, instant(at));
  await seedCursor(db, manifest.chain, { number: first.number - 1, hash: first.parentHash });
}

/**
 * Ingests every block of a recording and nothing else: the messages wait in the queue, prices are stored, and then the
 * real handler fetches block after block from a node that answers after `latencyMs`, checks, nets and stores it in an
 * embedded database in `directory`. Returns what that took this process.
 */
export async function ingestRun(recording: Recording, directory: string, latencyMs: number): Promise<MeasuredRun> {
  const { manifest, headers } = recording;
  const last = (headers.at(-1)?.timestamp ?? 0) * 1000;
  const first = (headers[0]?.timestamp ?? 0) * 1000;
  const clock = virtualClock(Math.ceil(last / MINUTE) * MINUTE + MINUTE);
  const latency = latencyMs > 0 ? ({ kind: "delay", milliseconds: latencyMs } as const) : undefined;
  const chain = await chainDouble(recording, clock, { fault: () => latency });
  const venue = await paperVenue({ clock, source: recordedCandles(recording), key: paperKey });
  const desk = await startLaptop({
    ...{ databaseDirectory: join(directory, "db"), queueDirectory: null, secrets: new Map() },
    env: {
      CHAIN_ID: String(manifest.chainId),
      INSTRUMENTS: manifest.instruments.join(","),
      BAR_SECONDS: String(manifest.barSeconds),
      HEAD_POLL_SECONDS: "0",
      WARMUP_HOURS,
      INPUT_NAME: manifest.name,
      GENERATED: String(manifest.kind === "generated"),
      VERIFY: "full",
      ETH_RPC_URL: chain.url,
      OKX_PUBLIC_URL: venue.url,
      OKX_RATE_LIMIT: "false",
    },
  });
  try {
    await seed(desk.database.db, recording, first - MINUTE);
    const at = instant(clock.now());
    await desk.runSchedule("maintain-storage", at);
    await desk.runSchedule("sync-prices", at);
    // A run sends a page of blocks; one more than there can be pages sends nothing.
    for (let page = 0; page <= headers.length / PAGE; page++) await desk.runSchedule("watch-head", at);
    const run = await measuredRun(headers.length, async () => {
      while (desk.received("blocks") < headers.length) await desk.pollQueue("blocks");
      const jobs = desk.measured.summary().filter(({ job }) => job === "ingest-block");
      return { events: 0, deadLetters: desk.deadLetters().length, jobs };
    });
    while ((await desk.pollQueue("events")) > 0);
    return { ...run, events: desk.received("events") };
  } finally {
    await desk.close();
    await venue.close();
    await chain.close();
  }
}
