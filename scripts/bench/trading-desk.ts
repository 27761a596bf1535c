import { tradingControl } from "#db/schema";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { reconcileAccount } from "#desk/reconcile-account";
import { coverOrder } from "#desk/stops/cover-instrument";
import { submitOrder } from "#desk/submit-order";
import { paperKey } from "#doubles/venue/key";
import { paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { okxClient } from "#runtime/okx/client";
import { okxExchange } from "#runtime/okx/exchange";
import type { CountedDatabase } from "#testing/counted-database";
import { emptyTables, TRADING_TABLES } from "#testing/empty-tables";
import { ETH_SWAP } from "#testing/instruments";
import { paperAccess } from "#testing/paper-access";
import type { Instrument } from "#trading/instrument";
import type { NewOrder } from "#trading/orders/stored-order";
import { POLICY } from "#trading/plans/policy";
import type { Candle } from "#units/candle";
import { type Decimal, decimalOf } from "#units/decimal";
import { type Instant, instant } from "#units/time";

const START = Date.parse("2022-06-21T00:00:00.000Z");
export const BAR = 300;
export const ACCOUNT = { mode: "demo", venue: "paper" } as const;
/** Where a bench's clock stands at first. */
export const NOON = START + 22 * 3_600_000 + 60_000;

/** Returns so many instruments, which differ by name alone. */
export const listed = (count: number): Instrument[] =>
  Array.from({ length: count }, (_, i) => ({ ...ETH_SWAP, id: `A${i}-USDT-SWAP`, asset: `A${i}` }));

/** Returns bars that go from 1,000 to `high` and back, deep enough for any order of a bench. */
export const bars = (high: Decimal): Candle[] =>
  Array.from({ length: 400 }, (_, i) => {
    const [low, volume] = [decimalOf("1000"), decimalOf("1000000")];
    const [open, close] = i % 2 === 0 ? [low, high] : [high, low];
    return { openedAt: instant(START + i * BAR * 1000), open, high, low, close, volume };
  });

/** Returns an order as a plan of `at` would approve it: to buy two contracts at market. */
export const approved = (
  { id: instrument, asset }: Instrument,
  clientOrderId: string,
  at: Instant,
  order: Partial<NonNullable<NewOrder["order"]>> = {},
): NewOrder => ({
  ...{ ...ACCOUNT, at, by: "plan-order", asset, instrument, timeframe: "4h", biasAt: at, epoch: 1 },
  ...{ verdict: "approved", codes: [], policySnapshot: null, detail: {} },
  order: {
    ...{ clientOrderId, side: "buy", type: "market", price: null, signal: null, size: decimalOf("2") },
    ...{ reduceOnly: false, stopLoss: decimalOf("900"), riskUsd: decimalOf("20"), ...order },
  },
});

/** What one reconciliation took. */
export interface Reconciliation {
  readonly ms: number;
  readonly statements: number;
  /** Of the venue. */
  readonly requests: number;
}

/** A desk whose instruments stay at 1,000, through ccxt against the paper venue over loopback. */
export async function tradingDesk({ db, statements }: CountedDatabase, count: number) {
  const instruments = listed(count);
  await emptyTables(db, TRADING_TABLES);
  await db.update(tradingControl).set({ state: "ACTIVE", epoch: 1, lifts: [] });
  await upsertInstruments(db, instruments, "bench", instant(START));
  const clock = virtualClock(NOON);
  const flat = bars(decimalOf("1000"));
  let [requests, postedAt] = [0, Number.NaN];
  const venue = await paperVenue({
    ...{ clock, key: paperKey, balance: decimalOf("10000000") },
    source: { barSeconds: BAR, instruments: () => instruments.map(instrumentRow), bars: () => flat },
    observe: ({ method, target }) => {
      requests += 1;
      if (`${method} ${target}` === "POST /api/v5/trade/order") postedAt = performance.now();
    },
  });
  const access = paperAccess(venue.url, paperKey);
  const exchange = okxExchange(access);
  const store = sqlStore(db);
  const at = () => instant(clock.now());
  const run = () => ({ account: ACCOUNT, at: at(), by: "reconcile-orders", policy: POLICY, barSeconds: BAR });
  const ids = instruments.map(({ id }) => id);
  return {
    ...{ close: venue.close, instruments },
    /** Reconciles a minute later. @throws when anything of it failed. */
    reconcile: async (): Promise<Reconciliation> => {
      clock.set(clock.now() + 60_000);
      statements();
      requests = 0;
      const began = performance.now();
      const { failures, breaks } = await reconcileAccount(store, exchange, run(), ids, async () => undefined);
      const ms = performance.now() - began;
      if (failures.length + breaks.length > 0) throw new AggregateError(failures, "a reconciliation failed");
      return { ms, statements: statements().length, requests };
    },
    /** Sends an order and covers what it filled, as the submit handler does. Returns the milliseconds of both parts. */
    trade: async (instrument: Instrument, name: string) => {
      const { id } = await store.insert(approved(instrument, name, at()));
      const began = performance.now();
      const { order } = await submitOrder(store, exchange, id, at(), "submit-order", { policy: POLICY });
      const { failures } = await coverOrder(store, exchange, run(), order);
      const covered = performance.now();
      if (failures.length > 0) throw new AggregateError(failures, "an order was not covered");
      return { toPost: postedAt - began, toStop: covered - postedAt };
    },
    /** Has so many orders of each instrument rest at the venue, and be open in the books. */
    rest: async (each: number) => {
      const client = okxClient(access);
      const price = decimalOf("985");
      for (const [nth, instrument] of instruments.entries())
        for (let i = 0; i < each; i++) {
          client.options.timeDifference = Date.now() - clock.now(); // else the venue takes the request for late
          const [clOrdId, expiresAt] = [`d${nth}x${i}`, instant(clock.now() + 4000)];
          const asked = { instId: instrument.id, clOrdId, tdMode: "cross", side: "buy", ordType: "limit" } as const;
          await client.privatePostTradeOrder({ ...asked, sz: "0.1", px: price, expTime: String(clock.now() + 4000) });
          const size = decimalOf("0.1");
          const { id } = await store.insert(approved(instrument, clOrdId, at(), { type: "ioc", price, size }));
          const claimed = await store.claim(id, { at: at(), by: "submit-order", expiresAt, objection: null });
          if (claimed) await store.move(claimed, "accepted", { at: at(), by: "submit-order", change: {} });
        }
    },
    open: async () => (await store.ordersAtVenue(ACCOUNT.mode)).length,
  };
}

export type TradingDesk = Awaited<ReturnType<typeof tradingDesk>>;
