/** Arming from the command's key to the order that is sent or held back: real books, the real adapter, the paper venue. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asc } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Drizzle } from "#db/drizzle";
import { auditLogs, tradingControl } from "#db/schema";
import { latestArming } from "#db/trading/arming";
import { readControl } from "#db/trading/control";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { assertArmed } from "#desk/account/arming";
import { fenced, mendControl } from "#desk/control-object";
import { submitOrder } from "#desk/submit-order";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { controlInMemory } from "#local/control-board";
import { armingLook } from "#runtime/arming";
import { readSettings } from "#runtime/config";
import { okxExchange } from "#runtime/okx/exchange";
import { runToEnd } from "#testing/command";
import { type TestDatabase, testDatabase } from "#testing/database";
import { emptyTables, TRADING_TABLES } from "#testing/empty-tables";
import { flatMarket } from "#testing/flat-market";
import { ETH_SWAP } from "#testing/instruments";
import { paperAccess } from "#testing/paper-access";
import type { Arming, SignedArming } from "#trading/arming";
import { clientOrderId } from "#trading/orders/client-order-id";
import { POLICY, policyHash } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { type Instant, instant } from "#units/time";
import { armDesk, disarmDesk, NotArmedError } from "./arm.ts";
import { ArmingKeyError, armingKeyIn, newArmingKey } from "./arming-key.ts";
import { askHere } from "./ask.ts";
import { changeSwitch } from "./kill-switch.ts";
import type { Books } from "./site.ts";
import { statusText, worries } from "./status-text.ts";

const ID = ETH_SWAP.id;
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const ACCOUNT = { mode: "live", venue: "okx" } as const;
const UID = "4400000000000001";

let folder: string;
let database: TestDatabase;
let keyFile: string;
let publicKey: string;
beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "spyhop-"));
  keyFile = join(folder, "arming.pem");
  publicKey = await newArmingKey(keyFile);
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

const closings: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  vi.stubEnv("SPYHOP_MODE", "live");
  vi.stubEnv("VENUE", "okx");
  vi.stubEnv("ARMING_KEY", publicKey);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closings.splice(0)) await close();
});

const now = (): Instant => instant(Date.now());
const signer = async () => armingKeyIn(keyFile, await readFile(keyFile, "utf8"));

let nth = 0;

/** A live desk, halted as the migration leaves it, at a venue that fills at 2,000. */
async function stage({
  account = UID,
  read,
}: {
  account?: string | null;
  read?: () => Promise<SignedArming | null>;
} = {}) {
  const db: Drizzle = database.db;
  await emptyTables(db, TRADING_TABLES);
  await db.update(tradingControl).set({ state: "HALTED", epoch: 1 });
  await upsertInstruments(db, [ETH_SWAP], "okx", now());
  const source = flatMarket(decimalOf("2000"));
  const venue: PaperVenue = await paperVenue({ clock: { now: () => Date.now() }, source, key: KEY });
  closings.push(venue.close);
  const exchange = okxExchange(paperAccess(venue.url, KEY));
  const board = controlInMemory("live");
  const books: Books = { name: "stage live", mode: "live", ask: askHere(async () => db, board), close: async () => {} };
  await disarmDesk(books, { actor: "test", reason: "a new test", at: now() }); // the log of a test before has its own
  const look = armingLook(read ?? (() => latestArming(db, "live")), readSettings(), async () => account);
  const raw = sqlStore(db);
  await mendControl(raw, board, now());
  const store = fenced(raw, board, look);
  const resume = () =>
    changeSwitch(books, { to: "ACTIVE", confirmed: true, mappings: null, actor: "anna", reason: "go", at: now() });
  const arm = async (more: Partial<Parameters<typeof armDesk>[1]> = {}) =>
    armDesk(books, {
      ...{ key: await signer(), account: UID, venue: "okx", hours: 8, actor: "anna", reason: "ticket 9", at: now() },
      ...{ maxNotionalUsd: decimalOf("5000"), maxDailyLossUsd: decimalOf("50"), ...more },
    });
  /** Approves an order and submits it. 20 contracts are 4,000 USD. */
  const send = async (size: string, reduceOnly = false) => {
    nth += 1;
    const [at, side] = [now(), reduceOnly ? "sell" : "buy"] as const;
    const intent = { ...ACCOUNT, instrument: ID, timeframe: "4h", biasAt: at, leg: "plan" } as const;
    const { id } = await store.insert({
      ...{ ...ACCOUNT, asset: "ETH", instrument: ID, timeframe: "4h", biasAt: at, at, by: "test", verdict: "approved" },
      ...{ epoch: (await raw.control("live")).epoch, codes: [], policySnapshot: { hash: "x" } },
      order: {
        ...{ clientOrderId: clientOrderId(intent, nth), side, type: "ioc", size: decimalOf(size) },
        ...{ price: decimalOf(reduceOnly ? "1990" : "2010"), reduceOnly, stopLoss: decimalOf("1500") },
        ...{ riskUsd: decimalOf("10"), signal: null },
      },
    });
    return (await submitOrder(store, exchange, id, at, "test", { policy: POLICY, armed: look })).order;
  };
  const equity = (dayStart: string, equity: string) => recordEquities(dayStart, equity);
  const recordEquities = async (...values: readonly string[]) => {
    for (const [index, value] of values.entries()) {
      const at = instant(Date.now() - (values.length - index) * 1000);
      const cash = decimalOf(value);
      const run = { account: ACCOUNT, at, by: "test", policy: POLICY, barSeconds: 60 };
      await raw.recordEquity(run, { equity: cash, cash, available: cash });
    }
  };
  await equity("10000", "10000");
  return { db, venue, books, board, raw, store, look, resume, arm, send, equity };
}

const audit = async (db: Drizzle) =>
  (await db.select().from(auditLogs).orderBy(asc(auditLogs.seq))).map(({ action }) => action);

test("an armed desk trades until its kill switch changes; unarmed it opens nothing, and what reduces goes", async () => {
  const desk = await stage();
  await desk.resume();
  expect(await desk.send("1")).toMatchObject({
    ...{ status: "canceled", errorMessage: expect.stringMatching(/not armed: there is no arming: npm run arm$/) },
  });
  expect(desk.venue.state().orders).toEqual([]);
  expect(await desk.arm()).toMatch(
    /^stage live is armed until .* for account 4400000000000001, in epoch 2\nat most 5000 /,
  );
  expect(await desk.send("10")).toMatchObject({ status: "open" });
  const halt = { confirmed: true, mappings: null, actor: "anna", reason: "a look" } as const;
  await changeSwitch(desk.books, { to: "HALTED", ...halt, at: now() });
  await desk.resume();
  expect(await desk.send("1")).toMatchObject({
    errorMessage: expect.stringMatching(
      /it is for epoch 2 of the kill switch, which is in 4: a change of the switch ends it/,
    ),
  });
  expect(await desk.send("4", true)).toMatchObject({ status: "open" });
  expect(desk.venue.state().orders.map(({ side, sz }) => [side, sz])).toEqual([
    ["buy", "10"],
    ["sell", "4"],
  ]);
});

test("armed before the resume; disarmed; each is who and why in the audit log, and the minute's run makes REDUCING of it", async () => {
  const desk = await stage();
  const before = (await audit(desk.db)).length;
  expect(await desk.arm()).toMatch(/in epoch 2\n(.*\n)*It is HALTED: npm run resume lets it trade\./);
  await desk.resume();
  const run = { account: ACCOUNT, at: now(), by: "reconcile-orders" };
  const minute = () => assertArmed({ ...desk.store, control: desk.raw.control }, desk.look, run);
  expect(await minute()).toBeNull();
  expect(await disarmDesk(desk.books, { actor: "ben", reason: "weekend", at: now() })).toMatch(
    /opens nothing from now on/,
  );
  expect(await desk.send("1")).toMatchObject({ errorMessage: expect.stringMatching(/there is no arming/) });
  expect(await minute()).toMatchObject({
    state: "REDUCING",
    reason: "not armed: there is no arming: npm run arm",
    epoch: 3,
  });
  expect((await audit(desk.db)).slice(before)).toEqual(["desk.armed", "trading.changed", "desk.disarmed"]);
  expect(desk.venue.state().orders).toEqual([]);
});

test("the caps of an arming hold at the order: what is held counts, and the day's loss", async () => {
  const desk = await stage();
  await desk.resume();
  await desk.arm({ maxNotionalUsd: decimalOf("5000"), maxDailyLossUsd: decimalOf("50") });
  expect(await desk.send("20")).toMatchObject({ status: "open" });
  expect(await desk.send("6")).toMatchObject({
    errorMessage: expect.stringMatching(/^voided: armed for 5000 USD of positions: 52\d\d\.\d\d with this order$/),
  });
  expect(await desk.send("4")).toMatchObject({ status: "open" });
  await desk.equity("10000", "9950");
  expect(await desk.send("0.1")).toMatchObject({
    errorMessage: "voided: armed for a loss of 50 USD a day: 50.00 lost today",
  });
  expect(await desk.send("24", true)).toMatchObject({ status: "open" });
  expect(desk.venue.state().orders).toHaveLength(3);
});

/** Signs what nobody should, with the right key. */
async function forged(more: Partial<Arming>): Promise<SignedArming> {
  const at = Date.now();
  return (await signer()).sign({
    ...{
      format: "spyhop-arming/1",
      mode: "live",
      venue: "okx",
      account: UID,
      policyHash: policyHash(POLICY),
      epoch: 2,
    },
    ...{ maxNotionalUsd: decimalOf("5000"), maxDailyLossUsd: decimalOf("50") },
    ...{ notBefore: instant(at), notAfter: instant(at + 3_600_000), ...more },
  });
}
const inMs = (ms: number): Instant => instant(Date.now() + ms);
const HOUR = 3_600_000;
const other = generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" });

test.each<[string, () => Promise<SignedArming | null>, RegExp | null]>([
  ["whole", () => forged({}), null],
  ["by a machine half a minute ahead", () => forged({ notBefore: inMs(30_000) }), null],
  ["missing", async () => null, /there is no arming: npm run arm/],
  ["expired", () => forged({ notBefore: inMs(-2 * HOUR), notAfter: inMs(-1) }), /it ended at /],
  ["longer than a day", () => forged({ notAfter: inMs(25 * HOUR) }), /for longer than 24 h/],
  ["not begun: a clock is off", () => forged({ notBefore: inMs(HOUR), notAfter: inMs(2 * HOUR) }), /is a clock off/],
  ["of another account", () => forged({ account: "77" }), /for account 77, not 4400000000000001/],
  ["of another policy", () => forged({ policyHash: "a".repeat(64) }), /for policy aaaaaaaaaaaa, not /],
  ["of another epoch", () => forged({ epoch: 1 }), /for epoch 1 of the kill switch, which is in 2/],
  ["of another venue", () => forged({ venue: "paper" }), /for live at paper, not live at okx/],
  ["tampered with", async () => alter(await forged({})), /not signed by the desk's key/],
  [
    "with another signature",
    async () => ({ ...(await forged({})), signature: "AAAA" }),
    /not signed by the desk's key/,
  ],
  [
    "by another key",
    async () => armingKeyIn("other", String(other)).sign(JSON.parse((await forged({})).text)),
    /not signed/,
  ],
  ["of a format to come", () => forged({ format: "spyhop-arming/2" as never }), /none that this release reads/],
])("an arming that is %s", async (_, read, problem) => {
  const desk = await stage({ read });
  await desk.resume();
  const sent = await desk.send("1");
  if (problem === null) expect(sent).toMatchObject({ status: "open" });
  else expect([sent.status, sent.errorMessage]).toEqual(["canceled", expect.stringMatching(problem)]);
  expect(desk.venue.state().orders).toHaveLength(problem === null ? 1 : 0);
});
const alter = ({ text, signature }: SignedArming): SignedArming => ({
  text: text.replace('"maxNotionalUsd":"5000"', '"maxNotionalUsd":"9000"'),
  signature,
});

test("an account that the secret does not name, and a desk without a key, open nothing", async () => {
  const nameless = await stage({ account: null });
  await nameless.resume();
  await nameless.arm();
  expect((await nameless.send("1")).errorMessage).toMatch(/names no accountId/);
  vi.stubEnv("ARMING_KEY", undefined);
  const keyless = await stage();
  await keyless.resume();
  await expect(keyless.arm()).rejects.toThrow(/stage live was not armed: the arming is not signed by the desk's key/);
  expect((await keyless.send("1")).errorMessage).toMatch(/not armed/);
});

test("a job that does not look for an arming opens nothing in live", async () => {
  const { raw, board, resume, arm } = await stage();
  await arm();
  await resume();
  expect(await fenced(raw, board).control("live")).toMatchObject({
    state: "REDUCING",
    fence: expect.stringMatching(/not armed/),
  });
  expect(await readControl(database.db, "live")).toMatchObject({ state: "ACTIVE" });
});

test("status says until when and why not, and asks for a new one two hours before the end", async () => {
  const desk = await stage();
  await desk.resume();
  const status = async (later = 0) => {
    const look = await desk.books.ask({ act: "look" });
    const at = instant(Date.now() + later);
    return {
      site: "stage live",
      at,
      queues: [],
      mappings: [],
      database: { ...look, code: look.schema, lagSeconds: 0 },
    };
  };
  expect(worries(await status())).toEqual(["live opens nothing: there is no arming: npm run arm"]);
  await desk.arm({ hours: 8 });
  expect(worries(await status())).toEqual([]);
  expect(statusText(await status())).toMatch(
    /^armed {5}live, account 44.*until .* by .+, epoch 2: at most 5000 USD held, 50 USD lost a day$/m,
  );
  expect(worries(await status(6.5 * HOUR))).toEqual(["the arming of live ends in 90 min: npm run arm"]);
  await changeSwitch(desk.books, {
    ...{ to: "HALTED", confirmed: true, mappings: null, actor: "anna", reason: "x", at: now() },
  });
  expect(statusText(await status())).toMatch(/It does not hold: .*it is for epoch 2/);
});

test("demo is not armed, a desk of before cannot be, and a key is never written over or shown", async () => {
  const { books, arm } = await stage();
  const key = await signer();
  const order = {
    ...{ key, account: UID, venue: "okx", hours: 8, actor: "anna", reason: "x", at: now() },
    ...{ maxNotionalUsd: decimalOf("1"), maxDailyLossUsd: decimalOf("1") },
  };
  await expect(armDesk({ ...books, mode: "demo" }, order)).rejects.toThrow(/demo, which needs no arming/);
  await expect(arm({ venue: "paper" })).rejects.toThrow(NotArmedError);
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  await expect(newArmingKey(keyFile)).rejects.toThrow(ArmingKeyError);
  expect(() => armingKeyIn("x.pem", "no key")).toThrow(/x\.pem holds no private key/);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "pem", type: "pkcs8" });
  expect(() => armingKeyIn("x.pem", String(rsa))).toThrow(/holds a key of rsa/);
});

test("the commands: a new key, what is missing, and what is out of range", async () => {
  const path = join(folder, "second.pem");
  const run = (script: string, ...args: string[]) => runToEnd(`operate/${script}.ts`, args);
  const made = await run("arm", "--new-key", path);
  expect([made.code, made.text]).toEqual([0, expect.stringMatching(/^ARMING_KEY=MCowBQYDK2VwAyEA[\w+/]{43}=\n/)]);
  const pem = await readFile(path, "utf8");
  expect(made.text).not.toContain(pem.split("\n")[1]);
  expect(await run("arm", "--new-key", path)).toMatchObject({
    code: 1,
    text: expect.stringMatching(/^ArmingKeyError: /),
  });
  const whole = ["--stage", "live", "--key", path, "--account", "77", "--reason", "x", "--max-daily-loss", "50"];
  expect(await run("arm", ...whole)).toMatchObject({
    code: 2,
    text: expect.stringMatching(/^--max-notional is missing/),
  });
  const caps = [...whole, "--max-notional"];
  expect(await run("arm", ...caps, "0")).toMatchObject({ code: 2, text: expect.stringMatching(/an amount above 0/) });
  expect(await run("arm", ...caps, "9", "--hours", "25")).toMatchObject({
    code: 2,
    text: expect.stringMatching(/1 to 24/),
  });
  expect(await run("disarm", "--stage", "live")).toMatchObject({
    code: 2,
    text: expect.stringMatching(/^--reason is missing/),
  });
}, 120_000);
