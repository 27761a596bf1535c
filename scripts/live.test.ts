/** `npm run live` as a process of its own, by the machine's clock, against a chain double and a candle server. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { chainDouble } from "#doubles/node/node";
import { paperKey } from "#doubles/venue/key";
import { paperVenue } from "#doubles/venue/venue";
import { wallClock } from "#host/clock";
import { type Listening, listen } from "#host/http";
import { recordedCandles } from "#recording/candle-source";
import { openRecording } from "#recording/recording";
import { writeRecording } from "#recording/writer";
import { type Running, runToEnd, startCommand } from "#testing/command";
import { whaleMarket } from "#testing/whale-market";

const SECRET = "key-in-the-path";
let root: string;
let node: string;
let okx: string;
let gone: string;
let taken: Listening;
const closers: (() => Promise<void>)[] = [];
let running: Running | null = null;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "live-command-"));
  const start = Math.floor(Date.now() / 60_000) * 60_000 - 60_000;
  await writeRecording(join(root, "market"), whaleMarket(start, 100));
  const market = await openRecording(join(root, "market"));
  const chain = await chainDouble(market, wallClock);
  const venue = await paperVenue({ clock: wallClock, source: recordedCandles(market), key: paperKey });
  taken = await listen(() => undefined);
  closers.push(chain.close, venue.close, taken.close);
  const free = await listen(() => undefined);
  await free.close();
  [node, okx, gone] = [`${chain.url}/v3/${SECRET}`, venue.url, `${free.url}/v3/${SECRET}`];
  writeFileSync(
    join(root, "watch.csv"),
    `address,label,tags\n${market.watchlist.map((w) => `${w.address},${w.label},test`).join("\n")}\n`,
  );
});
afterEach(async () => {
  running?.child.kill("SIGKILL");
  await running?.ended;
  running = null;
});
afterAll(async () => {
  for (const close of closers) await close();
  rmSync(root, { recursive: true, force: true });
});

const options = (data: string, more: readonly string[] = []): string[] => [
  ...["--okx", okx, "--port", "0", "--watchlist", join(root, "watch.csv"), "--warmup-hours", "2"],
  ...["--data", join(root, data), ...more],
];

test("follows through ETH_RPC_URL, answers over HTTP, ends whole on Ctrl-C with code 0, and carries on", async () => {
  running = startCommand("live.ts", options("desk"), { ETH_RPC_URL: `${gone}, ${node}` });
  await running.wrote(/block 10\d\d {2}\d+ s behind {2}/);
  expect(running.text()).toMatch(/not used for now: 127\.0\.0\.1:\d+: unreachable \(ECONNREFUSED\)/);
  expect(running.text()).toMatch(/1 of 2 answer.*\na new desk: beginning at block 10\d\d; loading candles/);
  const api = /HTTP API: (\S+)/.exec(running.text())?.[1];
  expect(await (await fetch(`${api}/api/health`)).json()).toMatchObject({ status: "ok", input: { name: "live" } });
  running.child.kill("SIGINT");
  expect(await running.ended).toBe(0);
  expect(running.text()).toContain("stopped; the same command carries on from here.");
  expect(running.text()).not.toContain(SECRET);

  running = startCommand("live.ts", options("desk"), { ETH_RPC_URL: node });
  await running.wrote(/carrying on after block 10\d\d/);
  const again = startCommand("live.ts", options("desk"), { ETH_RPC_URL: node });
  expect(await again.ended).toBe(1);
  expect(again.text()).toMatch(
    /FolderInUseError: .*desk is in use by process \d+ .*\. Stop it first, or name another folder/,
  );
  await running.wrote(/Ctrl-C ends it/);
  running.child.kill("SIGTERM");
  expect(await running.ended).toBe(0);
});

test("docs/live.md's command without internet is followed by a block, and the recording goes on while it is stopped", async () => {
  const text = readFileSync(join(import.meta.dirname, "../docs/live.md"), "utf8");
  const [, documented = ""] = /```sh\nnpm run live -- (.+)\n```/.exec(text) ?? [];
  const data = join(root, "played");
  const args = [...documented.split(" "), "--data", data, "--port", "0"];
  running = startCommand("live.ts", args, { ETH_RPC_URL: gone }); // which it never asks
  await running.wrote(/block \d+ {2}\d+ \w+ behind {2}/);
  expect(running.text()).toMatch(
    /^playing sample \(generated\) until \d\d:\d\d UTC[\s\S]*a new desk: beginning at block 1\d;/,
  );
  const api = /HTTP API: (\S+)/.exec(running.text())?.[1];
  const health = await (await fetch(`${api}/api/health`)).json();
  expect(health).toMatchObject({ input: { name: "sample", generated: true } });
  running.child.kill("SIGINT");
  expect(await running.ended).toBe(0);

  running = startCommand("live.ts", args);
  await running.wrote(/carrying on after block \d\d, \d+ blocks behind/);
  running.child.kill("SIGTERM");
  await running.ended;
  const played = join(data, "recording.json");
  const { startedMs, ...rest } = JSON.parse(readFileSync(played, "utf8"));
  writeFileSync(played, JSON.stringify({ ...rest, startedMs: startedMs - 7 * 3_600_000 }));
  const ended = await runToEnd("live.ts", args);
  expect(ended.text).toMatch(
    /RecordedMarketError: .*its recording has ended\. Delete that folder to play it from its start/,
  );
  expect(ended.code).toBe(1);
  writeFileSync(played, "garbage");
  const damaged = await runToEnd("live.ts", args);
  expect(damaged.text).toMatch(
    /RecordedMarketError: .*: its recording\.json does not say what it plays\. Delete that folder/,
  );
  expect(damaged).toMatchObject({ code: 1, text: expect.not.stringMatching(/^\s+at /m) });
  const both = await runToEnd("live.ts", [...args, "--rpc", node]);
  expect(both).toMatchObject({ code: 2, text: expect.stringMatching(/^give --recording or --rpc, not both\n/) });
}, 900_000);

test("what cannot be followed is named, with what to do, before anything is kept", async () => {
  const cases: readonly [args: string[], env: Record<string, string>, code: number, text: RegExp][] = [
    [
      [],
      { ETH_RPC_URL: gone },
      1,
      /no Ethereum node to follow:\n {2}127\.0\.0\.1:\d+: unreachable \(ECONNREFUSED\)\n.*--rpc URL, or ETH_RPC_URL/,
    ],
    [
      ["--chain-id", "8453"],
      { ETH_RPC_URL: node },
      1,
      /127\.0\.0\.1:\d+ serves chain 0x1, not 8453\n.*name a node of chain 8453/,
    ],
    [
      ["--okx", gone],
      { ETH_RPC_URL: node },
      1,
      /no prices from 127\.0\.0\.1:\d+: GET public\/instruments: no reply.*\nCheck the network/,
    ],
    [
      ["--okx", "http://prices.example"],
      { ETH_RPC_URL: node },
      1,
      /no prices from prices\.example: .*not one of OKX's hosts/,
    ],
    [
      ["--instruments", "DOGE-USDT-SWAP"],
      { ETH_RPC_URL: node },
      1,
      /it lists no live USDT swap DOGE-USDT-SWAP\nGive USDT swaps/,
    ],
    [["--port", String(taken.port)], { ETH_RPC_URL: node }, 1, /port \d+ is taken; stop the program that uses it/],
    [[], { ETH_RPC_URL: "ftp://x" }, 2, /node 1 of 1 is no http\(s\) URL/],
  ];
  for (const [args, env, code, text] of cases) {
    const run = await runToEnd("live.ts", options("never", args), env);
    expect(run.text).toMatch(text);
    expect(run.code).toBe(code);
    expect(run.text).not.toContain(SECRET);
    expect(run.text).not.toMatch(/^\s+at /m);
  }
  expect(existsSync(join(root, "never", "db"))).toBe(false);
});

test("a damaged queue file is named and left as it is", async () => {
  const file = join(root, "damaged", "queues", "fauxqs.db");
  mkdirSync(join(root, "damaged", "queues"), { recursive: true });
  writeFileSync(file, "this is no database ".repeat(500));
  const run = await runToEnd("live.ts", options("damaged"), { ETH_RPC_URL: node });
  expect(run.text).toContain(
    `DamagedQueuesError: the queues in ${file} do not open: file is not a database. Move that file away to go on without`,
  );
  expect(run.text).not.toMatch(/^\s+at /m);
  expect(run.code).toBe(1);
  expect(readFileSync(file, "utf8")).toBe("this is no database ".repeat(500));
});
