import { afterAll, beforeAll, expect, test } from "vitest";
import { tradingControl } from "#db/schema";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { okxExchange } from "#runtime/okx/exchange";
import { type CountedDatabase, countedDatabase } from "#testing/counted-database";
import { emptyTables, TRADING_TABLES } from "#testing/empty-tables";
import { ETH_SWAP } from "#testing/instruments";
import type { Instrument } from "#trading/instrument";
import { POLICY } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { reconcileAccount } from "./reconcile-account.ts";
import { coverOrder } from "./stops/cover-instrument.ts";
import { submitOrder } from "./submit-order.ts";

// How many statements a reconciliation sends, counted at the socket: BEGIN, COMMIT and savepoints are statements too.

let database: CountedDatabase;
beforeAll(async () => {
  database = await countedDatabase();
});
afterAll(() => database.close());

const START = Date.parse("2022-06-21T00:00:00.000Z");
const BAR = 300;
const ACCOUNT = { mode: "demo", venue: "paper" } as const;
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const PRICE = decimalOf("1000");

const listed = (count: number): Instrument[] =>
  Array.from({ length: count }, (_, i) => ({ ...ETH_SWAP, id: `A${i}-USDT-SWAP`, asset: `A${i}` }));

/** A desk of so many instruments that all stay at 1,000, flat and compared twice. */
async function desk(count: number) {
  const { db, statements } = database;
  const instruments = listed(count);
  await emptyTables(db, TRADING_TABLES);
  await db.update(tradingControl).set({ state: "ACTIVE", epoch: 1, lifts: [] });
  await upsertInstruments(db, instruments, "test", instant(START));
  const flat = Array.from({ length: 400 }, (_, i) => {
    const prices = { open: PRICE, high: PRICE, low: PRICE, close: PRICE, volume: decimalOf("100000") };
    return { openedAt: instant(START + i * BAR * 1000), ...prices };
  });
  const clock = virtualClock(START + 22 * 3_600_000 + 60_000); // no hour begins in it: the drawdown is not measured
  const source = { barSeconds: BAR, instruments: () => instruments.map(instrumentRow), bars: () => flat };
  const venue = await paperVenue({ clock, source, key: KEY });
  const access = { venue: "paper", mode: "demo", url: venue.url, rateLimit: false, accountId: null } as const;
  const exchange = okxExchange({
    ...{ ...access, tdMode: "cross", maxClockSkewSeconds: POLICY.maxClockSkewSeconds },
    credentials: { mode: "demo", ...KEY },
  });
  const store = sqlStore(db);
  const at = () => instant(clock.now());
  const run = () => ({ account: ACCOUNT, at: at(), by: "reconcile-orders", policy: POLICY, barSeconds: BAR });
  const ids = instruments.map(({ id }) => id);
  let nth = 0;
  const buy = async ({ asset, id: instrument }: Instrument, isCovered: boolean) => {
    nth += 1;
    const { id } = await store.insert({
      ...{ ...ACCOUNT, at: at(), by: "plan-order", asset, instrument, timeframe: "4h" },
      ...{ biasAt: at(), epoch: 1, verdict: "approved", codes: [], policySnapshot: null, detail: {} },
      order: {
        ...{ clientOrderId: `d${nth}`, side: "buy", type: "market", size: decimalOf("2"), price: null, signal: null },
        ...{ reduceOnly: false, stopLoss: decimalOf("900"), riskUsd: decimalOf("20") },
      },
    });
    const { order } = await submitOrder(store, exchange, id, at(), "submit-order", { policy: POLICY });
    if (!isCovered) return;
    expect((await coverOrder(store, exchange, run(), order)).failures).toEqual([]);
  };
  /** Reconciles a minute later, and returns the statements that it sent. */
  const reconcile = async (): Promise<string[]> => {
    clock.set(clock.now() + 60_000);
    statements();
    const { failures, breaks, tripped } = await reconcileAccount(store, exchange, run(), ids, async () => undefined);
    const sent = statements();
    expect([failures, breaks, tripped]).toEqual([[], [], null]);
    return sent;
  };
  for (const _ of ["first", "again"]) await reconcile();
  return {
    ...{ reconcile, close: venue.close },
    open: async () => (await store.openPositions(ACCOUNT)).length,
    /** `isCovered` = whoever sends an order lays its stop too; else it dies before. */
    buyEach: async (isCovered: boolean) => {
      for (const instrument of instruments) await buy(instrument, isCovered);
    },
  };
}

/** Returns the statements of one reconciliation of so many instruments in one state after the other. */
async function sentBy(count: number, isCovered: boolean) {
  const { reconcile, buyEach, open, close } = await desk(count);
  try {
    const flat = await reconcile();
    await buyEach(isCovered);
    const opened = await reconcile();
    await reconcile();
    const held = await reconcile();
    await buyEach(isCovered);
    const added = await reconcile();
    expect(await open()).toBe(count);
    return { flat, held, opened, added };
  } finally {
    await close();
  }
}

const STATES = ["flat", "held", "opened", "added"] as const;
/** What a reconciliation may send at most: so many statements for the account, and so many for each instrument. */
const BUDGET: Readonly<Record<(typeof STATES)[number], { readonly account: number; readonly each: number }>> = {
  flat: { account: 11, each: 0 },
  held: { account: 12, each: 2 },
  opened: { account: 14, each: 4 },
  added: { account: 14, each: 2 },
};

test.each([
  ["whoever sends an order lays its stop", true],
  ["the reconciler lays each stop, since the sender has died", false],
])(
  "a reconciliation sends no more for each instrument than its budget, at most four: %s",
  async (_, isCovered) => {
    for (const count of [1, 2, 5]) {
      const found = await sentBy(count, isCovered);
      for (const state of STATES) {
        const { account, each } = BUDGET[state];
        const sent = found[state];
        expect(sent.length, `${state}, ${count}:\n${sent.join("\n")}`).toBeLessThanOrEqual(account + each * count);
      }
    }
  },
  60_000,
);
