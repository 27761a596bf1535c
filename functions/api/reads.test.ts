/** The routes that a chart is drawn from, and lists that are narrowed, over rows of a small period. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { upsertCandles } from "#db/signals/prices";
import { dispatch } from "#runtime/dispatch";
import type { Answer } from "#runtime/route";
import { provide } from "#runtime/services";
import { type TestDatabase, testDatabase } from "#testing/database";
import { END, START, writeDeskRows } from "#testing/desk-rows";
import { PRACTICE } from "#testing/practice";
import type { Contract } from "#topology/contracts/contract";
import { contracts } from "#topology/contracts/contracts";
import type { RouteName } from "#topology/routes";
import { ROUTES } from "#topology/topology";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant, millis } from "#units/time";
import { answer as biasHistory } from "./bias-history.ts";
import { answer as equity } from "./equity.ts";
import { answer as events } from "./events.ts";
import { answer as oneBias } from "./one-bias.ts";
import { answer as orders } from "./orders.ts";
import { answer as prices } from "./prices.ts";

type Read = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;
const own: readonly Answer[] = [biasHistory, equity, events, oneBias, orders, prices] as unknown as Answer[];
const others = ROUTES.filter((name) => own.every((one) => one.name !== name));
const read = dispatch("read", [
  ...own,
  ...others.map((name): Answer => ({ ...(orders as unknown as Answer), name })),
]) as unknown as Read;

/** Calls a route with its query and its path's fields. A reply that is not what the contract says fails the test. */
async function call(name: RouteName, query: Record<string, string> = {}, pathParameters: Record<string, string> = {}) {
  const event = {
    ...{ routeKey: name, headers: {}, rawQueryString: `${new URLSearchParams(query)}`, pathParameters },
    requestContext: { requestId: "r-1", timeEpoch: Date.parse(END) - 1 },
  } as unknown as APIGatewayProxyEventV2; // the part of a request that a route reads
  const context = { getRemainingTimeInMillis: () => 10_000 } as unknown as Context; // the part that middy reads
  const { statusCode: status = 0, body: text = "" } = await read(event, context);
  const body = JSON.parse(text);
  const { reply }: Contract = contracts[name];
  if (status === 200) expect(reply.parse(body)).toEqual(body);
  return { status, body };
}

const PERIOD = { from: START, to: END };
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  vi.stubEnv("GENERATED", "true");
  vi.stubEnv("INPUT_NAME", "fixture");
  vi.stubEnv("BAR_SECONDS", "60");
  vi.stubEnv("POLICY", JSON.stringify(PRACTICE));
  provide("database", database.db);
  await writeDeskRows(database.db);
  const price = { open: decimalOf("1100"), high: decimalOf("1102"), low: decimalOf("1099"), close: decimalOf("1101") };
  await upsertCandles(
    database.db,
    { instrument: "ETH-USDT-SWAP", barSeconds: 60 },
    "test",
    Array.from({ length: 10 }, (_, n) => ({
      ...{ openedAt: instant(millis(START) + n * 60_000), ...price, volume: decimalOf("7") },
    })),
  );
});
afterAll(async () => {
  provide("database", null);
  vi.unstubAllEnvs();
  await database.close();
});

test("GET /api/prices: the bars that were asked for, with their units", async () => {
  const { body } = await call("GET /api/prices", { instrument: "ETH-USDT-SWAP", bar: "5m", ...PERIOD });
  expect(body).toMatchObject({ stepSeconds: 300, isCoarser: false, priceUnit: "USDT", volumeUnit: "contracts" });
  expect(body.bars.map((bar: { openedAt: string; volume: string }) => [bar.openedAt, bar.volume])).toEqual([
    ["2022-06-21T00:00:00.000Z", "35"],
    ["2022-06-21T00:05:00.000Z", "35"],
  ]);
  const year = { from: "2021-06-21T00:00:00.000Z", to: END };
  expect((await call("GET /api/prices", { instrument: "ETH-USDT-SWAP", ...year })).body).toMatchObject({
    ...{ askedSeconds: 60, stepSeconds: 7200, isCoarser: true },
  });
});

test("GET /api/bias/history and GET /api/equity: points in the period, the last instant left out", async () => {
  const { body } = await call("GET /api/bias/history", { asset: "ETH", timeframe: "4h", ...PERIOD });
  expect(body.points).toEqual([{ at: "2022-06-21T03:59:00.000Z", value: 0.312, confidence: 0.62 }]);
  const { points } = (await call("GET /api/equity", PERIOD)).body;
  expect(points.map(({ equityUsd }: { equityUsd: string }) => equityUsd)).toEqual(["9990", "10002.44"]);
});

test("GET /api/bias/{asset}/{timeframe}: its terms and the rest add up to it, at any instant", async () => {
  const fields = { asset: "ETH", timeframe: "4h" };
  const { body } = await call("GET /api/bias/{asset}/{timeframe}", { at: "2022-06-21T03:59:30.000Z" }, fields);
  const sum = body.terms.reduce((all: number, term: { contribution: number }) => all + term.contribution, 0);
  expect(body).toMatchObject({ value: 0.312, rest: { count: 1 } });
  expect(sum + body.rest.contribution).toBeCloseTo(0.312, 9);
  const early = await call("GET /api/bias/{asset}/{timeframe}", { at: START }, fields);
  expect(early.body.value).toBe(0.1);
  expect((await call("GET /api/bias/{asset}/{timeframe}", {}, { ...fields, timeframe: "1h" })).status).toBe(404);
  expect((await call("GET /api/bias/{asset}/{timeframe}", {}, { ...fields, timeframe: "2h" })).status).toBe(400);
});

test("GET /api/orders: of an asset, of a span, each with the unit of its size", async () => {
  const ids = async (query: Record<string, string>) =>
    (await call("GET /api/orders", query)).body.orders.map(({ id }: { id: string }) => id);
  const [filled, denied, later] = ["filled", "denied", "later"].map((name) => idOf("order", name));
  expect(await ids({})).toEqual([later, denied, filled]);
  expect(await ids({ asset: "BTC" })).toEqual([]);
  expect(await ids(PERIOD)).toEqual([denied, filled]);
  expect(await ids({ ...PERIOD, asset: "ETH", status: "filled" })).toEqual([filled]);
  const [first] = (await call("GET /api/orders", { status: "filled" })).body.orders;
  expect(first).toMatchObject({ size: "12", sizeUnit: "contracts", sizeAsset: "1.2", notionalUsd: "1352.88" });
});

test("GET /api/events: of a span and of a least notional", async () => {
  const ids = async (query: Record<string, string>) =>
    (await call("GET /api/events", query)).body.events.map(({ id }: { id: string }) => id);
  expect(await ids({ minUsd: "100000" })).toEqual([idOf("event", "bought")]);
  expect(await ids({ minUsd: "8999.5", ...PERIOD })).toEqual([idOf("event", "sold"), idOf("event", "bought")]);
  expect(await ids({ to: START })).toEqual([idOf("event", "before")]);
});

test.each<[RouteName, Record<string, string>, string]>([
  ["GET /api/prices", { instrument: "ETH-USDT-SWAP", from: END, to: START }, "to"],
  ["GET /api/prices", { instrument: "ETH-USDT-SWAP", from: "0001-01-01T00:00:00.000Z", to: END }, "to"],
  ["GET /api/prices", { instrument: "eth", ...PERIOD }, "instrument"],
  ["GET /api/prices", { instrument: "ETH-USDT-SWAP", bar: "2m", ...PERIOD }, "bar"],
  ["GET /api/prices", { instrument: "ETH-USDT-SWAP", from: START }, "to"],
  ["GET /api/bias/history", { asset: "ETH", timeframe: "4h", step: "59", ...PERIOD }, "step"],
  ["GET /api/equity", { ...PERIOD, to: "2022-06-21" }, "to"],
  ["GET /api/events", { minUsd: "1e5" }, "minUsd"],
  ["GET /api/events", { minUsd: "-1" }, "minUsd"],
  ["GET /api/orders", { from: "yesterday" }, "from"],
])("what is no span, width or sum is refused by its name (%#)", async (name, query, field) => {
  const { status, body } = await call(name, query);
  expect([status, body.fields[0].field]).toEqual([400, field]);
});
