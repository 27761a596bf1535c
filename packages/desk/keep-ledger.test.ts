import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { bills, equitySnapshots, positions, tradingControl } from "#db/schema";
import { lookAtDesk } from "#db/server/look";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { type PaperVenueConfig, paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { okxExchange } from "#runtime/okx/exchange";
import { type TestDatabase, testDatabase } from "#testing/database";
import { emptyTables } from "#testing/empty-tables";
import { ETH_SWAP } from "#testing/instruments";
import { POLICY } from "#trading/plans/policy";
import { big, decimalOf } from "#units/decimal";
import { type Instant, instant } from "#units/time";
import { reconcileAccount } from "./reconcile-account.ts";
import { submitOrder } from "./submit-order.ts";

// The ledger of an account against the paper venue, over HTTP, through ccxt.

const START = Date.parse("2022-06-21T00:00:00.000Z");
const HOUR = 3_600_000;
const BAR = 300;
const ACCOUNT = { mode: "demo", venue: "paper" } as const;
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const TABLES = [
  ...["bills", "funding_payments", "order_fills", "order_events", "orders", "positions", "equity_snapshots", "prices"],
];

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A market that stays at 1,000, from 22:00 on: the next funding falls due at 00:00. */
async function stage(config: Partial<PaperVenueConfig> = {}) {
  const { db } = database;
  await emptyTables(db, TABLES);
  await db.update(tradingControl).set({ state: "ACTIVE", epoch: 1 }).where(eq(tradingControl.tradingMode, "demo"));
  await upsertInstruments(db, [ETH_SWAP], "test", instant(START));
  const price = decimalOf("1000");
  const flat = Array.from({ length: 600 }, (_, i) => {
    const prices = { open: price, high: price, low: price, close: price, volume: decimalOf("100000") };
    return { openedAt: instant(START + i * BAR * 1000), ...prices };
  });
  const clock = virtualClock(START + 22 * HOUR);
  const source = { barSeconds: BAR, instruments: () => [instrumentRow(ETH_SWAP)], bars: () => flat };
  const venue = await paperVenue({ clock, source, key: KEY, ...config });
  closing.push(venue.close);
  const fenced = { venue: "paper", mode: "demo", url: venue.url, rateLimit: false, accountId: null } as const;
  const exchange = okxExchange({ ...fenced, tdMode: "cross", credentials: { mode: "demo", ...KEY } });
  const store = sqlStore(db);
  const at = (): Instant => instant(clock.now());
  const run = () => ({ account: ACCOUNT, at: at(), by: "reconcile-orders", policy: POLICY, barSeconds: BAR });
  const pause = async (ms: number) => clock.set(clock.now() + ms);
  let nth = 0;
  return {
    ...{ db, clock, venue, store, exchange, at, pause },
    pass: (ms: number) => clock.set(clock.now() + ms),
    reconcile: () => reconcileAccount(store, exchange, run(), [ETH_SWAP.id], pause),
    trade: async (side: "buy" | "sell", size: string) => {
      nth += 1;
      const { id } = await store.insert({
        ...{ ...ACCOUNT, at: at(), by: "plan-order", asset: "ETH", instrument: ETH_SWAP.id, timeframe: "4h" },
        ...{ biasAt: at(), epoch: 1, verdict: "approved", codes: [], policySnapshot: null, detail: {} },
        order: {
          ...{ clientOrderId: `d${nth}`, side, type: "market", size: decimalOf(size), price: null, signal: null },
          ...{ reduceOnly: side === "sell", stopLoss: null, riskUsd: decimalOf("0") },
        },
      });
      await submitOrder(store, exchange, id, at(), "submit-order");
    },
  };
}

test("F9: funding of 0.1 % at 00:00 is in the books: 25 USDT of the position that paid it", async () => {
  const desk = await stage({ funding: () => ({ rate: decimalOf("0.001"), hours: 8 }) });
  await desk.reconcile();
  desk.pass(60_000);
  await desk.trade("buy", "250");
  await desk.reconcile();
  const before = await desk.exchange.balance();
  desk.pass(2 * HOUR);
  const { ledger, tripped } = await desk.reconcile();
  expect(ledger).toMatchObject({ entry: { gap: "0" }, unknown: [] });
  expect(tripped).toBe(null);
  const after = await desk.exchange.balance();
  expect(big(after.equity).minus(before.equity).toFixed()).toBe("-25");
  expect(await desk.db.select().from(positions)).toMatchObject([{ contracts: "250", fundingPaid: "25" }]);
  // What was closed before its funding was seen has it too.
  await desk.trade("sell", "250");
  desk.pass(60_000);
  await desk.reconcile();
  expect(await desk.db.select().from(positions)).toMatchObject([{ contracts: "0", fundingPaid: "25" }]);
});

test("F9: funding that is seen after the position was closed is that position's", async () => {
  const desk = await stage({ funding: () => ({ rate: decimalOf("0.001"), hours: 8 }) });
  await desk.trade("buy", "250");
  await desk.reconcile();
  desk.pass(2 * HOUR);
  await desk.trade("sell", "250");
  desk.pass(60_000);
  expect((await desk.reconcile()).ledger).toMatchObject({ entry: { gap: "0" } });
  const [closed] = await desk.db.select().from(positions);
  expect(closed).toMatchObject({ contracts: "0", fundingPaid: "25" });
  const { equity } = await desk.exchange.balance();
  const result = big(closed?.realizedPnl ?? 0)
    .minus(closed?.feesPaid ?? 0)
    .minus(25);
  expect(equity).toBe(result.plus(100_000).toFixed());
});

test("the identity holds at each run to the last digit, and every bill is kept once", async () => {
  const desk = await stage();
  for (const [side, size] of [
    ["buy", "31.3"],
    ["buy", "7.7"],
    ["sell", "13.1"],
    ["buy", "2.9"],
    ["sell", "28.8"],
  ] as const) {
    await desk.trade(side, size);
    const { ledger } = await desk.reconcile();
    expect(ledger?.entry.gap).toBe("0");
    await desk.reconcile(); // the same instant again: nothing twice
    desk.pass(47 * 60_000);
  }
  await desk.reconcile();
  const kept = await desk.db.select().from(bills).orderBy(bills.billId);
  const theirs = desk.venue.state().bills;
  expect(kept.map(({ billId, change }) => [billId, change])).toEqual(theirs.map((bill) => [bill.billId, bill.balChg]));
  const snapshots = await desk.db.select().from(equitySnapshots);
  expect(snapshots.map(({ gap }) => gap)).toEqual(snapshots.map(() => "0"));
});

test("F12: a withdrawal of 9 % is no drawdown: no limit moves but the caps", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(5 * 60_000);
  const before = await desk.store.equity(ACCOUNT, desk.at());
  expect(before).toMatchObject({ equity: "100000", peak: "100000", dayStart: "100000" });
  desk.venue.transfer(decimalOf("-9000"));
  const { tripped, ledger } = await desk.reconcile();
  expect([tripped, ledger?.entry]).toMatchObject([null, { gap: "0", units: "0.91" }]);
  expect((await desk.store.control("demo")).state).toBe("ACTIVE");
  desk.pass(5 * 60_000);
  const after = await desk.store.equity(ACCOUNT, desk.at());
  expect(after).toMatchObject({ equity: "91000", peak: "91000", dayStart: "91000" });
  // A deposit makes no profit of it either.
  desk.venue.transfer(decimalOf("50000"));
  await desk.reconcile();
  desk.pass(5 * 60_000);
  expect(await desk.store.equity(ACCOUNT, desk.at())).toMatchObject({ equity: "141000", peak: "141000" });
});

test("a bill of a subtype that is not listed is kept and told", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(5 * 60_000);
  const { balance } = desk.exchange;
  const odd = {
    ...{ billId: "99", type: "77", subType: "7777", asset: "USDT", instrument: null, at: desk.at() },
    ...{ change: decimalOf("-3"), balance: decimalOf("99997"), pnl: decimalOf("0"), fee: decimalOf("0") },
    ...{ venueOrderId: null, tradeId: null },
  };
  const exchange = {
    ...desk.exchange,
    bills: async () => [odd],
    balance: async () => ({ ...(await balance()), equity: decimalOf("99997"), cash: decimalOf("99997") }),
  };
  const run = { account: ACCOUNT, at: desk.at(), by: "reconcile-orders", policy: POLICY, barSeconds: BAR };
  const { ledger } = await reconcileAccount(desk.store, exchange, run, [ETH_SWAP.id], desk.pause);
  expect(ledger).toMatchObject({ unknown: [odd], entry: { gap: "0" } });
  expect(await desk.db.select().from(bills)).toMatchObject([{ kind: "unknown", change: "-3" }]);
});

test("a balance that no bill explains is told with what is missing", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(5 * 60_000);
  const short = {
    ...desk.exchange,
    balance: async () => ({
      ...(await desk.exchange.balance()),
      equity: decimalOf("99990.5"),
      cash: decimalOf("99990.5"),
    }),
  };
  const run = { account: ACCOUNT, at: desk.at(), by: "reconcile-orders", policy: POLICY, barSeconds: BAR };
  const { ledger } = await reconcileAccount(desk.store, short, run, [ETH_SWAP.id], desk.pause);
  expect(ledger?.entry).toMatchObject({ cash: "99990.5", gap: "-9.5" });
  const { modes } = await lookAtDesk(desk.db, "ethereum");
  const shown = { at: desk.at(), equity: "99990.5", cash: "99990.5", unrealized: "0", gap: "-9.5" };
  expect(modes.map(({ mode, balance }) => [mode, balance])).toEqual([
    ["demo", shown],
    ["live", null],
  ]);
});
