import { request } from "node:http";
import { buffer } from "node:stream/consumers";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Listening } from "#host/http";
import { provide } from "#runtime/services";
import { type TestDatabase, testDatabase } from "#testing/database";
import { writeDeskRows } from "#testing/desk-rows";
import { PRACTICE } from "#testing/practice";
import { askedPath } from "#topology/asked-path";
import type { Contract } from "#topology/contracts/contract";
import { contracts } from "#topology/contracts/contracts";
import { ROUTES } from "#topology/topology";
import { instantOf } from "#units/time";
import { startApi } from "./api-server.ts";
import { loadHandlers } from "./aws/jobs.ts";

// The routes over a socket, as curl and a browser meet them; the same functions answer in the cloud.

let database: TestDatabase;
let api: Listening;
beforeAll(async () => {
  database = await testDatabase();
  vi.stubEnv("INPUT_NAME", "fixture");
  vi.stubEnv("POLICY", JSON.stringify(PRACTICE));
  provide("database", database.db);
  await writeDeskRows(database.db);
  api = await startApi(await loadHandlers(), 0, () => Date.parse("2022-06-21T00:14:01.000Z"));
}, 60_000);
afterAll(async () => {
  await api.close();
  provide("database", null);
  vi.unstubAllEnvs();
  await database.close();
});

/** Asks without what fetch does by itself: no redirect is followed and nothing is unpacked. */
async function ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number;
    headers: Record<string, unknown>;
    bytes: Buffer;
  }>();
  request(new URL(path, api.url), { method, headers })
    .on("error", reject)
    .on("response", (response) => {
      const { statusCode: status = 0, headers: said } = response;
      buffer(response).then((bytes) => resolve({ status, headers: said, bytes }), reject);
    })
    .end();
  return promise;
}

const paths = ROUTES.filter((name) => name !== "GET /api/reports/latest").map(
  (name) => [name, askedPath(name, instantOf("2022-06-21T00:14:00.000Z"))] as const,
);

test.each(paths)("%s: what its contract says, with an ETag by which the same again is 304", async (name, path) => {
  const first = await ask("GET", path);
  expect([first.status, first.headers["content-type"]]).toEqual([200, "application/json"]);
  expect(first.headers["cache-control"]).toBe("private, no-cache");
  const body: unknown = JSON.parse(first.bytes.toString());
  const { reply }: Contract = contracts[name];
  expect(reply.parse(body)).toEqual(body);

  const etag = String(first.headers.etag);
  expect(etag).toMatch(/^W\/"[0-9a-f]{32}"$/);
  for (const has of [etag, etag.slice(2), `"x", ${etag}`, "*"]) {
    const again = await ask("GET", path, { "if-none-match": has });
    expect([again.status, again.headers.etag, again.bytes.length], has).toEqual([304, etag, 0]);
  }
  expect((await ask("GET", path, { "if-none-match": '"x"' })).status).toBe(200);
});

test.each(paths)("HEAD for %s: as GET, without the body", async (_, path) => {
  const [get, head] = [await ask("GET", path), await ask("HEAD", path)];
  expect([head.status, head.bytes.length]).toEqual([200, 0]);
  for (const name of ["etag", "content-type", "cache-control", "vary"])
    expect(head.headers[name]).toBe(get.headers[name]);
});

test("what is longer than 1 KiB is compressed as the caller takes it", async () => {
  const path = "/api/orders";
  const plain = await ask("GET", path);
  expect(plain.headers["content-encoding"]).toBeUndefined();
  expect(plain.bytes.length).toBeGreaterThan(1024);
  const unpacked = { br: brotliDecompressSync, gzip: gunzipSync };
  for (const [takes, comes] of [
    ["gzip, deflate, br, zstd", "br"],
    ["gzip", "gzip"],
    ["br;q=0, gzip;q=0.5", "gzip"],
    ["*", "br"],
  ] as const) {
    const { headers, bytes } = await ask("GET", path, { "accept-encoding": takes });
    expect([headers["content-encoding"], headers.etag], takes).toEqual([comes, plain.headers.etag]);
    expect(bytes.length).toBeLessThan(plain.bytes.length / 2);
    expect(unpacked[comes](bytes).equals(plain.bytes)).toBe(true);
  }
  for (const takes of ["identity", "deflate", "zstd", "br;q=0", "nonsense", ""])
    expect((await ask("GET", path, { "accept-encoding": takes })).bytes.equals(plain.bytes), takes).toBe(true);
  const short = await ask("GET", "/api/positions?state=closed", { "accept-encoding": "br" });
  expect(short.headers["content-encoding"]).toBeUndefined();
});

test("what the API refuses is a problem, by a program's type and a person's words", async () => {
  const problem = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const reply = await ask(method, path, headers);
    expect(reply.headers["content-type"]).toBe("application/problem+json");
    expect(reply.headers["cache-control"]).toBe("no-store");
    return { status: reply.status, headers: reply.headers, body: JSON.parse(reply.bytes.toString()) };
  };
  expect(await problem("GET", "/api/reports/latest")).toMatchObject({
    status: 404,
    body: { title: "Not Found", detail: "no report has been built yet", traceId: expect.any(String) },
  });
  expect(await problem("DELETE", "/api/orders")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  expect(await problem("GET", "/events?limit=2&asset=ETH")).toMatchObject({
    status: 308,
    headers: { location: "/api/events?limit=2&asset=ETH" },
  });
  expect(await problem("GET", "/api/nothing")).toMatchObject({ status: 404 });
  expect(await problem("GET", "/api/events?limit=0")).toMatchObject({
    status: 400,
    body: { fields: [{ field: "limit" }] },
  });
  expect(await problem("GET", "/api/health", { host: "evil.example" })).toMatchObject({ status: 421 });
  expect(await problem("POST", "/")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
});

test("a path that has moved is found by who follows", async () => {
  const reply = await fetch(new URL("/events?limit=2", api.url));
  expect([reply.redirected, reply.status, new URL(reply.url).pathname]).toEqual([true, 200, "/api/events"]);
  expect((await reply.json()) as unknown).toHaveProperty("events.length", 2);
});
