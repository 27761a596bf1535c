/** An account that is not what the desk assumes, over the real adapter and books: found by name before anything is sent. */
import { asc, eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { orderEvents, orders, tradingControl } from "#db/schema";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { controlInMemory } from "#local/control-board";
import { okxExchange } from "#runtime/okx/exchange";
import { type TestDatabase, testDatabase } from "#testing/database";
import { emptyTables, TRADING_TABLES } from "#testing/empty-tables";
import { flatMarket } from "#testing/flat-market";
import { ETH_SWAP } from "#testing/instruments";
import { clientOrderId } from "#trading/orders/client-order-id";
import { POLICY } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { instant, instantOf } from "#units/time";
import { fenced, mendControl } from "../control-object.ts";
import { submitOrder } from "../submit-order.ts";
import { assertAccount } from "./assert-account.ts";

const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const ACCOUNT = { mode: "demo", venue: "paper" } as const;
const ID = ETH_SWAP.id;
const MID_HOUR = instantOf("2026-01-05T12:07:00.000Z");
const NEXT_HOUR = instantOf("2026-01-05T13:00:00.000Z");

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
const closings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

let nth = 0;
async function stage() {
  const { db } = database;
  await emptyTables(db, TRADING_TABLES);
  await db.update(tradingControl).set({ state: "ACTIVE", epoch: 1 }).where(eq(tradingControl.tradingMode, "demo"));
  await upsertInstruments(db, [ETH_SWAP], "paper", MID_HOUR);
  const source = flatMarket(decimalOf("2000"));
  const clock = { aheadMs: 0, now: () => Date.now() + clock.aheadMs };
  const placed: string[] = [];
  const venue: PaperVenue = await paperVenue({
    ...{ clock, source, key: KEY },
    observe: ({ method, target }) => void (method === "POST" && placed.push(target)),
  });
  closings.push(venue.close);
  /** The venue as a new process opens it. */
  const open = (maxClockSkewSeconds = POLICY.maxClockSkewSeconds) =>
    okxExchange({
      ...{
        venue: "paper",
        mode: "demo",
        url: venue.url,
        rateLimit: false,
        accountId: null,
        maxClockSkewSeconds,
        tdMode: "cross",
      },
      ...{ credentials: { mode: "demo", ...KEY }, compareClock: true },
    });
  const board = controlInMemory("demo");
  await mendControl(sqlStore(db), board, MID_HOUR);
  const store = fenced(sqlStore(db), board);
  const approve = async () => {
    nth += 1;
    const at = instant(clock.now());
    const intent = { ...ACCOUNT, instrument: ID, timeframe: "4h", biasAt: at, leg: "plan" } as const;
    const { epoch } = await store.control("demo");
    return store.insert({
      ...{ ...ACCOUNT, asset: "ETH", instrument: ID, timeframe: "4h", biasAt: at, at, by: "test", epoch },
      ...{ verdict: "approved", codes: [], policySnapshot: { hash: "x" } },
      order: {
        ...{ clientOrderId: clientOrderId(intent, nth), side: "buy", type: "ioc", size: decimalOf("1") },
        ...{ price: decimalOf("2010"), reduceOnly: false, stopLoss: decimalOf("1500"), riskUsd: decimalOf("10") },
        signal: null,
      },
    });
  };
  const send = async (exchange: ReturnType<typeof open>) =>
    submitOrder(store, exchange, (await approve()).id, instant(clock.now()), "submit-order", { policy: POLICY });
  return { db, venue, clock, open, store, send, placed };
}
type Desk = Awaited<ReturnType<typeof stage>>;

const LIES: readonly [name: string, lie: (desk: Desk) => void, says: RegExp][] = [
  ["posMode", ({ venue }) => venue.pretend({ posMode: "long_short_mode" }), /position mode is long_short_mode/],
  ["perm", ({ venue }) => venue.pretend({ perm: "read_only,trade,withdraw" }), /the key may withdraw/],
  ["acctLv", ({ venue }) => venue.pretend({ acctLv: "1" }), /the account is spot only/],
  ["clock", ({ clock }) => Object.assign(clock, { aheadMs: 61_000 }), /this machine is 6\d\.\d s behind the venue/],
  ["clock", ({ clock }) => Object.assign(clock, { aheadMs: -61_000 }), /this machine is 6\d\.\d s ahead of the venue/],
  [
    "key",
    ({ venue }) =>
      venue.faults.set({ path: "account/config", times: 9, act: { kind: "code", code: "50101", status: 401 } }),
    /50101/,
  ],
];

test.each(LIES)(
  "%s, found mid-run: the hour's look halts by that name, and nothing is sent any more",
  async (name, lie, says) => {
    const desk = await stage();
    const exchange = desk.open();
    const look = (at: typeof MID_HOUR) =>
      assertAccount(desk.store, exchange, { account: ACCOUNT, at, by: "reconcile-orders", policy: POLICY }, [ID]);
    expect(await look(MID_HOUR)).toBeNull();
    expect((await desk.send(exchange)).order).toMatchObject({ status: "open" });
    const before = desk.placed.length;
    lie(desk);
    expect(await look(NEXT_HOUR)).toMatchObject({ state: "HALTED", reason: expect.stringMatching(says) });
    expect((await desk.store.control("demo")).reason).toMatch(new RegExp(`^start-up assertion ${name}: `));
    const { order, closed } = await desk.send(exchange);
    expect([order.status, closed, order.errorMessage]).toEqual([
      "canceled",
      true,
      expect.stringMatching(/trading is HALTED/),
    ]);
    expect(desk.placed.length).toBe(before);
  },
);

test.each(LIES)(
  "%s, found by a new process: its first order is refused by that name before it is sent",
  async (name, lie) => {
    const desk = await stage();
    lie(desk);
    const { order, tripped } = await desk.send(desk.open());
    const code = name === "key" ? "50101" : name;
    expect(order).toMatchObject({ status: "rejected", errorMessage: expect.stringMatching(new RegExp(`^${code} `)) });
    expect(tripped).toMatchObject({ state: "HALTED", reason: expect.stringMatching(new RegExp(`^venue: ${code} `)) });
    expect(desk.placed).toEqual([]);
    const [row] = await desk.db.select().from(orders);
    const events = await desk.db.select().from(orderEvents).orderBy(asc(orderEvents.seq));
    expect([row?.status, events.map(({ toStatus }) => toStatus)]).toEqual([
      "rejected",
      ["proposed", "approved", "submitting", "rejected"],
    ]);
  },
);

test("how far a clock may be off is what the policy says", async () => {
  const desk = await stage();
  desk.clock.aheadMs = -5000;
  expect((await desk.send(desk.open(4))).order.errorMessage).toMatch(/^clock this machine is \d\.\d s ahead/);
  const other = await stage();
  other.clock.aheadMs = -5000;
  expect((await other.send(other.open(10))).order).toMatchObject({ status: "open" });
});
