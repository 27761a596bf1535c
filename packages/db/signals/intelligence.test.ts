/** From events to a bias through real SQL: what is settled, scored, analyzed and summed, and what a retraction leaves. */

import { eq, inArray, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { contributionsOf } from "#analysis/contribution";
import type { ObservedEvent } from "#analysis/observed-event";
import { analyze } from "#analysis/pattern";
import { biasOf, freshnessOf, normalMass } from "#bias/bias";
import { credibilityOf, evidenceOf } from "#scoring/credibility";
import { closesNeeded, isPast, settle } from "#scoring/settlement";
import { type TestDatabase, testDatabase } from "#testing/database";
import { normal, uniform } from "#testing/simulation";
import { decimalOf } from "#units/decimal";
import { idOf, type WalletId } from "#units/ids";
import { HORIZONS, type Instant, instant } from "#units/time";
import * as schema from "../schema.ts";
import { assetPast, saveAnalysis } from "./analyses.ts";
import { assetsMoved, circumstancesAt, earlierMasses, saveBiases, termsBefore } from "./bias.ts";
import { closesAt, dueOutcomes, saveOutcomes, walletsSettled } from "./outcomes.ts";
import { activityBefore, betsOf, peerEvidence, probabilitiesBefore, saveScore } from "./scores.ts";

const START = Date.UTC(2024, 0, 1);
const HOUR = 3_600_000;
const BAR = 300;
const SWAPS = ["ETH-USDT-SWAP", "BTC-USDT-SWAP"];
const [A, B] = [idOf("wallet", "a"), idOf("wallet", "b")];
const WALLETS = [A, B];
const time = (hours: number): Instant => instant(START + hours * HOUR);

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.db.insert(schema.wallets).values(
    WALLETS.map((id, i) => ({
      id,
      address: `0x${String(i + 1).repeat(40)}`,
      label: null,
      firstSeenAt: time(0),
      watchedSince: time(0),
      tags: i === 1 ? ["Fund"] : [],
    })),
  );
  await database.db
    .insert(schema.blockCursors)
    .values({ chain: "ethereum", lastNumber: 900, lastHash: "0x", finalizedNumber: 500, updatedAt: time(0) });
  await fillPrices(1);
});
afterAll(() => database.close());
beforeEach(async () => {
  for (const table of [
    "bias",
    "bias_contributions",
    "event_analysis",
    "wallet_outcomes",
    "wallet_latest_scores",
    "wallet_scores",
    "events",
    "event_refs",
    "chain_blocks",
  ]) {
    await database.db.execute(sql`DELETE FROM ${sql.identifier(table)}`);
  }
});

/** Six days of bars for both assets, from a seed. */
async function fillPrices(seed: number) {
  for (const [k, instrument] of SWAPS.entries()) {
    const random = uniform(seed + k);
    let close = 1000;
    const bars = Array.from({ length: 6 * 288 }, (_, i) => {
      close *= 1 + 0.002 * normal(random);
      const price = decimalOf(close.toFixed(4));
      return {
        instrument,
        barSeconds: BAR,
        timestamp: instant(START + i * BAR * 1000),
        open: price,
        high: price,
        low: price,
        close: price,
        source: "test",
      };
    });
    await database.db.insert(schema.prices).values(bars);
  }
}

interface Planted {
  readonly hours: number;
  readonly wallet?: WalletId;
  readonly type?: string;
  readonly asset?: string;
  readonly direction?: -1 | 0 | 1;
  readonly block?: number;
  readonly usd?: string | null;
}

/** Stores one event, seen four seconds after its block. Returns it as analysis sees it. */
async function plant(planted: Planted): Promise<ObservedEvent> {
  const { hours, wallet = A, type = "swap", asset = "ETH", direction = 1, block = 100, usd = "100000" } = planted;
  const id = idOf("event", JSON.stringify(planted));
  const timestamp = time(hours);
  const txHash = `0x${id.replaceAll("-", "").padStart(64, "0")}`;
  const place = {
    timestamp,
    walletId: wallet,
    chain: "ethereum",
    txHash,
    logIndex: 3,
    blockNumber: block,
    blockHash: "0x",
  };
  const observedAt = instant(START + hours * HOUR + 4000);
  await database.db.insert(schema.eventRefs).values({ id, ...place });
  await database.db.insert(schema.events).values({
    id,
    ...place,
    eventType: type,
    asset,
    amount: decimalOf("1"),
    notionalUsd: usd === null ? null : decimalOf(usd),
    sizeFraction: decimalOf("0.25"),
    direction,
    observedAt,
    counterparty: "0xc",
    rawData: { txIndex: 1, equityUsd: "400000" },
  });
  return {
    id,
    walletId: wallet,
    timestamp,
    observedAt,
    type,
    asset,
    direction,
    notionalUsd: usd === null ? null : Number(usd),
    sizeFraction: 0.25,
    isFirstSinceWatch: false,
    quality: 1,
    otherAssets: [],
  };
}

const query = (at: Instant) => ({ chain: "ethereum", assets: ["ETH", "BTC"], at });

async function settleAt(at: Instant) {
  const past = (await dueOutcomes(database.db, query(at), null)).filter((due) => isPast(due, BAR, at));
  const closes = await closesAt(database.db, SWAPS, BAR, closesNeeded(past, BAR));
  const settled = settle(past, closes, BAR);
  await saveOutcomes(database.db, settled, at);
  return settled;
}

/** What score-wallet does. */
async function scoreAt(wallet: WalletId, at: Instant) {
  const evidence = evidenceOf(await betsOf(database.db, wallet, at), [], at);
  await saveScore(database.db, {
    walletId: wallet,
    timestamp: at,
    credibility1h: decimalOf(credibilityOf(evidence["1h"].probability).toFixed(1)),
    credibility4h: decimalOf("5.0"),
    credibility24h: decimalOf("5.0"),
    equityUsd: null,
    tradingVolume24h: null,
    winRate: null,
    archetype: "unknown",
    evidence: { ...evidence, archetypes: { unknown: 1 } },
  });
  return evidence;
}

/** What analyze-event does, with a belief given. */
async function analyzeWith(event: ObservedEvent, probability: number) {
  const past = await assetPast(database.db, event.asset ?? "", event.walletId, event.timestamp);
  const analysis = analyze(event, [], past.flow);
  const believed = { "1h": probability, "4h": probability, "24h": probability };
  const shares = contributionsOf(event, analysis, believed, [], past.largeUsd ?? 1_000_000);
  await saveAnalysis(database.db, event, analysis, shares, event.observedAt);
}

/** What recompute-bias does. */
async function biasAt(asset: string, at: Instant) {
  const terms = await termsBefore(database.db, asset, at);
  const { newestBlock, coverage, k } = await circumstancesAt(database.db, "ethereum", asset, at);
  const found = await Promise.all(
    HORIZONS.map(async (timeframe) => {
      const mass = k[timeframe] ?? normalMass(await earlierMasses(database.db, asset, timeframe, at));
      return biasOf({
        timeframe,
        at,
        terms: terms[timeframe],
        k: mass,
        freshness: freshnessOf(timeframe, newestBlock, at),
        coverage: coverage[timeframe],
      });
    }),
  );
  const [h1, h4, h24] = found;
  if (!h1 || !h4 || !h24) throw new RangeError("three timeframes");
  await saveBiases(database.db, asset, at, { "1h": h1, "4h": h4, "24h": h24 });
  return { "1h": h1, "4h": h4, "24h": h24 };
}

test("what is due: directional, priced, final, past its horizon, and not settled yet", async () => {
  const good = await plant({ hours: 100 });
  await plant({ hours: 100, type: "transfer_in" });
  await plant({ hours: 100, direction: 0 });
  await plant({ hours: 100, asset: "LINK" });
  await plant({ hours: 100, asset: "USDC", type: "cex_deposit", direction: -1 });
  await plant({ hours: 100, block: 501 });
  await plant({ hours: 103.9 });
  expect((await dueOutcomes(database.db, query(time(100.9)), null)).length).toBe(0);
  const due = await dueOutcomes(database.db, query(time(104.2)), null);
  expect(due.map(({ eventId, horizon }) => [eventId, horizon])).toEqual([
    [good.id, "1h"],
    [good.id, "4h"],
  ]);
  expect(await dueOutcomes(database.db, query(time(104.2)), { eventId: good.id, horizon: "1h" })).toHaveLength(1);
});

test("an outcome is settled once, as of its run, with nothing from after it", async () => {
  await plant({ hours: 100 });
  const [settled] = await settleAt(time(101.25));
  expect(settled).toMatchObject({ enteredAt: instant(START + 100 * HOUR + BAR * 1000), due: { horizon: "1h" } });
  expect(await walletsSettled(database.db, time(101), time(101.25))).toEqual([A]);
  expect(await settleAt(time(101.5))).toEqual([]);
  const [row] = await database.db.select().from(schema.walletOutcomes);
  expect(row).toMatchObject({ asOf: time(101.25), direction: 1 });
  expect(Object.keys(await betsOf(database.db, A, time(101)))).toHaveLength(3);
  expect((await betsOf(database.db, A, time(101)))["1h"]).toEqual([]);
  expect((await betsOf(database.db, A, time(101.25)))["1h"]).toHaveLength(1);
});

test("corrupting every price after T leaves outcomes and scores up to T bit-identical", async () => {
  for (let i = 0; i < 12; i++) await plant({ hours: 96 + i, direction: i % 3 ? 1 : -1 });
  await settleAt(time(110));
  const before = {
    outcomes: await database.db.select().from(schema.walletOutcomes),
    evidence: await scoreAt(A, time(110)),
  };
  await database.db.delete(schema.walletOutcomes);
  await database.db.execute(
    sql`UPDATE prices SET open = 7, high = 7, low = 7, close = 7 WHERE "timestamp" >= ${time(110)}::timestamptz`,
  );
  await settleAt(time(110));
  const after = {
    outcomes: await database.db.select().from(schema.walletOutcomes),
    evidence: await scoreAt(A, time(110)),
  };
  expect(before.outcomes.length).toBeGreaterThan(12);
  expect(after).toEqual(before);
  await database.db.delete(schema.prices);
  await fillPrices(1);
});

test("a missing bar leaves the outcome unwritten", async () => {
  await plant({ hours: 100 });
  await database.db.execute(
    sql`DELETE FROM prices WHERE instrument = 'BTC-USDT-SWAP' AND "timestamp" = ${time(101)}::timestamptz`,
  );
  expect(await settleAt(time(101.25))).toEqual([]);
  await database.db.delete(schema.prices);
  await fillPrices(1);
});

test("the latest score only moves on, and an event sees the score before it", async () => {
  await plant({ hours: 100 });
  await settleAt(time(101.25));
  await scoreAt(A, time(102));
  const late = await scoreAt(A, time(101.25));
  const [latest] = await database.db.select().from(schema.walletLatestScores);
  expect(latest?.timestamp).toBe(time(102));
  expect(await probabilitiesBefore(database.db, A, time(101.25))).toEqual({ "1h": null, "4h": null, "24h": null });
  expect((await probabilitiesBefore(database.db, A, time(101.5)))["1h"]).toBe(late["1h"].probability);
  expect(await peerEvidence(database.db, time(101.25))).toEqual([]);
  expect((await peerEvidence(database.db, time(103)))[0]?.["1h"].bets).toBe(1);
});

test("what a wallet did is summed from what was seen before", async () => {
  await plant({ hours: 10, wallet: B, block: 10 });
  await plant({ hours: 11, wallet: B, direction: -1, block: 11, usd: "40000" });
  await plant({ hours: 12, wallet: B, type: "bridge_out", direction: -1, block: 12, usd: null });
  await plant({ hours: 13, wallet: B, block: 13 });
  const { behaviour, equityUsd, volume24hUsd } = await activityBefore(database.db, B, time(13));
  expect(behaviour).toEqual({
    labels: ["fund"],
    events: 3,
    transactions: 3,
    counterparties: 1,
    inflowUsd: 100000,
    outflowUsd: 40000,
    netSwapUsd: 60000,
    signedSwapUsd: 60000,
    grossSwapUsd: 140000,
    swaps: 2,
    roundTrips: 1,
    bridgeUsd: 0,
    yieldUsd: 0,
    grossUsd: 140000,
  });
  expect([equityUsd, volume24hUsd]).toEqual(["400000", "140000"]);
  expect((await activityBefore(database.db, A, time(13))).volume24hUsd).toBeNull();
});

test("an analysis is stored once; a retracted event gets none", async () => {
  const event = await plant({ hours: 100 });
  await analyzeWith(event, 0.9);
  await analyzeWith(event, 0.9);
  expect(await database.db.select().from(schema.biasContributions)).toHaveLength(3);
  const [analysis] = await database.db.select().from(schema.eventAnalysis);
  expect(analysis).toMatchObject({
    source: "rules",
    llmNarrative: null,
    patternMatched: "buy",
    proposedAction: { action: "consider_long" },
  });
  const gone = await plant({ hours: 100.5 });
  await database.db
    .update(schema.eventRefs)
    .set({ reorgedAt: time(101) })
    .where(eq(schema.eventRefs.id, gone.id));
  await analyzeWith(gone, 0.9);
  expect(await database.db.select().from(schema.eventAnalysis)).toHaveLength(1);
});

test("a retracted event leaves the bias as if it had never been", async () => {
  await database.db.insert(schema.chainBlocks).values({
    chain: "ethereum",
    number: 1,
    hash: "0x1",
    parentHash: "0x0",
    timestamp: time(100.99),
    observedAt: time(100.99),
    txCount: 0,
    logCount: 0,
    transferCount: 0,
  });
  const kept = [await plant({ hours: 100 }), await plant({ hours: 100.2, wallet: B, direction: -1, usd: "30000" })];
  for (const event of kept) await analyzeWith(event, 0.8);
  const never = await biasAt("ETH", time(101));
  const gone = [
    await plant({ hours: 100.4 }),
    await plant({ hours: 100.6, wallet: B, type: "cex_deposit", direction: -1 }),
  ];
  for (const event of gone) await analyzeWith(event, 0.95);
  const during = await biasAt("ETH", time(101));
  expect(during).not.toEqual(never);
  await database.db.delete(schema.biasContributions).where(
    inArray(
      schema.biasContributions.eventId,
      gone.map((event) => event.id),
    ),
  );
  expect(await biasAt("ETH", time(101))).toEqual(never);
  const stored = await database.db.select().from(schema.bias);
  expect(stored.map((row) => Number(row.value)).sort()).toEqual(HORIZONS.map((horizon) => never[horizon].value).sort());
  expect(never["1h"].confidence).toBeGreaterThan(0);
});

test("what was seen at the bias's own instant waits for the next", async () => {
  const event = await plant({ hours: 100 });
  await analyzeWith(event, 0.8);
  expect((await biasAt("ETH", event.observedAt))["1h"].components.n).toBe(0);
  const next = instant(Date.parse(event.observedAt) + 1000);
  expect(await assetsMoved(database.db, ["ETH", "BTC"], event.observedAt)).toEqual([]);
  expect(await assetsMoved(database.db, ["ETH", "BTC"], next)).toEqual(["ETH"]);
  expect((await biasAt("ETH", next))["1h"].components.n).toBe(1);
  expect(await assetsMoved(database.db, ["ETH", "BTC"], instant(Date.parse(next) + 1))).toEqual([]);
});

test("K comes from the busy windows of earlier hours, and stays for the hour", async () => {
  for (let i = 0; i < 30; i++) await analyzeWith(await plant({ hours: 99 + i / 60, wallet: i % 2 ? A : B }), 0.9);
  for (let i = 0; i < 12; i++) await biasAt("ETH", time(100 + i / 12));
  expect((await biasAt("ETH", time(100.99)))["1h"].components.K).toBe(0.25);
  const masses = await earlierMasses(database.db, "ETH", "1h", time(101));
  expect(masses).toHaveLength(12);
  const first = await biasAt("ETH", time(101));
  expect(first["1h"].components.K).toBe(normalMass(masses));
  expect((await biasAt("ETH", time(101.5)))["1h"].components.K).toBe(first["1h"].components.K);
});
