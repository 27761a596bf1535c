import { asc, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import type { Json } from "#trading/canonical-json";
import { eventHash, type NewOrder, orderIdOf, type StoredOrder } from "#trading/orders/stored-order";
import { decimalOf } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { instantOf } from "#units/time";
import { orderEvents, orders } from "../schema.ts";
import { claimOrder } from "./claim-order.ts";
import { changeControl, readControl } from "./control.ts";
import { tightenControl } from "./kill-switch.ts";
import { insertOrder, moveOrder } from "./move-order.ts";
import { readOrder } from "./orders.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const AT = instantOf("2022-06-21T02:40:00.000Z");
const LATER = instantOf("2022-06-21T02:41:00.000Z");
const CLAIM = { at: AT, by: "test", expiresAt: instantOf("2022-06-21T02:40:04.000Z") };

let serial = 0;
beforeEach(() => {
  serial += 1;
});

async function fresh(overrides: Partial<NewOrder> = {}): Promise<NewOrder> {
  const { epoch } = await readControl(database.db, "demo");
  return {
    ...{ mode: "demo", venue: "paper", asset: "ETH", instrument: "ETH-USDT-SWAP", timeframe: "4h", biasAt: AT, epoch },
    ...{ at: AT, by: "test", verdict: "approved", codes: [], policySnapshot: { hash: "x" } },
    order: {
      ...{
        clientOrderId: `d${String(serial).padStart(28, "a")}`,
        side: "buy",
        type: "ioc",
        size: decimalOf("10"),
        price: decimalOf("1122.34"),
      },
      ...{ reduceOnly: false, stopLoss: decimalOf("1104"), riskUsd: decimalOf("312.5"), signal: null },
    },
    ...overrides,
  };
}

const events = (id: OrderId) =>
  database.db.select().from(orderEvents).where(eq(orderEvents.orderId, id)).orderBy(asc(orderEvents.seq));

const hashOfEvent = ({ hash: _, detail, ...event }: typeof orderEvents.$inferSelect) =>
  eventHash({ ...event, detail: detail as Json });

test("an order is written once, proposed and then approved", async () => {
  const { db } = database;
  const order = await insertOrder(db, await fresh());
  expect(order).toMatchObject({ status: "approved", version: 1, size: "10", riskUsd: "312.5", filledSize: "0" });
  expect(await insertOrder(db, await fresh({ at: LATER }))).toEqual(order);
  expect((await events(order.id)).map((event) => event.toStatus)).toEqual(["proposed", "approved"]);
});

test("a denied order keeps its reasons and goes nowhere", async () => {
  const order = await insertOrder(database.db, await fresh({ verdict: "denied", codes: ["daily_loss", "drawdown"] }));
  expect(order).toMatchObject({ status: "denied", errorMessage: "daily_loss, drawdown" });
  expect(await claimOrder(database.db, order.id, CLAIM)).toBeNull();
});

test("of two claims at once one wins", async () => {
  const { db } = database;
  const { id } = await insertOrder(db, await fresh());
  const claims = await Promise.all([claimOrder(db, id, CLAIM), claimOrder(db, id, { ...CLAIM, by: "other" })]);
  expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
  expect(await readOrder(db, id)).toMatchObject({ status: "submitting", version: 2, expiresAt: CLAIM.expiresAt });
});

test("of two moves from one reading one is made", async () => {
  const { db } = database;
  const order = await insertOrder(db, await fresh());
  const claimed = (await claimOrder(db, order.id, CLAIM)) as StoredOrder;
  const moves = await Promise.all([
    moveOrder(db, claimed, "accepted", { at: AT, by: "a", change: { exchangeOrderId: `v${serial}` } }),
    moveOrder(db, claimed, "lost", { at: AT, by: "b" }),
  ]);
  expect(moves.filter((move) => move !== null)).toHaveLength(1);
  expect(await events(order.id)).toHaveLength(4);
});

test("of two moves that leave the status as it is one is made too: the version tells", async () => {
  const { db } = database;
  const order = await insertOrder(db, await fresh());
  const claimed = (await claimOrder(db, order.id, CLAIM)) as StoredOrder;
  const unknown = (await moveOrder(db, claimed, "lost", { at: AT, by: "a" })) as StoredOrder;
  const moves = [
    await moveOrder(db, unknown, "looked_up", { at: AT, by: "a" }),
    await moveOrder(db, unknown, "looked_up", { at: LATER, by: "b" }),
  ];
  expect(moves.map((moved) => moved?.version ?? null)).toEqual([unknown.version + 1, null]);
  expect((await events(order.id)).at(-1)).toMatchObject({ at: AT, fromStatus: "unknown", toStatus: "unknown" });
});

test("a new epoch voids what was approved before, at the claim", async () => {
  const { db } = database;
  const { id } = await insertOrder(db, await fresh());
  const { epoch } = await readControl(db, "demo");
  await changeControl(db, "demo", epoch, { state: "ACTIVE", reason: "again", actor: "test", at: AT });
  expect(await claimOrder(db, id, CLAIM)).toBeNull();
  expect(await readOrder(db, id)).toMatchObject({ status: "canceled", expiresAt: null });
  expect((await readOrder(db, id))?.errorMessage).toMatch(/^voided: trading is ACTIVE in epoch \d+, approved in \d+$/);
});

test("the events chain, and rebuild the row", async () => {
  const { db } = database;
  const { id, ...born } = await insertOrder(db, await fresh());
  const claimed = (await claimOrder(db, id, CLAIM)) as StoredOrder;
  const change = { exchangeOrderId: `v${serial}` };
  const open = (await moveOrder(db, claimed, "accepted", { at: AT, by: "a", change })) as StoredOrder;
  const part = { filledSize: decimalOf("4"), avgFillPrice: decimalOf("1120.5"), fees: decimalOf("0.22") };
  const partly = (await moveOrder(db, open, "partly_filled", { at: LATER, by: "b", change: part })) as StoredOrder;
  await moveOrder(db, partly, "canceled", { at: LATER, by: "b" });
  const chain = await events(id);
  let prevHash = "0".repeat(64);
  for (const [index, event] of chain.entries()) {
    expect(event).toMatchObject({ seq: index, prevHash });
    expect(event.hash).toBe(hashOfEvent(event));
    prevHash = event.hash;
  }
  const set = Object.assign({}, ...chain.map((event) => (event.detail as { set: object }).set)) as Record<
    string,
    string
  >;
  const [row] = await db.select().from(orders).where(eq(orders.id, id));
  expect(row).toMatchObject({ ...set, clientOrderId: born.clientOrderId });
  expect(row).toMatchObject({
    status: chain.at(-1)?.toStatus,
    version: chain.at(-1)?.seq,
    updatedAt: chain.at(-1)?.at,
  });
  expect(set).toMatchObject({ size: "10", expTime: CLAIM.expiresAt, ...change, ...part });
  await expect(db.update(orderEvents).set({ toStatus: "filled" }).where(eq(orderEvents.orderId, id))).rejects.toThrow();
});

test("an illegal move throws and writes nothing", async () => {
  const { db } = database;
  const order = await insertOrder(db, await fresh());
  await expect(moveOrder(db, order, "filled", { at: AT, by: "test" })).rejects.toThrow(
    "an order that is approved cannot be filled",
  );
  expect(await readOrder(db, orderIdOf(order.clientOrderId))).toEqual(order);
});

test("the switch tightens once per cause, and never loosens", async () => {
  const { db } = database;
  const change = { state: "REDUCING", reason: "daily loss", actor: "reconcile-orders", at: AT } as const;
  const reducing = await tightenControl(db, "demo", change);
  expect(reducing?.state).toBe("REDUCING");
  expect(await tightenControl(db, "demo", change)).toEqual(reducing);
  expect(await tightenControl(db, "demo", { ...change, at: LATER })).toBeNull();
  const both = await Promise.all([
    tightenControl(db, "demo", { ...change, state: "HALTED", at: LATER }),
    tightenControl(db, "demo", { ...change, state: "HALTED", at: LATER, actor: "other" }),
  ]);
  expect(both.filter((made) => made !== null)).toHaveLength(1);
  expect(await tightenControl(db, "demo", { ...change, at: LATER })).toBeNull();
  expect((await readControl(db, "demo")).epoch).toBe((reducing?.epoch ?? 0) + 1);
});

test("closing orders leave when REDUCING, and only the desk's stop when HALTED", async () => {
  const { db } = database;
  const { order } = await fresh();
  const stop = { ...order, type: "stop" as const, reduceOnly: true, clientOrderId: `${order.clientOrderId}s` };
  const close = { ...order, type: "market" as const, price: null, reduceOnly: true };
  const { id } = await insertOrder(db, await fresh({ order: close }));
  expect(await claimOrder(db, id, CLAIM)).toBeNull();
  const stopped = await insertOrder(db, await fresh({ order: stop }));
  expect(await claimOrder(db, stopped.id, CLAIM)).toMatchObject({ status: "submitting" });
});
