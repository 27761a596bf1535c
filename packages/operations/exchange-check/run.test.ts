/** The check of an account against the paper venue, over HTTP and by the desk's own adapter. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { instrumentRow } from "#recording/candle-source";
import { VenueGuardError } from "#runtime/okx/errors";
import type { OkxExchangeConfig } from "#runtime/okx/exchange";
import { okxProber } from "#runtime/okx/prober";
import { runToEnd, startCommand } from "#testing/command";
import { flatMarket } from "#testing/flat-market";
import { ETH_SWAP } from "#testing/instruments";
import { paperAccess } from "#testing/paper-access";
import { policyFrom } from "#trading/plans/policy";
import { big, decimalOf } from "#units/decimal";
import type { Finding } from "./check.ts";
import { checkExchange, needsPerson, OrdersInLiveError } from "./run.ts";
import { findingText, summaryText } from "./text.ts";

const KEY = { apiKey: "key-0123456789", secret: "very-secret-secret", passphrase: "very-secret-phrase" };
const ID = ETH_SWAP.id;
const PRICE = decimalOf("2000");
/** The paper venue's leverage until somebody sets it. */
const POLICY = policyFrom({ venueLeverage: "3" });

const closings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const close of closings.splice(0)) await close();
});

/** A venue with a price, a key and a clock that a pause moves. `aheadMs`: of this machine's. */
async function venueOf(aheadMs = 0) {
  let passed = aheadMs;
  const source = flatMarket(PRICE);
  const posts: string[] = [];
  const venue: PaperVenue = await paperVenue({
    ...{ clock: { now: () => Date.now() + passed }, source, key: KEY },
    observe: ({ method, target }) => void (method === "POST" && posts.push(target.replace("/api/v5/", ""))),
  });
  closings.push(venue.close);
  const config = paperAccess(venue.url, KEY);
  const abort = new AbortController();
  const check = (more: Partial<Parameters<typeof checkExchange>[0]> = {}) =>
    checkExchange({
      ...{ venue: config, policy: POLICY, instrument: ID, orders: false, signal: abort.signal, tell: () => undefined },
      pause: async (ms) => {
        passed += ms;
      },
      ...more,
    });
  return { venue, config, posts, check, abort };
}

const verdicts = (findings: readonly Finding[]) => Object.fromEntries(findings.map((one) => [one.name, one.verdict]));
const named = (findings: readonly Finding[], name: string) => findings.find((one) => one.name === name);
const nothingLeft = (venue: PaperVenue) => {
  const { orders, algos, positions, cancelAllAt } = venue.state();
  expect(orders.filter(({ state }) => state === "live" || state === "partially_filled")).toEqual([]);
  expect(algos.filter(({ state }) => state === "live")).toEqual([]);
  expect([positions, cancelAllAt]).toEqual([[], null]);
};

test("without --orders it reads, posts nothing, and says what each answer means", async () => {
  const { check, posts } = await venueOf();
  const checked = await check();
  expect(verdicts(checked.findings)).toEqual({
    ...{ host: "pass", uid: "pass", acctLv: "pass", posMode: "pass", perm: "pass", ip: "pass", tdMode: "pass" },
    ...{ clock: "not asked", status: "pass", leverage: "pass" },
  });
  expect(posts).toEqual([]);
  expect(needsPerson(checked)).toBe(false);
  expect(findingText(named(checked.findings, "leverage") as Finding)).toBe(
    [
      "leverage: pass",
      "  asks     is the leverage of ETH-USDT-SWAP in cross 3, as the policy says",
      "  answer   it is 3",
      "  means    margin is taken as the policy says",
    ].join("\n"),
  );
  expect(summaryText(checked)).toMatch(/9 pass, 0 differ, 1 could not be asked\nNo order was sent\. --orders tries/);
});

test("with orders each demo check is asked, and what it made is taken away again", async () => {
  const { check, venue } = await venueOf();
  const checked = await check({ orders: true });
  const tried = checked.findings.slice(10);
  expect(Object.fromEntries(tried.map(({ name, verdict, answer }) => [name, `${verdict}: ${answer}`]))).toEqual({
    "order in cross": "pass: 0",
    "order in isolated": "differs: 0", // the paper venue takes both
    expTime: "pass: 50037 The order has expired.",
    clOrdId: "pass: 51016 Client order ID already exists.",
    "stop while flat": "pass: 51058 No position for this algo order",
    "attached stop": "pass: listed with reduceOnly false, its own id",
    "whole stop": "pass: closeFraction 1, reduceOnly true, by mark, at -1",
    "second stop": "pass: 51088 Only one TP/SL of a whole position",
    "algoClOrdId in use": "pass: 51065 algoClOrdId already exists",
    "algoClOrdId after its end": "pass: 51065 algoClOrdId already exists",
    "cancel-all-after": "pass: the order is canceled, the stop stands",
    clip: 'pass: asked 0.2, placed 0.1, amendSource "3"',
    "stop after a close": "pass: flat, and the stop still waits",
  });
  expect(checked.left).toEqual([]);
  nothingLeft(venue);
  expect(needsPerson(checked)).toBe(false); // what differs is only told
  expect(summaryText(checked)).toContain("What the checks made is taken away again.");
}, 30_000);

test.each<[string, Record<string, string>, RegExp]>([
  ["perm", { perm: "read_only,trade,withdraw" }, /may withdraw/],
  ["perm", { perm: "read_only" }, /may not trade/],
  ["posMode", { posMode: "long_short_mode" }, /long_short_mode/],
  ["acctLv", { acctLv: "1" }, /spot only/],
])("%s: an account that says %j is found by name, and no order is sent", async (name, said, words) => {
  const { check, venue, posts } = await venueOf();
  venue.pretend(said);
  const checked = await check({ orders: true });
  const found = named(checked.findings, name);
  expect(found).toMatchObject({ verdict: "differs", reliedOn: true });
  expect(`${found?.answer} ${found?.means}`).toMatch(words);
  expect(found?.means).toMatch(/^the desk HALTS: /);
  expect(named(checked.findings, "whole stop")).toMatchObject({
    verdict: "not asked",
    answer: `no order is sent while ${name} differs`,
  });
  expect(posts).toEqual([]);
  expect(needsPerson(checked)).toBe(true);
});

test("a clock a minute off, and a leverage that is not the policy's, are found", async () => {
  for (const ahead of [61_000, -61_000]) {
    const { check, config, posts } = await venueOf(ahead);
    const checked = await check({
      venue: { ...config, compareClock: true },
      orders: true,
      policy: policyFrom({ venueLeverage: "5" }),
    });
    expect(named(checked.findings, "clock")).toMatchObject({
      ...{ verdict: "differs", means: "the desk HALTS: set its clock (NTP)" },
      answer: expect.stringMatching(ahead > 0 ? /61\.0 s behind/ : /61\.0 s ahead/),
    });
    expect(named(checked.findings, "leverage")).toMatchObject({ verdict: "differs", answer: "it is 3" });
    expect(posts).toEqual([]);
  }
});

test("a key of the other environment is one finding, and the only one", async () => {
  const { check, venue, posts } = await venueOf();
  venue.faults.set({ path: "account/config", act: { kind: "code", code: "50101", status: 401 } });
  const checked = await check({ orders: true });
  expect(checked.findings.slice(0, 2).map(({ name, verdict, code }) => [name, verdict, code])).toEqual([
    ["host", "pass", "0"],
    ["key", "differs", "50101"],
  ]);
  expect(named(checked.findings, "key")?.means).toMatch(/give demo keys to demo, live to live/);
  expect(posts).toEqual([]);
});

test("keys, mode and host that do not belong together are refused before anything is asked", async () => {
  const { check, config, posts, venue } = await venueOf();
  const live = { ...config, mode: "live", credentials: { ...config.credentials, mode: "live" } } as const;
  await expect(check({ venue: { ...live, url: "https://example.org", venue: "okx" } })).rejects.toThrow(
    VenueGuardError,
  );
  await expect(check({ venue: { ...config, mode: "live" } })).rejects.toThrow(/a demo key in a live process/);
  await expect(check({ venue: { ...live, mode: "demo" } })).rejects.toThrow(/a live key in a demo process/);
  await expect(check({ venue: { ...config, venue: "okx" } })).rejects.toThrow(/not one of OKX's hosts/);
  expect([posts, venue.state().orders]).toEqual([[], []]);
});

const LIVE: OkxExchangeConfig = {
  ...{ venue: "okx", mode: "live", url: "https://openapi.okx.com", rateLimit: false, accountId: "77", tdMode: "cross" },
  maxClockSkewSeconds: 2,
  credentials: { mode: "live", ...KEY },
};

test("in live orders are refused by name, reading goes on, and a key that no address binds is found", async () => {
  const { check } = await venueOf();
  const sent: [string, string][] = [];
  const config = { uid: "77", acctLv: "2", posMode: "net_mode", perm: "read_only,trade", ip: "" };
  const replies: Record<string, unknown[]> = {
    "account/config": [config],
    "public/time": [{ ts: String(Date.now()) }],
    "public/instruments": [instrumentRow(ETH_SWAP)],
    "account/leverage-info": [{ lever: "3" }],
  };
  const answer = async (url: string, { method = "GET" }: RequestInit) => {
    const path = new URL(url).pathname.replace("/api/v5/", "");
    sent.push([method, path]);
    return new Response(JSON.stringify({ code: "0", msg: "", data: replies[path] ?? [] }));
  };
  vi.stubGlobal("fetch", answer);
  await expect(check({ venue: LIVE, orders: true })).rejects.toThrow(OrdersInLiveError);
  expect(sent).toEqual([]);
  const checked = await check({ venue: LIVE });
  expect(named(checked.findings, "ip")).toMatchObject({
    verdict: "differs",
    answer: expect.stringMatching(/no address/),
  });
  expect(named(checked.findings, "leverage")).toMatchObject({ verdict: "pass" });
  expect(sent.filter(([method]) => method !== "GET")).toEqual([]);
  const posting = okxProber(LIVE).ask("cancelAllAfter", { timeOut: "0" });
  await expect(posting).rejects.toThrow(/a check posts nothing in live/);
  expect(sent.filter(([method]) => method !== "GET")).toEqual([]);
});

test("what stands at the venue already is left alone, and no order is tried beside it", async () => {
  const { check, venue, posts } = await venueOf();
  venue.trade({ instId: ID, side: "buy", size: big(1), cause: "trade" });
  const checked = await check({ orders: true });
  expect(named(checked.findings, "clip")?.answer).toMatch(/^1 contracts are held in ETH-USDT-SWAP: name another/);
  expect(posts).toEqual([]);
  expect(venue.state().positions).toHaveLength(1);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
  "interrupted after finding %d of the orders, all that was made is taken away",
  async (n) => {
    const { check, venue, abort } = await venueOf();
    let told = 0;
    const tell = ({ name }: Finding) => {
      if (told > 0 || name === "order in cross") told += 1;
      if (told === n) abort.abort();
    };
    const checked = await check({ orders: true, tell });
    expect([checked.interrupted, checked.left, checked.findings.length]).toEqual([true, [], 10 + n]);
    nothingLeft(venue);
  },
  30_000,
);

test.each(["reset-after", "garble"] as const)(
  "orders and stops whose replies are lost (%s) are found and taken away",
  async (kind) => {
    for (const path of ["trade/order", "trade/order-algo", "trade/cancel-order", "trade/cancel-algos"]) {
      const { check, venue } = await venueOf();
      venue.faults.set({ path, method: "POST", act: { kind }, times: 3 });
      const checked = await check({ orders: true });
      expect(checked.left).toEqual([]);
      nothingLeft(venue);
    }
  },
  60_000,
);

test("what cannot be taken away is said", async () => {
  const { check, venue } = await venueOf();
  venue.faults.set({ path: "trade/cancel-order", act: { kind: "code", code: "50001", status: 503 }, times: 100 });
  const checked = await check({ orders: true });
  expect(checked.left).toContainEqual(expect.stringMatching(/orders of ETH-USDT-SWAP rest \(chk/));
  expect(needsPerson(checked)).toBe(true);
  expect(summaryText(checked)).toMatch(/LEFT at the venue: .*chk/);
}, 30_000);

async function keysFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "spyhop-"));
  closings.push(() => rm(folder, { recursive: true }));
  const path = join(folder, "keys.json");
  await writeFile(path, text);
  return path;
}

test("the command: exit codes, JSON, no secret in what it writes", async () => {
  const { venue } = await venueOf();
  const keys = await keysFile(JSON.stringify({ mode: "demo", ...KEY }));
  const policy = await keysFile('venueLeverage = "3"\n');
  const run = (...args: string[]) => runToEnd("operate/exchange.ts", args);
  const where = ["--keys", keys, "--okx", venue.url, "--policy", policy];
  const good = await run("--check", ...where);
  expect([good.code, good.text]).toEqual([0, expect.stringContaining("leverage: pass")]);
  const json = await run("--check", "--json", ...where);
  expect(JSON.parse(json.text.slice(json.text.indexOf("{")))).toMatchObject({ mode: "demo", orders: false, left: [] });
  venue.pretend({ perm: "withdraw" });
  const bad = await run("--check", "--orders", ...where);
  expect([bad.code, bad.text]).toEqual([1, expect.stringContaining("perm: DIFFERS")]);
  venue.faults.set({ path: "account/config", act: { kind: "echo" }, times: 2 });
  const echoed = await run("--check", ...where);
  expect(echoed.code).toBe(1);
  expect(await run(...where)).toMatchObject({ code: 2, text: expect.stringMatching(/^say --check/) });
  expect(await run("--check")).toMatchObject({ code: 2, text: expect.stringMatching(/whose keys\?/) });
  const live = await keysFile(JSON.stringify({ mode: "live", ...KEY }));
  const refused = await run("--check", "--orders", "--keys", live);
  expect([refused.code, refused.text]).toEqual([
    1,
    expect.stringMatching(/^OrdersInLiveError: these are keys of live/),
  ]);
  const other = await run("--check", "--keys", keys, "--okx", "https://example.org");
  expect([other.code, other.text]).toEqual([
    1,
    expect.stringMatching(/^VenueGuardError: refused to call example\.org/),
  ]);
  for (const { text } of [good, json, bad, echoed, refused, other])
    expect(text).not.toMatch(/very-secret|key-0123456789/);
}, 120_000);

test("Ctrl-C while orders are tried: exit code 130, and nothing is left", async () => {
  const { venue } = await venueOf();
  const keys = await keysFile(JSON.stringify({ mode: "demo", ...KEY }));
  const running = startCommand("operate/exchange.ts", ["--check", "--orders", "--keys", keys, "--okx", venue.url]);
  await running.wrote(/^algoClOrdId after its end/m); // the next one waits for eleven seconds
  running.child.kill("SIGINT");
  expect(await running.ended).toBe(130);
  expect(running.text()).toContain("stopped: nothing is left at the venue");
  nothingLeft(venue);
}, 60_000);
