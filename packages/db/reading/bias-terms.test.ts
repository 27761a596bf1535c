import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { biasOf } from "#bias/bias";
import { type TestDatabase, testDatabase } from "#testing/database";
import { decimalOf, fixed } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant, instantOf, millis } from "#units/time";
import { bias, biasContributions, eventRefs, wallets } from "../schema.ts";
import { termsBefore } from "../signals/bias.ts";
import { biasSum } from "./bias-terms.ts";

const AT = instantOf("2022-06-21T02:00:00.000Z");
const ago = (seconds: number) => instant(millis(AT) - seconds * 1000);
const COUNT = 57;
const wallet = (n: number) => idOf("wallet", "ethereum", `0x${n.toString(16).padStart(40, "0")}`);
const sumOf = (list: readonly { readonly contribution: number }[]) =>
  list.reduce((sum, one) => sum + one.contribution, 0);

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  await db.insert(wallets).values(
    Array.from({ length: 9 }, (_, n) => ({
      ...{ id: wallet(n), address: `0x${n.toString(16).padStart(40, "0")}`, label: n === 0 ? null : `whale ${n}` },
      ...{ firstSeenAt: AT, watchedSince: AT },
    })),
  );
  await db.insert(eventRefs).values(
    Array.from({ length: COUNT }, (_, n) => ({
      ...{ id: idOf("event", n), timestamp: ago(n * 60 + 30), walletId: wallet(n % 9), chain: "ethereum" },
      ...{ txHash: `0x${n}`, blockNumber: 1000 - n },
    })),
  );
  await db.insert(biasContributions).values(
    Array.from({ length: COUNT }, (_, n) => ({
      ...{ eventId: idOf("event", n), asset: "ETH", timeframe: "4h" as const, walletId: wallet(n % 9) },
      ...{ at: ago(n * 60 + 30), channel: "swap", d: n % 3 === 0 ? -1 : 1, w: 0.1 + (n % 7) / 10 },
      factors: n === 5 ? {} : { score: 6 },
    })),
  );
  const terms = (await termsBefore(db, "ETH", AT))["4h"];
  const { value, confidence, components } = biasOf({
    ...{ timeframe: "4h", at: AT, terms, k: 0.25, freshness: 1, coverage: 1 },
  });
  await db.insert(bias).values({
    ...{ timestamp: AT, asset: "ETH", timeframe: "4h", components, value: fixed(value, 6) },
    confidence: fixed(confidence, 3),
  });
});
afterAll(() => database.close());

test("all terms of a bias, not the twenty stored alone, add up to it", async () => {
  const told = await biasSum(database.db, "ETH", "4h", ago(-30));
  if (told === null) throw new Error("there is a bias");
  expect(told).toMatchObject({ at: AT, modelVersion: "bias-1", sums: { K: 0.25 } });
  expect(told.terms).toHaveLength(COUNT);
  expect(new Set(told.terms.map(({ eventId }) => eventId)).size).toBe(COUNT);
  expect(told.rest.count).toBe(0);
  expect(Math.abs(told.rest.contribution)).toBeLessThan(1e-6); // the rounding of the value
  expect(sumOf(told.terms) + told.rest.contribution).toBeCloseTo(told.value, 9);
  // Each is the product of what it names, in the sum that the bias is.
  const { B = 0, K = 0 } = told.sums ?? {};
  for (const { w, cap, delta, d, contribution } of told.terms)
    expect(((w ?? 0) * (cap ?? 0) * (delta ?? 0) * (d ?? 0)) / (B + K)).toBeCloseTo(contribution, 7);
  expect(told.terms.some(({ credibility }) => credibility === null)).toBe(true);
  expect(told.terms.find(({ wallet: who }) => who?.label === "whale 1")?.wallet?.id).toBe(wallet(1));
});

test("what a reorg has taken since is in the rest, and the sum stands", async () => {
  const { db } = database;
  const before = await biasSum(db, "ETH", "4h", AT);
  const last = before?.terms.at(-1);
  await db.delete(biasContributions).where(eq(biasContributions.eventId, last?.eventId ?? idOf("event", "none")));
  const told = await biasSum(db, "ETH", "4h", AT);
  expect(told?.terms).toHaveLength(COUNT - 1);
  expect(told?.rest.count).toBe(1);
  expect(sumOf(told?.terms ?? []) + (told?.rest.contribution ?? 0)).toBeCloseTo(told?.value ?? Number.NaN, 9);
});

test("a bias without components has no terms; one of the day before and one after are not this one", async () => {
  const { db } = database;
  const one = { timestamp: AT, asset: "BTC", timeframe: "1h" as const, value: decimalOf("0.25") };
  await db.insert(bias).values(one);
  expect(await biasSum(db, "BTC", "1h", AT)).toMatchObject({
    ...{ confidence: null, modelVersion: null, sums: null, terms: [], rest: { count: 0, contribution: 0.25 } },
  });
  expect([await biasSum(db, "BTC", "1h", ago(1)), await biasSum(db, "BTC", "1h", ago(-86_400))]).toEqual([null, null]);
});
