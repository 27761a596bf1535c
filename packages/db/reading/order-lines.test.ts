import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { orderText } from "#reporting/order-text";
import { type TestDatabase, testDatabase } from "#testing/database";
import { LANE, type LaneWriter, laneWriter, minute, START, snapshotWith as snapshot } from "#testing/lane-orders";
import { idOf } from "#units/ids";
import { instant, millis } from "#units/time";
import * as s from "../schema.ts";
import { orderLines } from "./order-lines.ts";

let database: TestDatabase;
let write: LaneWriter["order"];
beforeAll(async () => {
  database = await testDatabase();
  const lane = await laneWriter(database.db);
  write = lane.order;
  await write("first", {
    at: 0,
    side: "buy",
    size: "5",
    fills: [["5", "1100"]],
    policySnapshot: snapshot(0.3, "0", "h1"),
  });
  await write("out", {
    at: 10,
    side: "sell",
    size: "5",
    fills: [["5", "1110"]],
    policySnapshot: snapshot(0.05, "5", "h1"),
  });
  const over = {
    ...LANE,
    asset: "ETH",
    side: "long",
    openedAt: instant(millis(minute(0)) + 1000),
    updatedAt: START,
  } as const;
  await database.db
    .insert(s.positionsArchive)
    .values({ ...over, id: idOf("position", "over"), closedAt: instant(millis(minute(10)) + 1000) });
  const two = [
    ["8", "1121"],
    ["4", "1124"],
  ] as const;
  await write("open", { at: 20, side: "buy", size: "12", fills: two, policySnapshot: snapshot(0.4, "0", "h2") });
  await lane.external(25, "buy", "3");
  await write("cut", {
    at: 30,
    side: "sell",
    size: "6",
    fills: [["6", "1130"]],
    policySnapshot: snapshot(0.28, "15", "h2"),
  });
  await write("no", { at: 35, side: "buy", size: "2", policySnapshot: snapshot(0.5, "9", "h2") });
  await write("stop", { at: 40, side: "sell", size: "9", fills: [["9", "1090"]], type: "stop" });
  await write("unplanned", { at: 45, side: "sell", size: "1", type: "market" });
});
afterAll(() => database.close());

test("each order has what was held before it and after it, also where another's fills stand between", async () => {
  const lines = await orderLines(database.db, sql`true`, sql`o.decided_at`);
  expect(lines.map(({ change }) => [change?.act, change?.before, change?.after, change?.isAsked])).toEqual([
    ["open", "0", "5", false],
    ["close", "5", "0", false],
    ["open", "0", "12", false],
    ["cut", "15", "9", false],
    ["add", "9", "11", true],
    ["stop", "9", "0", false],
    ["open", "0", "-1", true],
  ]);
  const cut = lines[3];
  // 6 × 0.1 × (1,120 − 1,130): it sold above the middle.
  expect(cut).toMatchObject({ spreadUsd: "-6", filledAt: instant(millis(minute(30)) + 1000) });
  expect(cut?.change).toMatchObject({ beforeAsset: "1.5", afterAsset: "0.9", beforeUsd: "1695", afterUsd: "1017" });
  expect(cut && orderText(cut)).toMatch(/^CUT long ETH 15 → 9 ct \(1\.5 → 0\.9 ETH, 1,695 → 1,017 USD\) · 03:30:01 · /);
  expect(lines[2]?.spreadUsd).toBe("2.4"); // 12 × 0.1 × (1,122 − 1,120)
});

test("each has the signal of the last order that filled, and a stop has its policy", async () => {
  const lines = await orderLines(database.db, sql`true`, sql`o.decided_at`);
  expect(lines.map(({ why }) => [why.signal, why.signalBefore, why.policy?.hash, why.trigger?.crossed])).toEqual([
    [0.3, null, "h1", "enter"],
    [0.05, 0.3, "h1", "enter"],
    [0.4, 0.05, "h2", "enter"],
    [0.28, 0.4, "h2", "enter"],
    [0.5, 0.28, "h2", "enter"],
    [null, 0.28, "h2", undefined],
    [null, 0.28, "h2", undefined],
  ]);
  expect(lines[5]?.why.policy).toEqual({ version: "own", hash: "h2" });
});

test("one order alone says the same as among all: what was flat before it is left out", async () => {
  const all = await orderLines(database.db, sql`true`, sql`o.decided_at`);
  for (const line of all) expect(await orderLines(database.db, sql`o.id = ${line.id}`, sql`o.id`)).toEqual([line]);
});

test("a fill that closes one position and opens the next leaves nothing flat between them", async () => {
  const at = instant(millis(minute(50)) + 1000);
  await write("long", { at: 46, side: "buy", size: "4", fills: [["4", "1100"]] });
  await write("flip", { at: 50, side: "sell", size: "10", fills: [["10", "1100"]] });
  await write("more", { at: 60, side: "sell", size: "1", fills: [["1", "1100"]] });
  const over = { ...LANE, asset: "ETH", updatedAt: START } as const;
  await database.db.insert(s.positions).values([
    { ...over, id: idOf("position", "long"), side: "long", openedAt: instant(millis(minute(46)) + 1000), closedAt: at },
    { ...over, id: idOf("position", "short"), side: "short", openedAt: at },
  ]);
  const [flip, more] = await orderLines(database.db, sql`o.decided_at >= ${minute(50)}`, sql`o.decided_at`);
  expect(flip?.change).toMatchObject({ act: "flip", before: "4", after: "-6" });
  expect(more?.change).toMatchObject({ act: "add", before: "-6", after: "-7" });
  const [alone] = await orderLines(database.db, sql`o.client_order_id = 'more'`, sql`o.id`);
  expect(alone).toEqual(more);
});
