import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { reportRecords, saveReport } from "#db/reading/reports";
import { bias as biasRows, protections } from "#db/schema";
import { armByHand } from "#db/trading/arming";
import { composeReport } from "#reporting/compose";
import { markdown } from "#reporting/markdown";
import { dispatch } from "#runtime/dispatch";
import { provide } from "#runtime/services";
import { type TestDatabase, testDatabase } from "#testing/database";
import { END, START, writeDeskRows } from "#testing/desk-rows";
import { PRACTICE } from "#testing/practice";
import type { Contract } from "#topology/contracts/contract";
import { contracts } from "#topology/contracts/contracts";
import { ProblemReply } from "#topology/contracts/problem";
import type { RouteName } from "#topology/routes";
import type { Arming } from "#trading/arming";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { answer as biasAnswer } from "./bias.ts";
import { answer as biasHistoryAnswer } from "./bias-history.ts";
import { answer as equityAnswer } from "./equity.ts";
import { answer as eventsAnswer } from "./events.ts";
import { answer as healthAnswer } from "./health.ts";
import { answer as latestAnswer } from "./latest-report.ts";
import { answer as oneBiasAnswer } from "./one-bias.ts";
import { answer as ordersAnswer } from "./orders.ts";
import { answer as positionsAnswer } from "./positions.ts";
import { answer as pricesAnswer } from "./prices.ts";
import { answer as walletsAnswer } from "./wallets.ts";

type Read = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;
const read = dispatch("read", [
  ...[biasAnswer, eventsAnswer, healthAnswer, latestAnswer, ordersAnswer, positionsAnswer, walletsAnswer],
  ...[biasHistoryAnswer, oneBiasAnswer, pricesAnswer, equityAnswer],
]) as unknown as Read;

const bias = "GET /api/bias";
const events = "GET /api/events";
const health = "GET /api/health";
const latest = "GET /api/reports/latest";
const orders = "GET /api/orders";
const positions = "GET /api/positions";
const wallets = "GET /api/wallets";

/** One second after the last block of the rows. */
const NOW = "2022-06-21T00:14:01.000Z";

/** Calls a route as API Gateway would. A reply that is not what the contract says, field by field, fails the test. */
async function call(name: RouteName, query: string | Record<string, string> = {}, accept = "*/*", now = NOW) {
  const event = {
    routeKey: name,
    headers: { accept },
    rawQueryString: typeof query === "string" ? query : `${new URLSearchParams(query)}`,
    requestContext: { requestId: "r-1", timeEpoch: Date.parse(now) },
  } as unknown as APIGatewayProxyEventV2; // the part of a request that a route reads
  const context = { getRemainingTimeInMillis: () => 10_000 } as unknown as Context; // the part that middy reads
  const { statusCode = 0, headers, body = "" } = await read(event, context);
  const type = String(headers?.["content-type"]);
  const parsed = type.includes("json") ? JSON.parse(body) : null;
  const { also = {}, reply }: Contract = contracts[name];
  if (type === "application/json") expect([200, ...Object.keys(also).map(Number)]).toContain(statusCode);
  if (type === "application/json") expect(reply.parse(parsed)).toEqual(parsed);
  if (type === "application/problem+json")
    expect(ProblemReply.parse(parsed)).toEqual({ ...parsed, status: statusCode, traceId: "r-1" });
  return { status: statusCode, type, text: body, body: parsed };
}

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  vi.stubEnv("GENERATED", "true");
  vi.stubEnv("INPUT_NAME", "fixture");
  vi.stubEnv("POLICY", JSON.stringify(PRACTICE));
  provide("database", database.db);
});
afterAll(async () => {
  provide("database", null);
  vi.unstubAllEnvs();
  await database.close();
});

test("an empty desk answers every route", async () => {
  for (const name of [bias, events, orders, positions, wallets] as const) expect((await call(name)).status).toBe(200);
  expect((await call(health)).body).toMatchObject({
    status: "waiting for the first block",
    block: null,
  });
  expect(await call(latest)).toMatchObject({
    status: 404,
    body: { title: "Not Found", detail: "no report has been built yet" },
  });
});

test("GET /api/health: block, lag, trading state, and that the input is generated", async () => {
  await writeDeskRows(database.db);
  const { body } = await call(health);
  expect(body).toMatchObject({
    status: "ok",
    block: { number: 14, at: "2022-06-21T00:14:00.000Z" },
    trading: { state: "ACTIVE", epoch: 1 },
    input: { name: "fixture", generated: true },
    report: null,
    stops: { open: 1, covered: 0, withoutSince: expect.any(String), unprotectedSeconds: null },
  });
});

test("GET /api/health: how the open positions are covered by stops at the venue, and for how long one had none", async () => {
  const stops = async () => (await call(health)).body.stops;
  const exposedAt = instantOf("2022-06-21T00:01:00.000Z");
  const sent = {
    stopId: "a stop",
    tradingMode: "demo",
    exchange: "paper",
    instrument: "ETH-USDT-SWAP",
    kind: "stop",
    side: "sell",
    trigger: decimalOf("1100"),
    status: "sending",
    exposedAt,
    wantedAt: exposedAt,
  } as const;
  await database.db.insert(protections).values(sent);
  expect(await stops()).toEqual({ open: 1, covered: 0, withoutSince: exposedAt, unprotectedSeconds: null });
  await database.db.update(protections).set({ status: "live", liveAt: instantOf("2022-06-21T00:01:02.250Z") });
  expect(await stops()).toEqual({ open: 1, covered: 1, withoutSince: null, unprotectedSeconds: 2.25 });
  await database.db.delete(protections);
});

test("GET /api/health: of live, until when it is armed and why it opens nothing all the same; of demo, nothing", async () => {
  expect((await call(health)).body).toMatchObject({ mode: "demo", arming: null });
  vi.stubEnv("SPYHOP_MODE", "live");
  expect((await call(health)).body).toMatchObject({ mode: "live", arming: null });
  const arming: Arming = {
    ...{ format: "spyhop-arming/1", mode: "live", venue: "okx", account: "77", policyHash: "a".repeat(64), epoch: 2 },
    ...{ maxNotionalUsd: decimalOf("5000"), maxDailyLossUsd: decimalOf("50"), notBefore: START, notAfter: END },
  };
  const signed = { text: JSON.stringify(arming), signature: "AAAA" };
  const by = { mode: "live", arming: signed, actor: "anna", reason: "a test", at: END } as const;
  await armByHand(database.db, by, () => ({ arming }), null);
  const problem = "the arming is not signed by the desk's key (ARMING_KEY)";
  expect((await call(health)).body).toMatchObject({ arming: { notAfter: END, by: "anna", epoch: 2, problem } });
  vi.stubEnv("SPYHOP_MODE", undefined);
});

test("GET /api/health: a live desk whose newest block is minutes old is not ok; a replay's are as old as its recording", async () => {
  const at = (clock: string) => call(health, {}, "*/*", `2022-06-21T${clock}.000Z`);
  expect(await at("01:14:01")).toMatchObject({ status: 200, body: { status: "ok" } });
  vi.stubEnv("INPUT_NAME", "live");
  expect(await at("01:14:01")).toMatchObject({ status: 503, body: { status: "behind" } });
  expect(await at("00:19:01")).toMatchObject({ status: 503, body: { status: "behind" } });
  expect(await at("00:19:00")).toMatchObject({ status: 200, body: { status: "ok" } });
  vi.stubEnv("INPUT_NAME", "fixture");
});

test("GET /api/bias: the newest row of each asset and timeframe, or of one asset", async () => {
  const all = await call(bias);
  expect(all.body.biases.map((line: { asset: string; value: number }) => [line.asset, line.value])).toEqual([
    ["BTC", -0.05],
    ["ETH", 0.9],
  ]);
  expect(all.body).toMatchObject({ asOf: END, evidence: [{ horizon: "1h", has: 3.5, needs: 25 }, {}, {}] });
  const one = await call(bias, { asset: "BTC" });
  expect(one.body.biases).toHaveLength(1);
});

test("GET /api/bias: at an instant it is what it was then, whatever came after", async () => {
  const then = await call(bias);
  const { asOf } = then.body;
  const later = instantOf("2022-06-21T04:03:00.000Z");
  const [row] = await database.db.select().from(biasRows).where(eq(biasRows.timestamp, asOf)).limit(1);
  await database.db.insert(biasRows).values({ ...row!, timestamp: later, value: decimalOf("0.5") });
  expect((await call(bias)).body.asOf).toBe(later);
  for (const at of [asOf, "2022-06-21T04:02:59.999Z"]) expect((await call(bias, { at })).body).toEqual(then.body);
  expect((await call(bias, { at: "2001-01-01T00:00:00.000Z" })).body).toMatchObject({ asOf: null, biases: [] });
  await database.db.delete(biasRows).where(eq(biasRows.timestamp, later));
});

test("GET /api/bias: why a traded asset has no order, in the words of the report; nothing once it has one", async () => {
  const ours = await call(bias);
  expect(ours.body.noTrade).toEqual([]); // ETH is the only one with an instrument, and it was traded
  vi.stubEnv("VENUE", "elsewhere");
  const elsewhere = await call(bias);
  vi.stubEnv("VENUE", undefined);
  const text = "no 1h bias: a swap or an exchange transfer of it by a watched wallet would make one";
  expect(elsewhere.body.noTrade).toMatchObject([{ asset: "ETH", gap: "bias", text }]);
});

test("GET /api/events: pages of the newest first, without a gap or a repeat", async () => {
  const seen: string[] = [];
  let before: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof call>> = await call(events, {
      limit: "2",
      ...(before === null ? {} : { before }),
    });
    expect(page.status).toBe(200);
    seen.push(...page.body.events.map((event: { at: string }) => event.at));
    before = page.body.next;
  } while (before !== null);
  expect(seen).toHaveLength(6);
  expect(seen).toEqual(seen.toSorted().toReversed());
});

test("GET /api/events narrows by asset, type and wallet, in whatever case the address comes", async () => {
  expect((await call(events, { asset: "FOO" })).body.events).toMatchObject([{ notionalUsd: null }]);
  expect((await call(events, { type: "complex" })).body.events).toHaveLength(1);
  expect((await call(events, { wallet: `0x${"BB".repeat(20)}` })).body.events).toHaveLength(3);
});

test("GET /api/wallets: the most credible first, with evidence", async () => {
  const { body } = await call(wallets, { limit: "1" });
  expect(body).toMatchObject({ wallets: [{ wallet: { label: "whale-03" } }], next: 1 });
  expect(body.wallets[0].credibility[1]).toMatchObject({ horizon: "4h", score: 7.1, edge: 0.7, bets: 4 });
  expect((await call(wallets, { offset: "1" })).body).toMatchObject({
    wallets: [{ archetype: "accumulator" }],
    next: null,
  });
});

test("GET /api/orders and /positions: this venue's, with why", async () => {
  const { body } = await call(orders);
  expect(body.orders.map((order: { status: string }) => order.status)).toEqual(["approved", "denied", "filled"]);
  expect(body.orders[2]).toMatchObject({ size: "12", assetSize: "1.2", filledAssetSize: "1.2" });
  expect(body.orders[2].change).toMatchObject({ act: "open", before: "0", after: "12", afterAsset: "1.2" });
  expect(body.orders[2].text).toBe(
    "OPEN long ETH 0 → 12 ct (0 → 1.2 ETH, 0 → 1,353 USD) · 00:35:00 · filled 1,127.4 · cost 0.68 fee",
  );
  expect(body.orders[2].whyText).toMatch(/^signal \+0\.280 \(4h bias \+0\.31, .* · size set by risk · /);
  expect(body.orders[1].why.denied).toEqual(["cooldown"]);
  expect(body.orders[1].text).toBe(
    "ADD long ETH 12 → 24 ct asked (1.2 → 2.4 ETH, 1,356 → 2,712 USD) · 00:36:00 · denied: cooldown",
  );
  expect((await call(orders, { status: "filled" })).body.orders).toHaveLength(1);
  expect((await call(positions, { state: "open" })).body.positions).toMatchObject([
    { side: "long", unrealizedUsd: "3.12", fundingUsd: "0", netUsd: "2.44" },
  ]);
  expect((await call(positions, { state: "closed" })).body.positions).toEqual([]);
});

test("GET /api/reports/latest: the record, or Markdown when asked for", async () => {
  const scope = {
    type: "4h",
    start: START,
    end: END,
    mode: "demo",
    venue: "paper",
    chain: "ethereum",
    inputName: "fixture",
    generated: true,
    explorerUrl: null,
    policy: PRACTICE,
  } as const;
  const report = composeReport(await reportRecords(database.db, scope));
  const id = await saveReport(database.db, report, markdown(report));
  expect((await call(latest)).body).toMatchObject({ id, scope: { type: "4h" } });
  for (const asked of [
    await call(latest, { format: "markdown" }),
    await call(latest, {}, "text/markdown, */*;q=0.1"),
  ]) {
    expect(asked).toMatchObject({ status: 200, type: "text/markdown; charset=utf-8", text: markdown(report) });
  }
  expect((await call(latest, { format: "json" }, "text/markdown")).body.id).toBe(id);
});

test.each([
  [events, { limit: "0" }],
  [events, { limit: "201" }],
  [events, { limit: "-1" }],
  [events, { limit: "" }],
  [events, { before: "2022" }],
  [events, { before: "2022-06-21T00:00:00.000Z_x' OR 1=1" }],
  [events, { wallet: "0x12" }],
  [events, { before: "2022-06-21T00:00:00.000Z_0190a1b2-0000-7000-8000-000000000000_more" }],
  [events, { type: "nonsense" }],
  [bias, { at: "2022-06-21" }],
  [bias, { at: "2022-06-21T00:00:00.000+00:00" }],
  [bias, { asset: "" }],
  [bias, { asset: "nonsense" }],
  [bias, { asset: "%zz" }],
  [events, { asset: "ETH\n" }],
  [events, { asset: "\uFFFD" }],
  [wallets, { offset: "-1" }],
  [orders, { status: "nonsense" }],
  [positions, { state: "half" }],
  [latest, { format: "xml" }],
] as const)("a malformed request is the caller's: 400 (%#)", async (name, query) => {
  const reply = await call(name, query as unknown as Record<string, string>);
  expect(reply.status).toBe(400);
  expect(reply.body.fields[0]).toHaveProperty("problem");
});

test.each([
  [events, "unknown=1&limit=2", "unknown", "there is no such parameter"],
  [health, "verbose=1", "verbose", "there is no such parameter"],
  [events, "asset=ETH&limit=1&asset=BTC", "asset", "given 2 times"],
  [events, "limit=1&limit=1", "limit", "given 2 times"],
  [events, "asset=%00", "asset", "holds a NUL character"],
  [bias, "asset=ETH%00", "asset", "holds a NUL character"],
  [bias, "as%00set=ETH", "as\0set", "holds a NUL character"],
  [events, "type=nonsense", "type", expect.stringContaining("expected one of")],
  [events, "limit=", "limit", "a whole number from 1 to 200"],
] as const)("%#: %s is refused by the parameter's name", async (name, query, field, problem) => {
  const { status, body } = await call(name, query);
  expect(status).toBe(400);
  expect(body.fields[0]).toEqual({ field, problem });
});
