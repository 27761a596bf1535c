/** The paper venue as a program, with ccxt as its client. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { okx } from "ccxt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runToEnd, startCommand } from "#testing/command";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "venue-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function started(account: string) {
  const program = startCommand("venue.ts", ["--port", "0", "--account", account]);
  await program.wrote(/"passphrase"/);
  const line =
    program
      .text()
      .split("\n")
      .find((text) => text.startsWith("{")) ?? "";
  const { url, apiKey, secret, passphrase } = JSON.parse(line) as Record<string, string>;
  const client = new okx({ apiKey: apiKey!, secret: secret!, password: passphrase!, enableRateLimit: false });
  client.setSandboxMode(true);
  client.urls.api = { rest: url! };
  client.options.createOrder = "privatePostTradeOrder";
  client.options.fetchMarkets = { types: ["swap"] };
  client.has.fetchCurrencies = false;
  client.options.adjustForTimeDifference = true;
  await client.loadMarkets();
  return { program, client, secret: secret! };
}

const pos = async (client: okx) =>
  (await client.privateGetAccountPositions()).data as { pos: string; instId: string }[];

test("ccxt trades on it; SIGTERM ends it, and the account outlives it", async () => {
  const account = join(folder, "account.json");
  const { program, client, secret } = await started(account);
  await client.createOrder("ETH/USDT:USDT", "market", "buy", 1, undefined, { tdMode: "cross" });
  const stop = { stopLossPrice: 1, reduceOnly: true, tdMode: "cross", algoClOrdId: "s1" };
  await client.createOrder("ETH/USDT:USDT", "market", "sell", 1, undefined, stop);
  expect(await pos(client)).toMatchObject([{ pos: "1", instId: "ETH-USDT-SWAP" }]);
  expect(program.text().split(secret).length).toBe(2); // printed once
  program.child.kill("SIGTERM");
  expect(await program.ended).toBe(0);
  const second = await started(account);
  expect(await pos(second.client)).toMatchObject([{ pos: "1" }]);
  expect((await second.client.privateGetTradeOrdersAlgoPending({ ordType: "conditional" })).data).toHaveLength(1);
  expect(second.secret).not.toBe(secret);
  second.program.child.kill("SIGTERM");
  await second.program.ended;
}, 60_000);

test.each([
  [
    ["--from", "2019-01-01T00:00:00Z"],
    2,
    /--from takes a time from .* to .*, not "2019-01-01T00:00:00Z"\nSee: npm run venue/,
  ],
  [["--nothing"], 2, /Unknown option '--nothing'\nSee: npm run venue -- --help/],
  [["--recording", "none"], 1, /none.*/],
] as const)("what it cannot do is said: %j", async (args, code, text) => {
  const run = await runToEnd("venue.ts", [...args]);
  expect(run.code).toBe(code);
  expect(run.text).toMatch(text);
  expect(run.text).not.toMatch(/\n\s+at /);
});
