import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeDeskRows } from "#testing/desk-rows";
import { type TestSite, testSite } from "#testing/site";
import type { Doubtful } from "#topology/operations";
import { QUEUES } from "#topology/topology";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant, instantOf } from "#units/time";
import { askHere } from "./ask.ts";
import { readStatus } from "./status.ts";
import { ago, statusText, worries } from "./status-text.ts";

let desk: TestSite;
beforeEach(async () => {
  desk = await testSite();
});
afterEach(() => desk.close());

const put = (QueueUrl: string) => desk.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "{}" }));

test("a desk that has not begun is well, and every queue is named", async () => {
  const status = await readStatus(desk.site, undefined, instantOf("2022-06-21T04:00:00.000Z"));
  expect(status.queues.map(({ name }) => name)).toEqual(QUEUES);
  expect(status.database).toMatchObject({ lagSeconds: null, modes: [{ mode: "demo" }, { mode: "live" }] });
  expect(worries(status)).toEqual([]);
  const text = statusText(status);
  expect(text).toMatch(/chain {5}no block yet/);
  expect(text).toMatch(/trading {3}live HALTED/);
  expect(text).toMatch(/schema {4}\d{4}_\w+\.sql\n/);
  expect(text).toMatch(/nothing needs a person/);
});

test("messages, dead letters, lag and the last report are shown", async () => {
  await writeDeskRows(desk.database.db);
  await put(desk.queues.url("events"));
  for (let n = 0; n < 2; n++) await put(desk.queues.deadUrl("events"));
  const status = await readStatus(desk.site, undefined, instant(Date.now() + 300_000));
  const events = status.queues.find(({ name }) => name === "events");
  expect(events).toMatchObject({ visible: 1, inFlight: 0, dead: 2 });
  expect(events?.oldestDeadSeconds).toBeGreaterThanOrEqual(299);
  expect(events?.oldestDeadSeconds).toBeLessThan(360);
  expect(status.database).toMatchObject({ block: { number: 14 }, report: null });
  expect(worries(status)).toEqual(["2 dead letters of events: npm run redrive -- events"]);
  expect(statusText(status)).toMatch(/! 2 dead letters of events/);
});

test("a database that does not answer is said, and the queues are still reported", async () => {
  const refused = async () => {
    throw new Error("outer", { cause: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }) });
  };
  const status = await readStatus(
    { ...desk.site, ask: askHere(refused) },
    undefined,
    instantOf("2022-06-21T04:00:00.000Z"),
  );
  expect(status.queues).toHaveLength(QUEUES.length);
  expect(worries(status)).toEqual(["the database could not be asked: Error: connect ECONNREFUSED"]);
});

test("a hard halt and an order in doubt are what needs a person, with the command that helps", async () => {
  const status = await readStatus(desk.site, undefined, instantOf("2022-06-21T04:00:00.000Z"));
  if ("problem" in status.database) throw new Error(status.database.problem);
  const [demo, live] = status.database.modes;
  const order: Doubtful = {
    ...{ id: idOf("order", "d1"), clientOrderId: "d1", instrument: "ETH-USDT-SWAP", side: "buy", size: decimalOf("2") },
    ...{ status: "quarantined", decidedAt: instantOf("2022-06-21T03:00:00.000Z") },
  };
  const modes = [
    { ...demo!, doubtful: 1, inDoubt: [order] },
    { ...live!, doubtful: 21, inDoubt: [order] },
  ];
  const mappings = [{ queue: "plans", state: "Disabled" } as const, { queue: "orders", state: "Enabled" } as const];
  const troubled = { ...status, site: "stage live", mappings, database: { ...status.database, modes } };
  expect(worries(troubled)).toEqual([
    "one order of demo in doubt: look each up at the venue, then npm run judge",
    "21 orders of live in doubt: look each up at the venue, then npm run judge",
    "plans not consumed, stage live is halted hard: npm run resume -- --hard",
  ]);
  const text = statusText(troubled);
  expect(text).toMatch(/^mapping {3}plans Disabled\nmapping {3}orders Enabled$/m);
  expect(text).toMatch(/^in doubt {2}quarantined: buy 2 ETH-USDT-SWAP, decided 2022.*, client order id d1$/m);
  expect(text).toMatch(/^in doubt {2}20 more$/m);
});

test("a balance is shown beside what the bills say of it; one that they do not explain needs a person", async () => {
  const status = await readStatus(desk.site, undefined, instantOf("2022-06-21T04:00:00.000Z"));
  if ("problem" in status.database) throw new Error(status.database.problem);
  const [demo] = status.database.modes;
  const at = instantOf("2022-06-21T03:59:00.000Z");
  const sides = { equity: decimalOf("1003.25"), cash: decimalOf("1000.5"), unrealized: decimalOf("2.75") };
  const withGap = (gap: string) => ({
    ...status,
    database: { ...status.database, modes: [{ ...demo!, balance: { at, ...sides, gap: decimalOf(gap) } }] },
  });
  const short = withGap("-0.000001") as typeof status;
  expect(statusText(short)).toContain(
    `balance   demo equity 1003.25 USDT at ${at}: cash 1000.5 (bills say 1000.500001), unrealized 2.75`,
  );
  expect(worries(short)).toEqual([
    "bills do not explain -0.000001 USDT of the balance of demo: see 'Ledger' in docs/runbook.md",
  ]);
  expect(worries(withGap("0") as typeof status)).toEqual([]);
});

test("a length of time is said in the unit that fits", () => {
  expect([0, 119, 120, 7199, 7200, 172_800].map(ago)).toEqual(["0 s", "119 s", "2 min", "120 min", "2 h", "2 d"]);
});
