import { asc } from "drizzle-orm";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { verifyAudit } from "#db/audit";
import { verifyRecords } from "#db/records";
import { auditLogs } from "#db/schema";
import { claimOrder } from "#db/trading/claim-order";
import { readControl } from "#db/trading/control";
import { insertOrder, moveOrder } from "#db/trading/move-order";
import { readOrder } from "#db/trading/orders";
import { lambdaContext } from "#local/aws/jobs";
import { controlInMemory } from "#local/control-board";
import { type LogLine, useSink } from "#runtime/log";
import { provide } from "#runtime/services";
import { type TestDatabase, testDatabase } from "#testing/database";
import { type Letter, type Operation, REPLIES, type ReplyTo } from "#topology/operations";
import { task } from "#topology/topology";
import type { OrderEvent } from "#trading/orders/order";
import type { StoredOrder } from "#trading/orders/stored-order";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant, instantOf, millis } from "#units/time";
import { handler } from "./operate.ts";

const AT = instantOf("2026-01-05T12:00:00.000Z");
const later = (seconds: number): Instant => instant(millis(AT) + seconds * 1000);
const ARN = "arn:aws:sts::000000000000:assumed-role/desk-operators/anna";

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
  provide("database", database.db);
  provide("control", controlInMemory("demo"));
});
afterEach(async () => {
  provide("database", null);
  await database.close();
});

/** Invokes the task as Lambda does, and reads its reply as the commands do. */
async function operate<A extends Operation["act"]>(operation: Extract<Operation, { act: A }>): Promise<ReplyTo<A>> {
  const reply = await handler(operation, lambdaContext(task("operate"), Date.now() + 60_000));
  return REPLIES[operation.act as A].parse(JSON.parse(JSON.stringify(reply))) as ReplyTo<A>;
}
type Order = Extract<Operation, { act: "control" }>;
const control = (to: Order["to"], more: Partial<Order> = {}) =>
  operate({
    ...{ act: "control", mode: "demo", to, confirmed: false, mappings: null },
    ...{ actor: ARN, reason: "a drill", at: AT },
    ...more,
  });
const switchOf = (mode: "demo" | "live") => readControl(database.db, mode);
const audit = () => database.db.select().from(auditLogs).orderBy(asc(auditLogs.seq));

let serial = 0;
async function order(...events: readonly OrderEvent[]): Promise<StoredOrder> {
  serial += 1;
  const { epoch } = await switchOf("demo");
  let stored = await insertOrder(database.db, {
    ...{ mode: "demo", venue: "paper", asset: "BTC", instrument: "BTC-USDT-SWAP", timeframe: "4h", epoch },
    ...{ biasAt: AT, at: AT, by: "test", verdict: "approved", codes: [], policySnapshot: { hash: "x" } },
    order: {
      ...{ clientOrderId: `d${String(serial).padStart(28, "c")}`, side: "buy", type: "ioc", size: decimalOf("2") },
      ...{ price: decimalOf("20000"), reduceOnly: false, stopLoss: decimalOf("19000"), riskUsd: decimalOf("10") },
      signal: null,
    },
  });
  for (const event of events) {
    const change = event === "claimed" ? { expTime: later(4) } : {};
    stored = (await moveOrder(database.db, stored, event, { at: AT, by: "test", change })) ?? stored;
  }
  return stored;
}

test("halt, reduce and resume are each a new epoch, with who and why in a log that is intact", async () => {
  const steps = [
    ["HALTED", later(1)],
    ["REDUCING", later(2)],
    ["ACTIVE", later(3)],
  ] as const;
  for (const [state, at] of steps)
    expect(await control(state, { at })).toMatchObject({ done: true, control: { state, actor: ARN, changedAt: at } });
  expect(await switchOf("demo")).toMatchObject({ state: "ACTIVE", epoch: 4, reason: "a drill" });
  expect(await switchOf("live")).toMatchObject({ state: "HALTED", epoch: 1, reason: "not armed" });
  const rows = await audit();
  expect(
    rows.map(({ action, entityType, entityId, newValue }) => ({ action, entityType, entityId, newValue })),
  ).toEqual(
    [
      { state: "HALTED", epoch: 2, before: { state: "ACTIVE", epoch: 1 } },
      { state: "REDUCING", epoch: 3, before: { state: "HALTED", epoch: 2 } },
      { state: "ACTIVE", epoch: 4, before: { state: "REDUCING", epoch: 3 } },
    ].map((change) => ({
      ...{ action: "trading.changed", entityType: "trading", entityId: idOf("trading", "demo") },
      newValue: { mode: "demo", ...change, actor: ARN, reason: "a drill" },
    })),
  );
  expect(rows.map(({ traceId }) => traceId)).toEqual(["local", "local", "local"]); // the invocation, as CloudTrail has it
  expect(await verifyAudit(database.db)).toMatchObject({ intact: true, rows: 3 });
});

test("an order that was approved before a halt never leaves, not even once the desk is resumed", async () => {
  const approved = await order();
  await control("HALTED", { at: later(1) });
  await control("ACTIVE", { at: later(2) });
  const claim = { at: later(3), by: "submit-order", expiresAt: later(7) };
  expect(await claimOrder(database.db, approved.id, claim)).toBeNull();
  expect(await readOrder(database.db, approved.id)).toMatchObject({
    status: "canceled",
    errorMessage: "voided: trading is ACTIVE in epoch 3, approved in 1",
  });
});

test("what it is already changes nothing and is no row; a hard halt of a halted desk is one", async () => {
  expect(await control("ACTIVE")).toMatchObject({ done: false, why: "it is ACTIVE already", control: { epoch: 1 } });
  await control("HALTED");
  expect(await control("HALTED", { at: later(1) })).toMatchObject({ done: false, control: { epoch: 2 } });
  expect(await audit()).toHaveLength(1);
  expect(await control("HALTED", { at: later(2), mappings: "disabled" })).toMatchObject({ control: { epoch: 3 } });
  expect((await audit()).at(-1)?.newValue).toMatchObject({ epoch: 3, mappings: "disabled" });
});

test("a call that comes twice, as after a lost reply, is carried out once", async () => {
  const first = await control("HALTED");
  expect(await control("HALTED")).toMatchObject({ done: true, control: first.control });
  expect(await switchOf("demo")).toMatchObject({ epoch: 2 });
  expect(await audit()).toHaveLength(1);
});

test("two persons at once: each is judged, and no change is lost", async () => {
  const [one, other] = await Promise.all([
    control("REDUCING", { at: later(1), actor: "anna" }),
    control("HALTED", { at: later(2), actor: "ben" }),
  ]);
  expect([one.done, other.done]).toContain(true);
  const { state, epoch } = await switchOf("demo");
  expect(epoch).toBe(1 + (await audit()).length);
  expect(state === "HALTED" || (other.done && one.done)).toBe(true);
  expect(await verifyAudit(database.db)).toMatchObject({ intact: true });
});

test("to loosen is refused while an order is in doubt, and in live without a confirmation", async () => {
  const doubtful = await order("claimed", "lost");
  await control("HALTED", { at: later(1) });
  const { lifts: _, ...shown } = await switchOf("demo");
  for (const to of ["ACTIVE", "REDUCING", null] as const)
    expect(await control(to, { at: later(2), confirmed: true })).toEqual({
      done: false,
      why: "an order is in doubt: npm run status names them, npm run judge decides one",
      control: shown,
      object: null,
    });
  const judged = { act: "judge", order: doubtful.clientOrderId, ruling: "not-there", actor: ARN } as const;
  await operate({ ...judged, reason: "not in history or fills", at: later(60) });
  expect(await control(null, { at: later(61), mappings: "enabled" })).toMatchObject({ control: { state: "HALTED" } });
  expect(await control("ACTIVE", { at: later(62) })).toMatchObject({ done: true });

  const why = "live trades with money: add --yes if you mean it";
  expect(await control("ACTIVE", { mode: "live" })).toMatchObject({ done: false, why });
  expect(await control("ACTIVE", { mode: "live", confirmed: true })).toMatchObject({ done: true });
  expect(await switchOf("live")).toMatchObject({ state: "ACTIVE", epoch: 2 });
});

test("a name longer than its column is kept whole in the audit log", async () => {
  const actor = `arn:aws:sts::000000000000:assumed-role/${"r".repeat(99)}/anna`;
  const { control: now } = await control("HALTED", { actor });
  expect(now.actor).toMatch(/^…r+\/anna$/);
  expect(now.actor).toHaveLength(100);
  expect(await control("HALTED", { actor })).toMatchObject({ done: true, control: { epoch: 2 } }); // the same call again
  expect((await audit()).map(({ newValue }) => newValue)).toMatchObject([{ actor }]);
});

test("an order in doubt ends when it was not at the venue, and is the reconciler's when it was", async () => {
  const [gone, there] = [await order("claimed", "lost", "quarantined"), await order("claimed", "lost", "quarantined")];
  const word = { act: "judge", actor: ARN, reason: "looked up in the venue's history", at: later(60) } as const;
  const early = { ...word, order: gone.id, ruling: "not-there", at: later(3) } as const;
  expect(await operate(early)).toEqual({
    done: false,
    why: `the venue may take it until ${later(4)}: look again after that`,
  });
  expect(await audit()).toEqual([]);
  const notThere = { ...word, order: gone.id, ruling: "not-there" } as const;
  const found = { ...word, order: there.clientOrderId, ruling: "found" } as const;
  expect(await operate(notThere)).toMatchObject({ done: true, before: "quarantined", order: { status: "expired" } });
  expect(await operate(found)).toMatchObject({ done: true, before: "quarantined", order: { status: "open" } });
  expect(await operate(found)).toMatchObject({ done: true, order: { status: "open" } }); // the same call again
  expect(await readOrder(database.db, gone.id)).toMatchObject({
    errorMessage: "not at the venue: looked up in the venue's history",
  });
  const rows = await audit();
  const said = { mode: "demo", instrument: "BTC-USDT-SWAP", before: "quarantined", actor: ARN, reason: word.reason };
  expect(rows.map(({ action, entityId, newValue }) => ({ action, entityId, newValue }))).toEqual([
    {
      ...{ action: "order.judged", entityId: gone.id },
      newValue: { ...said, clientOrderId: gone.clientOrderId, ruling: "not-there", status: "expired" },
    },
    {
      ...{ action: "order.judged", entityId: there.id },
      newValue: { ...said, clientOrderId: there.clientOrderId, ruling: "found", status: "open" },
    },
  ]);
  // What was judged is part of each order's own trail too.
  expect(await verifyRecords(database.db, later(120), [])).toMatchObject({ faults: [], head: { audit: { rows: 2 } } });
  const again = { ...notThere, at: later(90) };
  expect(await operate(again)).toEqual({ done: false, why: "the order is expired: there is nothing to decide" });
  for (const nobody of ["d-none", idOf("order", "never")])
    expect(await operate({ ...again, order: nobody })).toMatchObject({ why: expect.stringMatching(/no such order/) });
});

test("a look names the orders in doubt, and changes nothing", async () => {
  const doubtful = await order("claimed", "lost");
  await order();
  const look = await operate({ act: "look" });
  expect(look).toMatchObject({ schema: expect.stringMatching(/\.sql$/), block: null, report: null });
  const [demo, live] = look.modes;
  expect(live).toMatchObject({
    mode: "live",
    doubtful: 0,
    inDoubt: [],
    control: { state: "HALTED", actor: "migration" },
  });
  expect(demo).toMatchObject({ mode: "demo", doubtful: 1, control: { state: "ACTIVE", epoch: 1 } });
  expect(demo?.inDoubt).toMatchObject([{ clientOrderId: doubtful.clientOrderId, status: "unknown", size: "2" }]);
  expect(await audit()).toEqual([]);
});

test("what was done by keys alone is a line of the audit log, once, and changes nothing else", async () => {
  const act = { act: "note", mode: "demo", what: "exchange.checked", result: "differs: nothing" } as const;
  for (const _ of ["first", "again"])
    expect(await operate({ ...act, actor: ARN, reason: "before arming", at: AT })).toEqual({ done: true });
  expect(await audit()).toMatchObject([
    {
      action: "exchange.checked",
      newValue: { mode: "demo", result: "differs: nothing", actor: ARN, reason: "before arming" },
    },
  ]);
  expect(await switchOf("demo")).toMatchObject({ state: "ACTIVE", epoch: 1 });
});

test("dead letters are as old as the desk's own policy lets a bias be", async () => {
  const old = await order();
  const lane = { lane: "demo:BTC-USDT-SWAP", mode: "demo", instrument: "BTC-USDT-SWAP", at: AT } as const;
  const letters: Letter[] = [
    { kind: "order", id: "m1", message: { ...lane, orderId: old.id } },
    { kind: "plan", id: "m2", message: { ...lane, asset: "BTC" } },
  ];
  const fates = async (maxBiasAgeSeconds: number) => {
    vi.stubEnv("POLICY", JSON.stringify({ maxBiasAgeSeconds }));
    const verdicts = await operate({ act: "letters", queue: "orders", letters, at: later(60), carry: null });
    return verdicts.map(({ act }) => act);
  };
  expect([await fates(60), await fates(59)]).toEqual([
    ["send", "send"],
    ["drop", "drop"],
  ]);
  vi.unstubAllEnvs();
});

test("dead letters: a look leaves no row; carried out, every fate is in the log, and a dropped order is voided", async () => {
  const old = await order();
  const message = { lane: "demo:BTC-USDT-SWAP", mode: "demo", instrument: "BTC-USDT-SWAP", at: AT } as const;
  const letters: Letter[] = [
    { kind: "order", id: "m1", message: { ...message, orderId: old.id } },
    { kind: "fact", id: "m2" },
    { kind: "broken", id: "m3", problem: "it is not JSON" },
  ];
  const asked = { act: "letters", queue: "orders", letters, at: later(3600) } as const;
  const reason = "voided: decided 3600 s ago, at prices that are gone";
  const fates = [{ act: "drop", reason }, { act: "send" }, { act: "keep", reason: "it is not JSON" }];
  expect(await operate({ ...asked, carry: null })).toEqual(fates);
  expect(await readOrder(database.db, old.id)).toMatchObject({ status: "approved" });
  expect(await audit()).toEqual([]);
  expect(await operate({ ...asked, carry: { actor: ARN, reason: "the node is back" } })).toEqual(fates);
  expect(await readOrder(database.db, old.id)).toMatchObject({ status: "canceled", errorMessage: reason });
  expect(await audit()).toMatchObject([
    {
      ...{ action: "letters.redriven", entityType: "queue", entityId: idOf("queue", "orders") },
      newValue: {
        ...{ queue: "orders", actor: ARN, reason: "the node is back" },
        letters: fates.map((fate, index) => ({ id: letters[index]?.id, ...fate })),
      },
    },
  ]);
  expect(await verifyAudit(database.db)).toMatchObject({ intact: true, rows: 1 });
});

test("no reason, no name, an unknown act, a field too many: refused whole", async () => {
  const lines: LogLine[] = [];
  useSink((line) => lines.push(line));
  const bad = [
    { ...{ act: "control", mode: "demo", to: "HALTED", confirmed: true, mappings: null, actor: ARN, at: AT } },
    {
      ...{ act: "control", mode: "demo", to: "HALTED", confirmed: true, mappings: null, actor: ARN, at: AT },
      reason: " ",
    },
    {
      ...{ act: "control", mode: "demo", to: "OFF", confirmed: true, mappings: null, actor: ARN, reason: "x", at: AT },
    },
    { act: "sql", statement: "DELETE FROM orders" },
    { act: "look", venue: true },
    {},
  ];
  for (const input of bad)
    await expect(handler(input, lambdaContext(task("operate"), Date.now() + 60_000))).rejects.toThrow();
  useSink(null);
  expect(lines).toHaveLength(bad.length);
  expect(await switchOf("demo")).toMatchObject({ state: "ACTIVE", epoch: 1 });
  expect(await audit()).toEqual([]);
});
