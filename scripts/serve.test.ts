/** A finished `npm start` whose API stays up: whom it watched, what the API refuses, and what another run leaves of it. */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type OutgoingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeRecording } from "#recording/writer";
import { OTHER, tinyContent, WHALE } from "#testing/chain/tiny-recording";
import { type Running, runToEnd, startCommand } from "#testing/command";

let root: string;
let data: string;
let url: URL;
const started: Running[] = [];

const begin = (more: readonly string[]): Running => {
  const args = ["--recording", join(root, "tiny"), "--data", join(root, "data"), ...more];
  const running = startCommand("start.ts", args);
  started.push(running);
  return running;
};

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "serve-"));
  data = join(root, "data", "tiny");
  await writeRecording(join(root, "tiny"), tinyContent(10));
  writeFileSync(join(root, "mine.csv"), `address,label,tags\n${OTHER},my own,test\n`);
  const running = begin(["--port", "0", "--watchlist", join(root, "mine.csv")]);
  await running.wrote(/The HTTP API is at /);
  url = new URL(/The HTTP API is at (\S+)/.exec(running.text())?.[1] ?? "");
}, 120_000);
afterAll(async () => {
  for (const { child, ended } of started) {
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(root, { recursive: true, force: true });
});

interface Asked {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** Sent without its length, in chunks. */
  readonly chunked?: boolean;
}

/** Asks the API for a path as it stands here, with headers that fetch would not send. */
function ask(path: string, { method = "GET", headers = {}, body, chunked }: Asked = {}) {
  return new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const asking = request({
      host: url.hostname,
      port: url.port,
      path,
      method,
      headers: { ...(chunked ? { "transfer-encoding": "chunked" } : length), ...headers },
    });
    asking.on("error", reject).on("response", (response) => {
      const reply = textOf(response).then((text) => ({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      reply.then(resolve, reject);
    });
    if (body !== undefined) asking.write(body);
    asking.end();
  });
}

const problem = (status: number, title: string, detail: string) => ({ type: "about:blank", title, status, detail });

test("--watchlist replays a recording with one's own wallets", async () => {
  const { status, body } = await ask("/api/wallets");
  expect(status).toBe(200);
  expect(body.wallets).toMatchObject([{ wallet: { label: "my own" } }]);
  const { body: all } = await ask("/api/events?limit=200");
  const wallets = new Set((all.events as { wallet: { address: string } }[]).map(({ wallet }) => wallet.address));
  expect([...wallets]).toEqual([OTHER]);
  expect(wallets).not.toContain(WHALE);
});

test("another host's name is 421: a page whose name was bound to this machine does not get in", async () => {
  expect((await ask("/api/health", { headers: { host: `localhost:${url.port}` } })).status).toBe(200);
  for (const host of [
    "evil.example",
    `evil.example:${url.port}`,
    `127.0.0.1.evil.example:${url.port}`,
    "127.0.0.1:1",
    "localhost",
  ])
    expect(await ask("/api/health", { headers: { host } })).toMatchObject({
      status: 421,
      body: { title: "Misdirected Request", detail: expect.stringMatching(/ is not served here$/) },
    });
  expect((await ask(`http://evil.example/api/health`)).status).toBe(421);
  expect((await ask(`${url.origin}/api/health`)).status).toBe(200);
});

test("what another site's page asks for is 403", async () => {
  const refused = { status: 403, body: problem(403, "Forbidden", "not from another site's page") };
  expect(await ask("/api/orders", { headers: { "sec-fetch-site": "cross-site" } })).toEqual(refused);
  expect(await ask("/api/orders", { headers: { "sec-fetch-site": "same-site" } })).toEqual(refused);
  expect(await ask("/api/orders", { headers: { origin: "https://evil.example" } })).toEqual(refused);
  expect(await ask("/api/orders", { headers: { origin: "null" } })).toEqual(refused);
  expect(await ask("/", { headers: { origin: "https://evil.example" } })).toEqual(refused);
  for (const headers of [{ "sec-fetch-site": "none" }, { "sec-fetch-site": "same-origin", origin: url.origin }])
    expect((await ask("/api/orders", { headers })).status).toBe(200);
});

test("a body past 64 KiB is 413, with its length or without; one at the limit is read", async () => {
  const refused = { status: 413, body: problem(413, "Payload Too Large", "a body of more than 65536 bytes") };
  expect(await ask("/api/health", { body: "x".repeat(65_537) })).toEqual(refused);
  expect(await ask("/api/health", { body: "x".repeat(65_537), chunked: true })).toEqual(refused);
  expect(await ask("/api/health", { headers: { "content-length": "10000000000" }, body: "x" })).toEqual(refused);
  expect((await ask("/api/health", { body: "x".repeat(65_536) })).status).toBe(200);
});

test.each([
  ["/api/events?asset=%00", "asset", "holds a NUL character"],
  ["/api/bias?asset=ETH&asset=BTC", "asset", "given 2 times"],
  ["/api/events?limit=1&limit=1", "limit", "given 2 times"],
  ["/api/health?verbose=1", "verbose", "there is no such parameter"],
  ["/?verbose=1", "verbose", "there is no such parameter"],
  ["/api/orders?status=nonsense", "status", expect.stringContaining("expected one of")],
  ["/api/events?type=nonsense", "type", expect.stringContaining("expected one of")],
  ["/api/events?limit=", "limit", "a whole number from 1 to 200"],
  ["/api/wallets?offset=-1", "offset", "a whole number from 0 to 999999"],
])("%s is 400 and names the parameter", async (path, field, how) => {
  const { status, body } = await ask(path);
  expect(status).toBe(400);
  expect(body).toMatchObject({
    ...problem(400, "Bad Request", "the request is not well formed"),
    fields: [{ field, problem: how }],
  });
});

test("what is no path, no route or no method of one is said", async () => {
  expect((await ask("/api/health%00")).status).toBe(400);
  for (const path of ["//", "/nothing", "/api", "/api/", "/api/health/", "/api//health", "/API/health"])
    expect(await ask(path)).toMatchObject({ status: 404, body: { detail: "there is no such path" } });
  for (const path of ["/", "/api/health"]) expect((await ask(path, { method: "POST" })).status).toBe(405);
  const socket = connect(Number(url.port), url.hostname).end("GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n");
  expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 400 /);
});

/** Returns every file under a folder with the hash of its bytes. */
const filesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [
        name,
        createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex"),
      ]),
  );

test("Ctrl-C and kill -9 leave the last finished run's database and report as they were", async () => {
  const [first] = started;
  first?.child.kill("SIGINT");
  expect(await first?.ended).toBe(0);
  const [database, report] = [filesOf(join(data, "db")), readFileSync(join(data, "report.md"), "utf8")];
  expect(database).toHaveProperty("PG_VERSION");

  for (const [signal, end] of [
    ["SIGINT", 130],
    ["SIGKILL", "SIGKILL"],
  ] as const) {
    const second = begin(["--once"]);
    await second.wrote(/^outcomes .* 10\/10 blocks/m);
    second.child.kill(signal);
    expect(await second.ended).toBe(end);
    expect(filesOf(join(data, "db"))).toEqual(database);
    expect(readFileSync(join(data, "report.md"), "utf8")).toBe(report);
    expect(existsSync(join(data, "db.next"))).toBe(signal === "SIGKILL");
  }
  const status = await runToEnd("operate/status.ts", ["--directory", data]);
  expect(status.text).toMatch(/^the desk in .*\n[\s\S]*chain {5}block 109, /);
  expect(status.code).toBe(0);
}, 120_000);

test("status of a folder that is no desk says so, and makes nothing there", async () => {
  mkdirSync(join(root, "empty"));
  for (const folder of [join(root, "typo"), join(root, "empty"), "/proc/x"]) {
    for (const [script, args] of [
      ["operate/status.ts", []],
      ["operate/redrive.ts", ["events"]],
    ] as const) {
      const run = await runToEnd(script, [...args, "--directory", folder]);
      expect(run.text).toBe(
        `NoDeskError: ${folder} holds no database of a desk. Give the folder of one, as .spyhop/live or .spyhop/sample; ` +
          "a desk with DATABASE_URL is found by that instead.\n",
      );
      expect(run.code).toBe(1);
    }
  }
  expect(existsSync(join(root, "typo"))).toBe(false);
  expect(existsSync(join(root, "typo.lock"))).toBe(false);
  expect(readdirSync(join(root, "empty"))).toEqual([]);
});
