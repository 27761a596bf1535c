import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isNotNull, sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import type { Db } from "#db/client";
import { drizzleOf } from "#db/drizzle";
import { orderLines } from "#db/reading/order-lines";
import { bills, equitySnapshots, orders, positions } from "#db/schema";
import { chosenRecording } from "#recording/chosen-recording";
import { openRecording, type Recording } from "#recording/recording";
import { generateSample } from "#recording/sample/generate";
import { sampleContent } from "#recording/sample/sample-recording";
import { writeRecording } from "#recording/writer";
import { stepsOf } from "#reporting/steps";
import { readEnv } from "#runtime/config";
import { useSink } from "#runtime/log";
import { sharedPath } from "#testing/chain/blocks";
import { resultOf } from "#testing/order-steps";
import { big, text } from "#units/decimal";
import { instant } from "#units/time";
import { trustWallets } from "./drill/trust.ts";
import { type Run, runRecording } from "./run-recording.ts";

// At the end of a whole run the venue's bills explain its equity, the desk's books are the venue's, and what is held has its stop.

const RECORDED = sharedPath("data/blocks/run_15000000_15000031");
const SAMPLE = fileURLToPath(new URL("../../recordings/sample", import.meta.url));
const HOUR = 3_600_000;
const errors: string[] = [];
beforeAll(() => useSink(({ level, message }) => void (level === "error" && errors.push(message))));
afterAll(() => useSink(null));

/** Replays with wallets that are trusted at once, so that there is something to trade. */
async function replayed(
  record: (folder: string) => Promise<Recording>,
  settleMs: number,
  check: (run: Run) => Promise<void>,
) {
  const folder = await mkdtemp(join(tmpdir(), "spyhop-ledger-"));
  const recording = await record(folder);
  const start = instant((recording.headers[0]?.timestamp ?? 0) * 1000);
  const run = await runRecording({
    ...{ recording, directory: null, settleMs, gitSha: "test", progress: () => {} },
    prepare: (db: Db) => trustWallets(db, recording.manifest.chain, start),
  });
  await check(run);
  await run.close();
  await rm(folder, { recursive: true });
  expect(errors).toEqual([]);
}

async function agree({ db, venue }: Run): Promise<{ readonly bills: number; readonly funded: number }> {
  const state = venue.state();
  const kept = await drizzleOf(db).select().from(bills).orderBy(bills.billId);
  const seen = await drizzleOf(db)
    .select()
    .from(equitySnapshots)
    .where(isNotNull(equitySnapshots.cash))
    .orderBy(equitySnapshots.at);
  expect(kept.map(({ billId, change }) => [billId, change])).toEqual(
    state.bills.map((one) => [one.billId, one.balChg]),
  );
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter(({ gap }) => gap !== "0")).toEqual([]);
  const [first, last] = [seen[0], seen.at(-1)];
  const sum = kept.reduce((total, { change }) => total.plus(change), big(first?.cash ?? 0));
  expect([last?.cash, last?.billId]).toEqual([text(sum), kept.at(-1)?.billId ?? null]);
  expect(state.cash.USDT).toBe(text(sum));
  // Each part of it is in a position: what it brought, its fees, its funding, to the last digit that a row keeps.
  const rows = await drizzleOf(db).select().from(positions);
  const result = rows.reduce(
    (total, row) =>
      total
        .plus(row.realizedPnl ?? 0)
        .minus(row.feesPaid)
        .minus(row.fundingPaid),
    big(first?.cash ?? 0),
  );
  expect(sum.minus(result).abs().lte(big(rows.length).times(2).div(100_000_000))).toBe(true);
  return { bills: kept.length, funded: kept.filter(({ kind }) => kind === "funding").length };
}

/** Of each order: before with its fills is after, which is where the next one begins; and planning had seen the same before. */
async function told({ db, venue }: Run): Promise<number> {
  const lines = await orderLines(db, sql`o.filled_size > 0`, sql`o.decided_at, o.id`);
  const planned = await drizzleOf(db).select({ id: orders.id, snapshot: orders.policySnapshot }).from(orders);
  const heldBy = new Map(planned.map(({ id, snapshot }) => [id, HeldThen.safeParse(snapshot).data?.sizing.held]));
  const now = new Map<string, string>();
  for (const { id, instrument, side, filledSize, change } of lines) {
    const before = big(change?.before ?? Number.NaN);
    expect(text(side === "buy" ? before.plus(filledSize) : before.minus(filledSize))).toBe(change?.after);
    expect([instrument, change?.before]).toEqual([instrument, now.get(instrument) ?? "0"]);
    expect(change?.before).toBe(heldBy.get(id) ?? change?.before);
    now.set(instrument, change?.after ?? "");
  }
  const held = venue.state().positions.filter(({ contracts }) => !big(contracts).eq(0));
  expect([...now].filter(([, contracts]) => contracts !== "0").toSorted()).toEqual(
    held.map(({ instId, contracts }) => [instId, contracts]).toSorted(),
  );
  return lines.length;
}
/** Of each order that a plan made, a denied one too: its steps, each taken by itself, end at its size. */
async function reckoned({ db }: Run): Promise<number> {
  const made = await drizzleOf(db).select().from(orders).where(isNotNull(orders.policySnapshot));
  expect(made.map(({ policySnapshot }) => resultOf(stepsOf(policySnapshot) ?? []))).toEqual(
    made.map(({ size }) => size),
  );
  return made.length;
}

const HeldThen = z.object({ sizing: z.object({ held: z.string() }) });

/** What is held has exactly one stop of the whole of it at the venue, by the mark, and nothing waits for what is flat. */
function covered({ venue }: Run): void {
  const { algos, positions: there } = venue.state();
  const stops = algos.filter(({ state, sl }) => state === "live" && sl !== null);
  const shown = stops.map(({ instId, side, sz, reduceOnly, sl }) => [
    ...[instId, side, sz, reduceOnly, sl?.triggerPxType, sl?.ordPx],
  ]);
  const held = there.filter(({ contracts }) => !big(contracts).eq(0));
  const wanted = held.map(({ instId, contracts }) => [
    ...[instId, big(contracts).gt(0) ? "sell" : "buy", "", true, "mark", "-1"],
  ]);
  expect(shown.toSorted()).toEqual(wanted.toSorted());
}

/** A sample that begins six minutes before midnight, when funding is paid. */
async function aboutMidnight(folder: string): Promise<Recording> {
  const startMs = Date.parse("2026-03-02T23:54:00Z");
  const sample = await generateSample({ seed: "drill", slots: 30, startMs, progress: () => {} });
  const out = join(folder, "midnight");
  await writeRecording(out, sampleContent(sample, "drill"));
  return openRecording(out);
}

const TIMES: readonly [
  name: string,
  isThere: boolean,
  record: (folder: string) => Promise<Recording>,
  funded: boolean,
][] = [
  ["a sample about midnight", true, aboutMidnight, true],
  ["the recorded blocks", existsSync(RECORDED), (folder) => chosenRecording(RECORDED, 0, folder), false],
  // Two minutes: where it is asked for.
  ["the whole sample", readEnv("TEST_WHOLE_SAMPLE") !== null, () => openRecording(SAMPLE), true],
];

for (const [name, isThere, record, isFunded] of TIMES)
  test.skipIf(!isThere)(
    `${name}: bills explain equity at each reconciliation, orders what is held, and a stop covers it`,
    { timeout: 600_000 },
    () =>
      replayed(record, 2 * HOUR, async (run) => {
        const { bills: count, funded } = await agree(run);
        covered(run);
        const shown = await told(run); // two minutes of mainnet make no order
        const reckonable = await reckoned(run);
        if (isFunded) expect(reckonable).toBeGreaterThan(0);
        if (isFunded) expect([shown > 0, count > funded, funded > 0]).toEqual([true, true, true]);
      }),
  );
