import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { chainDouble } from "#doubles/node/node";
import { paperKey } from "#doubles/venue/key";
import { paperVenue } from "#doubles/venue/venue";
import { type Clock, wallClock } from "#host/clock";
import { makeFolder } from "#host/disk";
import { recordedCandles } from "#recording/candle-source";
import type { Recording } from "#recording/recording";

/** A recording played as if it happened now: a node and a market on loopback, and the clock that they go by. */
export interface RecordedMarket {
  readonly rpcUrl: string;
  readonly okxUrl: string;
  readonly clock: Clock;
  /** When the recording's last block is there, by the machine's clock; in milliseconds since the epoch. */
  readonly endsAt: number;
  close(): Promise<void>;
}

/** The desk of a folder plays one recording, and that to its end. */
export class RecordedMarketError extends Error {
  override name = "RecordedMarketError";
  constructor(directory: string, problem: string) {
    super(`${directory}: ${problem}. Delete that folder to play it from its start, or name another with --data.`);
  }
}

const Played = z.strictObject({ recording: z.string(), fromMs: z.number(), startedMs: z.number() });

/** Blocks that are there at the first start: what was before is unknown to a new desk. */
const FIRST_BLOCKS = 3;

/**
 * Starts a node and a market that play a recording at the pace of time. The first start of a folder begins it; while the desk
 * is stopped it goes on, as a chain does.
 * @throws RecordedMarketError when the folder's desk plays another recording, or its own has ended.
 */
export async function playRecording(recording: Recording, directory: string): Promise<RecordedMarket> {
  const lastMs = (recording.headers.at(-1)?.timestamp ?? 0) * 1000;
  const { fromMs, startedMs } = playedIn(directory, recording);
  const endsAt = startedMs + (lastMs - fromMs);
  if (endsAt < wallClock.now()) throw new RecordedMarketError(directory, "its recording has ended");
  const clock: Clock = { now: () => fromMs + (wallClock.now() - startedMs) };
  const node = await chainDouble(recording, clock);
  const market = await paperVenue({ clock, source: recordedCandles(recording), key: paperKey });
  const close = async (): Promise<void> => {
    await node.close();
    await market.close();
  };
  return { rpcUrl: node.url, okxUrl: market.url, clock, endsAt, close };
}

/** Returns what a folder plays and since when; of a new one that it begins now, which is kept. */
function playedIn(directory: string, { manifest, headers }: Recording): z.output<typeof Played> {
  const file = join(directory, "recording.json");
  if (existsSync(file)) {
    const played = readPlayed(file);
    if (played === null) throw new RecordedMarketError(directory, "its recording.json does not say what it plays");
    if (played.recording === manifest.name) return played;
    throw new RecordedMarketError(directory, `its desk plays ${played.recording}, not ${manifest.name}`);
  }
  const first = headers[Math.min(FIRST_BLOCKS, headers.length - 1)];
  const played = {
    recording: manifest.name,
    fromMs: (first?.timestamp ?? 0) * 1000,
    startedMs: wallClock.now(),
  };
  makeFolder(directory);
  writeFileSync(file, JSON.stringify(played));
  return played;
}

/** Returns what the file says, or null where it says nothing that can be read. */
function readPlayed(file: string): z.output<typeof Played> | null {
  try {
    return Played.safeParse(JSON.parse(readFileSync(file, "utf8"))).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
