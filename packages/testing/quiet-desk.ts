import type { Drizzle } from "#db/drizzle";
import { tradingControl } from "#db/schema";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { reconcileAccount } from "#desk/reconcile-account";
import { submitOrder } from "#desk/submit-order";
import { type PaperVenueConfig, paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { okxClient } from "#runtime/okx/client";
import { okxExchange } from "#runtime/okx/exchange";
import { POLICY, type Policy } from "#trading/plans/policy";
import { type Decimal, decimalOf } from "#units/decimal";
import { type Instant, instant } from "#units/time";
import { emptyTables, TRADING_TABLES } from "./empty-tables.ts";
import { ETH_SWAP } from "./instruments.ts";
import { paperAccess } from "./paper-access.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const HOUR = 3_600_000;
const BAR = 300;
const ACCOUNT = { mode: "demo", venue: "paper" } as const;
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };

export interface QuietDeskConfig {
  readonly venue?: Partial<PaperVenueConfig>;
  readonly policy?: Partial<Policy>;
}

/**
 * Returns a desk of its own on emptied tables, against a paper venue over HTTP and through ccxt. Its one instrument stays at
 * 1,000 from 22:00 on. Close the venue after.
 */
export async function quietDesk(db: Drizzle, config: QuietDeskConfig = {}) {
  await emptyTables(db, TRADING_TABLES);
  await db.update(tradingControl).set({ state: "ACTIVE", epoch: 1, lifts: [] });
  await upsertInstruments(db, [ETH_SWAP], "test", instant(START));
  const price = decimalOf("1000");
  const flat = Array.from({ length: 600 }, (_, i) => {
    const prices = { open: price, high: price, low: price, close: price, volume: decimalOf("100000") };
    return { openedAt: instant(START + i * BAR * 1000), ...prices };
  });
  const clock = virtualClock(START + 22 * HOUR);
  const source = { barSeconds: BAR, instruments: () => [instrumentRow(ETH_SWAP)], bars: () => flat };
  const venue = await paperVenue({ clock, source, key: KEY, ...config.venue });
  const access = paperAccess(venue.url, KEY);
  const exchange = okxExchange(access);
  const store = sqlStore(db);
  const policy = { ...POLICY, ...config.policy };
  const at = (): Instant => instant(clock.now());
  const run = () => ({ account: ACCOUNT, at: at(), by: "reconcile-orders", policy, barSeconds: BAR });
  const pause = async (ms: number) => clock.set(clock.now() + ms);
  let nth = 0;
  return {
    /** What another program of the same account speaks by. */
    client: okxClient(access),
    ...{ db, clock, venue, store, exchange, at, run, pause, policy },
    pass: (ms: number) => clock.set(clock.now() + ms),
    reconcile: () => reconcileAccount(store, exchange, run(), [ETH_SWAP.id], pause),
    /** Sends an order of the desk at market; it returns the order as it then is. */
    trade: async (side: "buy" | "sell", size: string, stopLoss: Decimal | null = null) => {
      nth += 1;
      const { id } = await store.insert({
        ...{ ...ACCOUNT, at: at(), by: "plan-order", asset: "ETH", instrument: ETH_SWAP.id, timeframe: "4h" },
        ...{ biasAt: at(), epoch: 1, verdict: "approved", codes: [], policySnapshot: null, detail: {} },
        order: {
          ...{ clientOrderId: `d${nth}`, side, type: "market", size: decimalOf(size), price: null, signal: null },
          ...{ reduceOnly: side === "sell", stopLoss, riskUsd: decimalOf("0") },
        },
      });
      return (await submitOrder(store, exchange, id, at(), "submit-order", { policy })).order;
    },
  };
}
