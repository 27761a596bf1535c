import { sql } from "drizzle-orm";
import { afterAll, beforeEach, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import { eventHash, type NewOrder, NO_HASH, orderIdOf } from "#trading/orders/stored-order";
import type { RecordHead } from "#trading/record-head";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { appendAudit } from "./audit.ts";
import { verifyRecords } from "./records.ts";
import { orderEvents } from "./schema.ts";
import { claimOrder } from "./trading/claim-order.ts";
import { insertOrder, moveOrder } from "./trading/move-order.ts";

let database: TestDatabase | null = null;
let db: TestDatabase["db"];
beforeEach(async () => {
  await database?.close();
  database = await testDatabase();
  db = database.db;
  await write();
});
afterAll(() => database?.close());

const AT = instantOf("2022-06-21T02:40:00.000Z");
const NEXT_WEEK = instantOf("2022-06-30T00:15:00.000Z");
const BY = { at: AT, by: "test" };
const CLIENT_IDS = ["filled", "denied", "open"].map((name) => `d${name.padStart(28, "a")}`);
const [FILLED, DENIED, OPEN] = CLIENT_IDS.map(orderIdOf);

const fresh = (clientOrderId: string, verdict: NewOrder["verdict"]): NewOrder => ({
  ...{ mode: "demo", venue: "paper", asset: "ETH", instrument: "ETH-USDT-SWAP", timeframe: "4h", biasAt: AT, epoch: 1 },
  ...{ ...BY, verdict, codes: verdict === "denied" ? ["drawdown"] : [], policySnapshot: { hash: "x" } },
  order: {
    ...{ clientOrderId, side: "buy", type: "ioc", size: decimalOf("10"), price: decimalOf("1122.34") },
    ...{ reduceOnly: false, stopLoss: decimalOf("1104"), riskUsd: decimalOf("312.123456789"), signal: null },
  },
});

/** Three orders as the desk writes them: one filled, one denied, one open; and two rows of the audit log. */
async function write(): Promise<void> {
  const [filled = "", denied = "", open = ""] = CLIENT_IDS;
  await insertOrder(db, fresh(denied, "denied"));
  for (const id of [filled, open]) {
    const order = await insertOrder(db, fresh(id, "approved"));
    const claim = await claimOrder(db, order.id, { ...BY, expiresAt: instantOf("2022-06-21T02:40:04.000Z") });
    const taken = claim && (await moveOrder(db, claim, "accepted", { ...BY, change: { exchangeOrderId: `v-${id}` } }));
    if (!taken) throw new Error("nobody else moves it");
    const change = { filledSize: decimalOf("10"), avgFillPrice: decimalOf("1122.3"), fees: decimalOf("0.56") };
    if (id === filled) await moveOrder(db, taken, "filled", { ...BY, change });
  }
  await appendAudit(
    db,
    [1, 2].map((n) => ({
      ...{ id: idOf("audit", n), at: AT, action: "order.closed", entityType: "order", entityId: idOf("order", n) },
      ...{ traceId: null, newValue: { n } },
    })),
  );
}

const faultsOf = async (kept: readonly RecordHead[] = []) => {
  const { faults, head } = await verifyRecords(db, NEXT_WEEK, kept);
  expect(head === null).toBe(faults.length > 0);
  return faults.map(({ table, where, reason }) => `${table}, ${where}: ${reason}`);
};
async function headOf(): Promise<RecordHead> {
  const { head } = await verifyRecords(db, NEXT_WEEK, []);
  if (head === null) throw new Error("the records are not whole");
  return head;
}

/** As the tables' owner, for whom no trigger is a wall. */
async function tamper(...statements: readonly ReturnType<typeof sql>[]): Promise<void> {
  for (const table of ["audit_logs", "order_events"]) await db.execute(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  for (const statement of statements) await db.execute(statement);
}

test("what the desk writes is whole, alone and against its own head; so is a desk without any record", async () => {
  const head = await headOf();
  expect(head).toMatchObject({ at: NEXT_WEEK, audit: { rows: 2 }, orders: { events: 11 } });
  expect(head.orders.until).toBe("2022-06-25T00:15:00.000Z");
  expect(await faultsOf([head, head])).toEqual([]);
  await tamper(sql`TRUNCATE orders, order_events, audit_logs CASCADE`);
  expect(await faultsOf()).toEqual([]);
});

test("order_events emptied: each order is named, and a kept head says so even when the orders went too", async () => {
  const head = await headOf();
  await tamper(sql`TRUNCATE order_events`);
  const missing = [FILLED, DENIED, OPEN].sort().map((id) => `order_events, order ${id}: its events are missing`);
  expect(await faultsOf()).toEqual(missing);
  await tamper(sql`TRUNCATE orders CASCADE`);
  expect(await faultsOf()).toEqual([]);
  const emptied = `0 are there, 11 were when the head of ${NEXT_WEEK} was kept`;
  expect(await faultsOf([head])).toEqual([`order_events, events up to ${head.orders.until}: ${emptied}`]);
});

test("a forged state, fill, size or time of an order is found, by order and field", async () => {
  const reset = { status: "filled", version: 4, filled_size: 10, size: 10, side: "buy", error_message: null };
  const forged = [
    [sql`status = 'canceled'`, "events end as filled, the order is canceled"],
    [sql`version = 9`, "events end at 4, the order's version is 9"],
    [sql`filled_size = 9`, "filledSize is not what its events say"],
    [sql`size = 10.00000002`, "size is not what its events say"],
    [sql`side = 'sell'`, "side is not what its events say"],
    [sql`error_message = 'x'`, "errorMessage is not what its events say"],
    [sql`updated_at = now()`, "the order was changed at another time than its events say"],
  ] as const;
  for (const [change, reason] of forged) {
    await tamper(sql`UPDATE orders SET ${change} WHERE id = ${FILLED}`);
    expect(await faultsOf()).toEqual([`order_events, order ${FILLED}: ${reason}`]);
    await tamper(sql`UPDATE orders SET status = ${reset.status}, version = ${reset.version}, filled_size = ${reset.filled_size},
      size = ${reset.size}, side = ${reset.side}, error_message = ${reset.error_message}, updated_at = ${AT} WHERE id = ${FILLED}`);
  }
  expect(await faultsOf()).toEqual([]);
});

test("an event that is changed, missing or cut off is found", async () => {
  await tamper(sql`UPDATE order_events SET detail = '{"event":"accepted"}' WHERE order_id = ${FILLED} AND seq = 3`);
  expect(await faultsOf()).toEqual([`order_events, order ${FILLED}, event 3: event changed`]);
  await tamper(sql`DELETE FROM order_events WHERE order_id = ${FILLED} AND seq = 3`);
  expect(await faultsOf()).toEqual([`order_events, order ${FILLED}, event 3: event missing`]);
  await tamper(sql`DELETE FROM order_events WHERE order_id = ${FILLED} AND seq > 2`);
  expect(await faultsOf()).toEqual([`order_events, order ${FILLED}: events end at 2, the order's version is 4`]);
});

/** Writes the events of an order anew from `from` on, with fresh hashes: an owner who knows how they are made. */
async function rewrite(from: number, change: (event: typeof orderEvents.$inferInsert) => object): Promise<void> {
  const stored = (await db.select().from(orderEvents)).filter(({ orderId }) => orderId === FILLED);
  let hash = NO_HASH;
  for (const event of stored.sort((a, b) => a.seq - b.seq)) {
    const { hash: _, ...row } = { ...event, ...(event.seq >= from ? change(event) : {}), prevHash: hash };
    hash = eventHash(row as Parameters<typeof eventHash>[0]); // what jsonb returns is JSON
    await tamper(sql`DELETE FROM order_events WHERE order_id = ${FILLED} AND seq = ${event.seq}`);
    await db.insert(orderEvents).values({ ...row, hash });
  }
}

test("events that are rewritten with fresh hashes: an illegal path by itself, a legal one against a kept head", async () => {
  const head = await headOf();
  await rewrite(3, ({ seq }) => (seq === 3 ? { toStatus: "canceled", detail: { event: "expired" } } : {}));
  expect(await faultsOf()).toEqual([
    `order_events, order ${FILLED}, event 3: no move of the life cycle: submitting to canceled`,
  ]);
  await rewrite(3, ({ seq }) =>
    seq === 3 ? { toStatus: "open", detail: { event: "accepted", set: { exchangeOrderId: "forged" } } } : {},
  );
  await tamper(sql`UPDATE orders SET exchange_order_id = 'forged' WHERE id = ${FILLED}`);
  expect(await faultsOf()).toEqual([]);
  expect(await faultsOf([head])).toEqual([
    `order_events, events up to ${head.orders.until}: rewritten since the head of ${NEXT_WEEK}`,
  ]);
});

test("the audit log's faults are told beside those of orders", async () => {
  const head = await headOf();
  await tamper(sql`DELETE FROM audit_logs WHERE seq = 2`, sql`UPDATE orders SET epoch = 7 WHERE id = ${OPEN}`);
  expect(await faultsOf([head])).toEqual([
    "audit_logs, row 2: end cut off",
    `order_events, order ${OPEN}: epoch is not what its events say`,
  ]);
});
