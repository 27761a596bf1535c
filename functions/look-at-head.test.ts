import { asc } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { FullBlock } from "#chain/block";
import { seedCursor, takeLease } from "#db/chain/blocks";
import { drizzleOf } from "#db/drizzle";
import { chainBlocks } from "#db/schema";
import { laterLooks, timeOf } from "#desk/look-at-head";
import type { Laptop } from "#local/laptop";
import { type LogLine, useSink } from "#runtime/log";
import { provide } from "#runtime/services";
import { chainNode, tinyChain } from "#testing/chain/chain-node";
import { NOBODY } from "#testing/chain/tiny-recording";
import { testDesk } from "#testing/desk";
import { instant, instantOf } from "#units/time";

// The looks between two runs of watch-head, through a real queue that keeps them back.
const START = 1_700_000_000;
const EVERY = 2;
let chain: FullBlock[] = [];
let desk: Laptop;
const lines: LogLine[] = [];
const node = chainNode(() => chain);

beforeAll(async () => {
  useSink((line) => void (line.level === "error" && lines.push(line)));
  desk = await testDesk({ env: { HEAD_POLL_SECONDS: String(EVERY) }, secrets: new Map() });
  await seedCursor(desk.database.db, "ethereum", { number: 0, hash: NOBODY });
});
afterEach(() => provide("rpc", node));
afterAll(async () => {
  useSink(null);
  vi.unstubAllEnvs();
  await desk.close();
});

/** Ingests what was sent, and returns the numbers of the blocks that are stored. */
async function stored(): Promise<number[]> {
  while ((await desk.pollQueue("blocks")) > 0);
  const rows = await drizzleOf(desk.database.db).select().from(chainBlocks).orderBy(asc(chainBlocks.number));
  return rows.map(({ number }) => Number(number));
}

test("a minute has the look of its schedule and one each four seconds after it; none where the grain is 0", () => {
  const minute = { chain: "ethereum", at: instantOf("2026-03-02T00:00:00.000Z") };
  const looks = laterLooks(minute, 4);
  expect(looks.map(({ afterSeconds }) => afterSeconds)).toEqual([4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56]);
  expect(looks.map(timeOf)[13]).toBe("2026-03-02T00:00:56.000Z");
  expect(laterLooks(minute, 0)).toEqual([]);
  expect(laterLooks(minute, 60)).toEqual([]);
  expect(laterLooks(minute, 0.25)).toHaveLength(59);
});

test("a block that comes within the minute is sent at the next look, with no second run of the schedule", async () => {
  provide("rpc", node);
  chain = tinyChain(START, 2);
  const sentAt = performance.now();
  await desk.runSchedule("watch-head", instant((START + 24) * 1000));
  expect(await stored()).toEqual([1, 2]);
  chain = tinyChain(START, 3);
  while ((await desk.pollQueue("looks", EVERY)) === 0);
  expect(performance.now() - sentAt).toBeGreaterThan(EVERY * 1000 - 100); // it was kept back
  expect(await stored()).toEqual([1, 2, 3]);
  const [, , third] = await drizzleOf(desk.database.db).select().from(chainBlocks).orderBy(asc(chainBlocks.number));
  expect(third?.observedAt).toBe(instant((START + 36) * 1000)); // the look was of two seconds after its minute, and late
  expect(desk.received("looks")).toBe(1);
});

test("while another look is at it, one does nothing and is done with", async () => {
  chain = tinyChain(START, 4);
  const lease = await takeLease(desk.database.db, "ethereum", "another", instant((START + 60) * 1000), 60);
  expect(lease).not.toBeNull();
  expect(await desk.pollQueue("looks", 2 * EVERY)).toBe(1);
  expect(await stored()).toEqual([1, 2, 3]);
  await takeLease(desk.database.db, "ethereum", "another", instant((START - 60) * 1000), 1); // over by now
});

test("a look that no node answers is logged, and not made again: the next one sees the same", async () => {
  provide("rpc", { ...node, heads: () => Promise.reject(new Error("nobody answers")) });
  expect(await desk.pollQueue("looks", 2 * EVERY)).toBe(1);
  expect(lines.splice(0)).toMatchObject([
    { message: "looks: message failed", reason: "nobody answers", receives: "1" },
  ]);
  provide("rpc", node);
  expect(await desk.pollQueue("looks", 2 * EVERY)).toBe(1);
  expect(await stored()).toEqual([1, 2, 3, 4]);
  expect(lines).toEqual([]);
  expect(desk.deadLetters()).toEqual([]);
});
