import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { equitySnapshots, prices } from "#db/schema";
import { paperKey, paperSecret, SECRET_ID } from "#doubles/venue/key";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import type { Listening } from "#host/http";
import { startAwsEndpoint } from "#local/aws/aws-endpoint";
import { instrumentRow } from "#recording/candle-source";
import { ETH_SWAP } from "#testing/instruments";
import { hasOpenssl, refusingProxy } from "#testing/refusing-proxy";
import { type WireDatabase, wireDatabase } from "#testing/wire-database";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { bundledJobs, bundleHandler, UnknownJobError } from "./bundle.ts";

// Bundles stand in a folder outside the project, so that nothing but themselves can be found, and each runs in a Node of
// its own with only the environment of a function: postgres.js, the AWS SDK and ccxt over loopback.

const ORIGIN = "spyhop/dev/origin";
const AT = "2022-06-21T00:10:00.000Z";
const BARS = Array.from({ length: 10 }, (_, minute) => ({
  ...{ openedAt: instant(Date.parse("2022-06-21T00:00:00.000Z") + minute * 60_000), volume: decimalOf("100") },
  ...{
    open: decimalOf("1000"),
    high: decimalOf(`${1001 + minute}`),
    low: decimalOf("999"),
    close: decimalOf("1000.5"),
  },
}));

let out: string;
let database: WireDatabase;
let venue: PaperVenue;
const CONTROL = "bundle/control";
let endpoint: Listening;

beforeAll(async () => {
  out = join(await mkdtemp(join(tmpdir(), "spyhop-bundles-")), "functions");
  database = await wireDatabase();
  const source = { barSeconds: 60, instruments: () => [instrumentRow(ETH_SWAP)], bars: () => BARS };
  venue = await paperVenue({ clock: virtualClock(Date.parse(AT)), source, key: paperKey });
  const nowhere = { sqs: null as never, queueUrl: () => "" }; // no fact is published in these tests
  const secrets = new Map([
    [CONTROL, "{}"],
    [SECRET_ID, paperSecret()],
    [ORIGIN, JSON.stringify({ value: "shown-by-cloudfront" })],
  ]);
  endpoint = await startAwsEndpoint({ ...nowhere, secrets });
});
afterAll(async () => {
  await venue.close();
  await endpoint.close();
  await database.close();
  await rm(join(out, ".."), { recursive: true });
});

const environment = (): Record<string, string> => ({
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_ENDPOINT_URL: endpoint.url,
  DATABASE_URL: database.url,
  EVENT_BUS: "spyhop",
  INSTRUMENTS: ETH_SWAP.id,
  WARMUP_HOURS: "1",
  OKX_URL: venue.url,
  OKX_PUBLIC_URL: venue.url,
  OKX_RATE_LIMIT: "false",
  EXCHANGE_SECRET_ID: SECRET_ID,
  CONTROL_SECRET_ID: CONTROL,
});

const CALLER = `
const { handler } = await import(process.argv[2]);
const context = { getRemainingTimeInMillis: () => 30_000 };
const reply = await handler(JSON.parse(process.argv[3]), context);
process.stdout.write(JSON.stringify(reply ?? null));
process.exit(0);`;

/** Loads a bundle in a Node of its own and calls its handler. Returns the reply, parsed; rejects with what it wrote. */
async function invoke(directory: string, event: unknown, more: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const caller = join(directory, "caller.mjs");
  await writeFile(caller, CALLER);
  const child = spawn(process.execPath, [caller, join(directory, "index.mjs"), JSON.stringify(event)], {
    env: { ...environment(), ...more },
    cwd: directory,
  });
  const [reply, log, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once("close", resolve)),
  ]);
  if (code !== 0 || log !== "") throw new Error(`exit ${code}: ${log}`);
  return JSON.parse(reply);
}

const tick = { "detail-type": "Scheduled Event", source: "aws.events", time: AT.replace(".000", "") };

test("a route's bundle answers a request from its database", async () => {
  const { directory, inputs } = await bundleHandler("api/read", out);
  const event = {
    routeKey: "GET /api/health",
    headers: {},
    rawQueryString: "",
    requestContext: { timeEpoch: Date.parse(AT) },
  };
  const reply = (await invoke(directory, event)) as { statusCode: number; body: string };
  expect(reply.statusCode).toBe(200);
  expect(JSON.parse(reply.body)).toMatchObject({ status: "waiting for the first block", input: { name: "live" } });
  expect(Object.keys(inputs).filter((path) => /ccxt|client-sqs|client-eventbridge/.test(path))).toEqual([]);
});

test("the daily bundle asks the copy of the records, where it is told of one", async () => {
  const { directory } = await bundleHandler("maintain-storage", out);
  const unreachable = { RECORD_BUCKET: "heads", AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" };
  await expect(invoke(directory, tick, unreachable)).rejects.toThrow(/ECONNREFUSED 127\.0\.0\.1:1/);
});

test("of the ways to find AWS credentials a bundle has the environment's alone", async () => {
  const { inputs } = await bundleHandler("plan-order", out); // it sends, publishes, reads secrets and signs tokens
  const paths = Object.keys(inputs).filter((path) => path.startsWith("node_modules/"));
  for (const name of ["client-sqs", "client-eventbridge", "client-secrets-manager", "rds-signer"])
    expect(paths.filter((path) => path.includes(`/@aws-sdk/${name}/`))).not.toEqual([]);
  const ways = paths.filter((path) =>
    /credential-provider|nested-clients|client-(sso|sts|cognito)|token-providers/.test(path),
  );
  expect(ways.filter((path) => !path.includes("/@aws-sdk/credential-provider-env/"))).toEqual([]);
});

test("a bundle reads a secret from the endpoint of its environment", async () => {
  const { directory } = await bundleHandler("api/read", out);
  const request = (header: string) => ({
    routeKey: "GET /api/health",
    headers: { "x-origin-secret": header },
    rawQueryString: "",
    requestContext: { timeEpoch: Date.parse(AT) },
  });
  const origin = { ORIGIN_SECRET_ID: ORIGIN };
  expect(await invoke(directory, request("shown-by-cloudfront"), origin)).toMatchObject({ statusCode: 200 });
  expect(await invoke(directory, request("guess"), origin)).toMatchObject({ statusCode: 403 });
});

test.skipIf(!hasOpenssl)(
  "a bundle logs in to RDS Proxy with a token of its role's keys, over verified TLS",
  async () => {
    const { directory } = await bundleHandler("api/read", out);
    const proxy = await refusingProxy();
    const rds = {
      DATABASE_HOST: "localhost",
      DATABASE_PORT: String(proxy.port),
      DATABASE_NAME: "x",
      DATABASE_USER: "desk",
    };
    const event = {
      routeKey: "GET /api/health",
      headers: {},
      rawQueryString: "",
      requestContext: { timeEpoch: Date.parse(AT) },
    };
    const trusting = { NODE_EXTRA_CA_CERTS: proxy.authority };
    await expect(invoke(directory, event, { DATABASE_URL: undefined, ...rds })).rejects.toThrow(
      "self-signed certificate",
    );
    expect(proxy.passwords).toEqual([]);
    await expect(invoke(directory, event, { DATABASE_URL: undefined, ...rds, ...trusting })).rejects.toThrow(
      "not today",
    );
    proxy.close();
    expect(proxy.passwords[0]).toMatch(new RegExp(`^localhost:${proxy.port}/\\?.*DBUser=desk.*Credential=local%2F`));
  },
);

test("sync-prices reads bars through the bundled part of ccxt and stores them", async () => {
  const { directory } = await bundleHandler("sync-prices", out);
  await invoke(directory, tick);
  const stored = await database.db.select().from(prices).orderBy(prices.timestamp);
  expect(stored.map((row) => row.high)).toEqual(BARS.map((bar) => bar.high));
});

test("reconcile-orders signs its calls with the secret's keys, and stores the account's equity", async () => {
  const { directory } = await bundleHandler("reconcile-orders", out);
  await invoke(directory, tick);
  const stored = await database.db.select().from(equitySnapshots);
  expect(stored).toMatchObject([{ equity: "100000" }]);
});

test("every handler of the topology has a bundle of its own name", async () => {
  const names = bundledJobs().map(({ job }) => job);
  expect(names).toContain("api/read");
  expect(new Set(names).size).toBe(names.length);
  const files = await readdir(join(import.meta.dirname, "../../functions"), { recursive: true });
  const handlers = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  const jobs = handlers.filter((file) => !file.startsWith("api/")).map((file) => file.replace(/\.ts$/, ""));
  // Those of the API have no file: they are the answers of their routes, put together.
  expect(names.toSorted()).toEqual([...jobs, "api/read"].toSorted());
  await expect(bundleHandler("api/nothing", out)).rejects.toThrow(UnknownJobError);
});
