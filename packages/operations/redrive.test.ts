import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bias } from "#db/schema";
import { changeControl, readControl } from "#db/trading/control";
import { insertOrder, moveOrder } from "#db/trading/move-order";
import { readOrder } from "#db/trading/orders";
import { writeDeskRows } from "#testing/desk-rows";
import { type TestSite, testSite } from "#testing/site";
import type { QueueName } from "#topology/queues";
import { orderIdOf } from "#trading/orders/stored-order";
import { decimalOf } from "#units/decimal";
import { idOf, type OrderId } from "#units/ids";
import { type Instant, instantOf } from "#units/time";
import { type RedriveOptions, redrive, type Verdict } from "./redrive.ts";

// Dead letters in a real SQS endpoint, judged by a real database.
const NOW = instantOf("2022-06-21T04:00:00.000Z");
const CARRY = { actor: "anna", reason: "the node is back" };
let desk: TestSite;
beforeEach(async () => {
  desk = await testSite();
  await writeDeskRows(desk.database.db);
});
afterEach(() => desk.close());

const bury = (name: QueueName, body: unknown, group?: string) =>
  desk.sqs.send(
    new SendMessageCommand({
      QueueUrl: desk.queues.deadUrl(name),
      MessageBody: typeof body === "string" ? body : JSON.stringify(body),
      ...(group && { MessageGroupId: group, MessageDeduplicationId: JSON.stringify(body) }),
    }),
  );

interface Told {
  readonly body: string;
  readonly verdict: Verdict;
}

async function run(queue: QueueName, options: Partial<RedriveOptions> = {}) {
  const told: Told[] = [];
  const tell = (letter: Told): void => void told.push(letter);
  const counts = await redrive(desk.site, { queue, limit: 100, carry: CARRY, now: () => NOW, tell, ...options });
  return { counts, told, reasons: told.map(({ verdict }) => (verdict.act === "send" ? "sent" : verdict.reason)) };
}

/** Takes what is in a queue, in order. */
async function taken(url: string): Promise<{ body: string; group?: string | undefined }[]> {
  const found = [];
  for (;;) {
    const { Messages = [] } = await desk.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All"] }),
    );
    if (Messages.length === 0) return found;
    for (const { Body = "", Attributes, ReceiptHandle } of Messages) {
      found.push({ body: Body, group: Attributes?.MessageGroupId });
      await desk.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
    }
  }
}
/** Takes the dead letters of a queue, once what was held has come back: after a second. */
async function dead(name: QueueName): Promise<string[]> {
  await new Promise((resolve) => setTimeout(resolve, 1100));
  return (await taken(desk.queues.deadUrl(name))).map(({ body }) => body);
}
const json = JSON.stringify;

const event = (name: string) => ({ eventId: idOf("event", name), at: NOW });

test("events go back; those a reorg took, those analyzed and those unknown are dropped with a word", async () => {
  for (const name of ["sold", "gone", "bought", "never"]) await bury("events", event(name));
  const { counts, reasons } = await run("events");
  expect(counts).toEqual({ send: 1, drop: 3, keep: 0 });
  expect(reasons.toSorted()).toEqual([
    "a reorg took the event back at 2022-06-21T00:45:00.000Z",
    "it is analyzed",
    "sent",
    "there is no such event: it was taken back, or is past retention",
  ]);
  expect(await taken(desk.queues.url("events"))).toEqual([{ body: json(event("sold")), group: undefined }]);
  expect(await dead("events")).toEqual([]);
});

test("a look changes nothing: every dead letter can be looked at again", async () => {
  for (const name of ["sold", "gone"]) await bury("events", event(name));
  expect((await run("events", { carry: null })).counts).toEqual({ send: 1, drop: 1, keep: 0 });
  expect(desk.queues.depth("events")).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 1100)); // what was held comes back after a second
  expect((await run("events", { carry: null })).counts).toEqual({ send: 1, drop: 1, keep: 0 });
});

test("what breaks its queue's contract stays where it is", async () => {
  await bury("events", "{ no json");
  await bury("events", { eventId: "no uuid", at: NOW });
  await bury("events", event("sold"));
  const { counts, reasons } = await run("events");
  expect(counts).toEqual({ send: 1, drop: 0, keep: 2 });
  expect(reasons).toEqual(expect.arrayContaining(["it is not JSON", "it breaks the contract of events: eventId"]));
  expect(await dead("events")).toHaveLength(2);
});

test("an ordered queue's messages go back in their group and order, and twice as the same message", async () => {
  const block = (number: number) => ({
    ...{ chain: "ethereum", number, at: NOW },
    ...{ hash: `0x${String(number).repeat(32)}`, parentHash: `0x${"00".repeat(32)}` },
  });
  for (const number of [10, 11, 15]) await bury("blocks", block(number), "ethereum");
  await bury("blocks", { ...block(13), hash: `0x${"99".repeat(32)}` }, "ethereum"); // another block stands there
  const { counts, reasons } = await run("blocks");
  expect(counts).toEqual({ send: 3, drop: 1, keep: 0 });
  expect(reasons.at(-1)).toMatch(/^a reorg put block 0x1313/);
  expect(await taken(desk.queues.url("blocks"))).toEqual(
    [10, 11, 15].map((number) => ({ body: json(block(number)), group: "ethereum" })),
  );
});

test("a send that fails leaves the dead letter; the next run sends it", async () => {
  await bury("events", event("sold"));
  const broken = {
    ...desk.site,
    url: async (name: QueueName, side: "queue" | "dead") =>
      side === "dead" ? desk.queues.deadUrl(name) : desk.queues.url(name).replace("events", "nowhere"),
  };
  const options = { queue: "events", limit: 10, carry: CARRY, now: () => NOW, tell: () => {} } as const;
  await expect(redrive(broken, options)).rejects.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect((await run("events")).counts.send).toBe(1);
  expect(await taken(desk.queues.url("events"))).toHaveLength(1);
  expect(await dead("events")).toEqual([]);
});

test("no more are looked at than the limit says", async () => {
  for (let n = 0; n < 15; n++) await bury("events", event(`never ${n}`));
  expect((await run("events", { limit: 12 })).counts.drop).toBe(12);
  expect(await dead("events")).toHaveLength(3);
});

let serial = 0;
async function order(decidedAt: Instant): Promise<OrderId> {
  serial += 1;
  const { epoch } = await readControl(desk.database.db, "demo");
  const clientOrderId = `d${String(serial).padStart(28, "b")}`;
  await insertOrder(desk.database.db, {
    ...{ mode: "demo", venue: "paper", asset: "BTC", instrument: "BTC-USDT-SWAP", timeframe: "4h", epoch },
    ...{ biasAt: decidedAt, at: decidedAt, by: "test", verdict: "approved", codes: [], policySnapshot: { hash: "x" } },
    order: {
      ...{ clientOrderId, side: "buy", type: "ioc", size: decimalOf("1"), price: decimalOf("20000") },
      ...{ reduceOnly: false, stopLoss: decimalOf("19000"), riskUsd: decimalOf("10"), signal: null },
    },
  });
  return orderIdOf(clientOrderId);
}
const lane = { lane: "demo:BTC-USDT-SWAP", mode: "demo", instrument: "BTC-USDT-SWAP", at: NOW };
const buryOrder = (orderId: string) => bury("orders", { ...lane, orderId }, lane.lane);
const statusOf = async (id: OrderId) => (await readOrder(desk.database.db, id))?.status;

test("only an approved order at fresh prices goes back", async () => {
  const fresh = await order(instantOf("2022-06-21T03:55:00.000Z"));
  const claimed = await order(instantOf("2022-06-21T03:55:00.000Z"));
  const stored = await readOrder(desk.database.db, claimed);
  await moveOrder(desk.database.db, stored!, "claimed", { at: NOW, by: "test" });
  for (const id of [fresh, claimed, idOf("order", "never")]) await buryOrder(id);
  const { reasons } = await run("orders");
  expect(reasons).toEqual(["sent", "the order is submitting: the reconciler has it", "there is no such order"]);
  expect((await taken(desk.queues.url("orders"))).map(({ body }) => body)).toEqual([json({ ...lane, orderId: fresh })]);
  expect(await statusOf(fresh)).toBe("approved");
});

test("an approved order at prices that are gone is voided, so that its instrument is free; a look does not void it", async () => {
  const old = await order(instantOf("2022-06-21T03:00:00.000Z"));
  await buryOrder(old);
  await run("orders", { carry: null });
  expect(await statusOf(old)).toBe("approved");
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const { reasons } = await run("orders");
  expect(reasons).toEqual(["voided: decided 3600 s ago, at prices that are gone"]);
  expect(await readOrder(desk.database.db, old)).toMatchObject({ status: "canceled", errorMessage: reasons[0] });
  expect(await taken(desk.queues.url("orders"))).toEqual([]);
});

test("an order that the kill switch has voided since does not go out", async () => {
  const id = await order(instantOf("2022-06-21T03:59:00.000Z"));
  await buryOrder(id);
  const { epoch } = await readControl(desk.database.db, "demo");
  await changeControl(desk.database.db, "demo", epoch, { state: "HALTED", reason: "a test", actor: "test", at: NOW });
  expect((await run("orders")).reasons).toEqual([
    `voided: trading is HALTED in epoch ${epoch + 1}, approved in ${epoch}`,
  ]);
  expect(await statusOf(id)).toBe("canceled");
});

test("a look at the head is dropped: later ones have seen it", async () => {
  await bury("looks", { chain: "ethereum", at: NOW, afterSeconds: 4 });
  expect(await run("looks")).toMatchObject({
    counts: { send: 0, drop: 1, keep: 0 },
    reasons: ["later looks have seen the head"],
  });
});

test("a bias or a plan that was overtaken is dropped", async () => {
  const row = { asset: "SOL", timeframe: "4h", value: decimalOf("0.1"), confidence: decimalOf("0.5") } as const;
  await desk.database.db.insert(bias).values({ ...row, timestamp: instantOf("2022-06-21T03:58:00.000Z") });
  const [before, after] = ["2022-06-21T03:57:00.000Z", "2022-06-21T03:59:00.000Z"];
  for (const at of [before, after]) await bury("biases", { asset: "SOL", at, plan: true }, "SOL");
  expect((await run("biases")).reasons).toEqual(["SOL has a newer bias, of 2022-06-21T03:58:00.000Z", "sent"]);
  const plan = { lane: "demo:SOL-USDT-SWAP", mode: "demo", asset: "SOL", instrument: "SOL-USDT-SWAP" };
  for (const at of ["2022-06-21T03:00:00.000Z", after]) await bury("plans", { ...plan, at }, plan.lane);
  expect((await run("plans")).reasons).toEqual(["the plan is 3600 s old; the desk has planned again since", "sent"]);
});
