import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chosenRecording } from "#recording/chosen-recording";
import { readEnv } from "#runtime/config";
import { useSink } from "#runtime/log";
import { instant } from "#units/time";
import { trustWallets } from "./drill/trust.ts";
import { runRecording } from "./run-recording.ts";

// MiniStack or LocalStack, whichever is there. Outcomes are not waited for: a day of polling takes them minutes.
const emulator = readEnv("TEST_AWS_ENDPOINT_URL") ?? undefined;
const SLOTS = 30;
const SETTLE_MS = 5 * 60_000;
const errors: string[] = [];

beforeAll(() => useSink(({ level, message }) => void (level === "error" && errors.push(message))));
afterAll(() => useSink(null));

test.skipIf(emulator === undefined)(
  "a replay through an emulator's queues and bus has the embedded one's digest, orders and all",
  { timeout: 600_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "spyhop-emulated-"));
    const recording = await chosenRecording(null, SLOTS, folder);
    const start = instant((recording.headers[0]?.timestamp ?? 0) * 1000);
    const replayed = async (awsEndpoint: string | undefined) => {
      const finished = await runRecording({
        ...{ recording, awsEndpoint, directory: null, settleMs: SETTLE_MS, gitSha: "test", progress: () => {} },
        prepare: (db) => trustWallets(db, recording.manifest.chain, start), // so that there is something to trade at once
      });
      const { digest, venue, desk } = finished;
      const found = { digest, orders: venue.state().orders.length, deadLetters: desk.deadLetters() };
      await finished.close();
      return found;
    };
    const embedded = await replayed(undefined);
    expect(embedded.orders).toBeGreaterThan(0);
    expect(await replayed(emulator)).toEqual(embedded);
    expect(errors).toEqual([]);
    await rm(folder, { recursive: true });
  },
);
