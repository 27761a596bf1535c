import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import { instantOf } from "#units/time";
import { walletIdOf, watchedIds, watchedWallets, watchWallets } from "./wallets.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const A = `0x${"0a".repeat(20)}`;
const B = `0x${"0b".repeat(20)}`;
const FIRST = instantOf("2022-06-21T00:00:00.000Z");
const LATER = instantOf("2022-06-22T00:00:00.000Z");
const line = (address: string, label: string | null = null, tags: string[] = []) => ({ address, label, tags });

test("a watch list is stored once, by address, in lower case", async () => {
  const { db } = database;
  await watchWallets(db, "ethereum", [], FIRST);
  await watchWallets(
    db,
    "ethereum",
    [line(B, "b", ["fund", 'a, "quoted" one']), line(A.toUpperCase().replace("0X", "0x"))],
    FIRST,
  );
  await watchWallets(db, "ethereum", [line(A, "again"), line(A, "last")], LATER);
  expect(await watchedWallets(db, "ethereum")).toEqual([
    { id: walletIdOf("ethereum", A), address: A, label: "last", tags: [], watchedSince: FIRST },
    { id: walletIdOf("ethereum", B), address: B, label: "b", tags: ["fund", 'a, "quoted" one'], watchedSince: FIRST },
  ]);
  expect(await watchedWallets(db, "base")).toEqual([]);
  const ids = await watchedIds(db, "ethereum");
  expect([...ids]).toEqual([A, B].map((address) => [address, walletIdOf("ethereum", address)]));
  expect(await watchedIds(db, "ethereum")).toBe(ids);
  expect([...(await watchedIds(db, "base"))]).toEqual([]);
});

test("a wallet that was dropped is watched again from then on", async () => {
  const { db } = database;
  await db.execute(sql`UPDATE wallets SET is_active = false WHERE address = ${B}`);
  expect((await watchedWallets(db, "ethereum")).map(({ address }) => address)).toEqual([A]);
  expect([...(await watchedIds(db, "ethereum")).keys()]).toEqual([A]);
  await watchWallets(db, "ethereum", [line(B)], LATER);
  expect((await watchedWallets(db, "ethereum")).map(({ watchedSince }) => watchedSince)).toEqual([FIRST, LATER]);
});

test("a list longer than one statement is stored whole", async () => {
  const many = Array.from({ length: 2500 }, (_, n) => line(`0x${n.toString(16).padStart(40, "0")}`));
  await watchWallets(database.db, "base", many, FIRST);
  expect(await watchedWallets(database.db, "base")).toHaveLength(2500);
});
