import { tradingControl } from "#db/schema";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { reconcileAccount } from "#desk/reconcile-account";
import { coverOrder } from "#desk/stops/cover-instrument";
import { submitOrder } from "#desk/submit-order";
import { paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { okxExchange } from "#runtime/okx/exchange";
import { type CountedDatabase, countedDatabase } from "#testing/counted-database";
import { emptyTables, TRADING_TABLES } from "#testing/empty-tables";
import { ETH_SWAP } from "#testing/instruments";
import { POLICY } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { yardstick } from "./measured-run.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const BAR = 300;
const ACCOUNT = { mode: "demo", venue: "paper" } as const;
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const PRICE = decimalOf("1000");

/** What one kind of reconciliation took. */
export interface ReconcileFigures {
  readonly what: "flat" | "held";
  /** Instruments. */
  readonly count: number;
  readonly statements: number;
  readonly ms: readonly number[];
}

export interface TradingFigures {
  /** Of the fixed piece of work just before and after. */
  readonly yardstickMs: number;
  readonly reconciles: readonly ReconcileFigures[];
  /** From an approved order to its POST at the venue, in ms. */
  readonly toPost: readonly number[];
  /** From that POST to a stop that the venue has taken, in ms. */
  readonly toStop: readonly number[];
}

/** A desk whose instruments stay at 1,000, through ccxt against the paper venue over loopback. */
async function desk({ db, statements }: CountedDatabase, count: number) {
  const instruments = Array.from({ length: count }, (_, i) => ({
    ...ETH_SWAP,
    id: `A${i}-USDT-SWAP`,
    asset: `A${i}`,
  }));
  await emptyTables(db, TRADING_TABLES);
  await db.update(tradingControl).set({ state: "ACTIVE", epoch: 1, lifts: [] });
  await upsertInstruments(db, instruments, "bench", instant(START));
  const flat = Array.from({ length: 400 }, (_, i) => {
    const prices = { open: PRICE, high: PRICE, low: PRICE, close: PRICE, volume: decimalOf("1000000") };
    return { openedAt: instant(START + i * BAR * 1000), ...prices };
  });
  const clock = virtualClock(START + 22 * 3_600_000 + 60_000);
  const seen = new Map<string, number>();
  const venue = await paperVenue({
    ...{ clock, key: KEY, observe: ({ method, target }) => void seen.set(`${method} ${target}`, performance.now()) },
    source: { barSeconds: BAR, instruments: () => instruments.map(instrumentRow), bars: () => flat },
  });
  const access = { venue: "paper", mode: "demo", url: venue.url, rateLimit: false, accountId: null } as const;
  const exchange = okxExchange({
    ...access,
    maxClockSkewSeconds: POLICY.maxClockSkewSeconds,
    tdMode: "cross",
    credentials: { mode: "demo", ...KEY },
  });
  const store = sqlStore(db);
  const at = () => instant(clock.now());
  const run = () => ({ account: ACCOUNT, at: at(), by: "reconcile-orders", policy: POLICY, barSeconds: BAR });
  let nth = 0;
  const approve = async (instrument: string) => {
    nth += 1;
    return store.insert({
      ...{ ...ACCOUNT, at: at(), by: "plan-order", asset: instrument.split("-")[0] ?? "", instrument, timeframe: "4h" },
      ...{ biasAt: at(), epoch: 1, verdict: "approved", codes: [], policySnapshot: null, detail: {} },
      order: {
        ...{ clientOrderId: `d${nth}`, side: "buy", type: "market", price: null, signal: null },
        ...{ size: decimalOf("2"), reduceOnly: false, stopLoss: decimalOf("900"), riskUsd: decimalOf("20") },
      },
    });
  };
  const ids = instruments.map(({ id }) => id);
  return {
    close: venue.close,
    ids,
    /** Reconciles a minute later. @throws when anything of it failed. */
    reconcile: async () => {
      clock.set(clock.now() + 60_000);
      statements();
      const began = performance.now();
      const { failures, breaks } = await reconcileAccount(store, exchange, run(), ids, async () => undefined);
      const ms = performance.now() - began;
      if (failures.length + breaks.length > 0) throw new AggregateError(failures, "a reconciliation failed");
      return { ms, statements: statements().length };
    },
    /** Sends an order and covers what it filled, as the submit handler does. */
    trade: async (instrument: string) => {
      const { id } = await approve(instrument);
      const began = performance.now();
      const { order } = await submitOrder(store, exchange, id, at(), "submit-order", { policy: POLICY });
      const { failures } = await coverOrder(store, exchange, run(), order);
      const covered = performance.now();
      if (failures.length > 0) throw new AggregateError(failures, "an order was not covered");
      const posted = seen.get("POST /api/v5/trade/order") ?? Number.NaN;
      return { toPost: posted - began, toStop: covered - posted };
    },
  };
}

type Desk = Awaited<ReturnType<typeof desk>>;

async function reconciled(what: ReconcileFigures["what"], count: number, { reconcile }: Desk, runs: number) {
  for (const _ of ["first", "again"]) await reconcile(); // V8 compiles, and the first look writes more
  const ms: number[] = [];
  let statements = 0;
  for (let run = 0; run < runs; run++) {
    const found = await reconcile();
    ms.push(found.ms);
    statements = Math.max(statements, found.statements);
  }
  return { what, count, statements, ms };
}

/** Measures the trading of a desk `runs` times each. `say` is told what is under way. */
export async function tradingFigures(runs: number, say: (line: string) => void): Promise<TradingFigures> {
  const before = yardstick();
  const database = await countedDatabase();
  const reconciles: ReconcileFigures[] = [];
  const [toPost, toStop]: [number[], number[]] = [[], []];
  try {
    for (const count of [1, 5, 20]) {
      say(`${count} instruments ...`);
      const mine = await desk(database, count);
      reconciles.push(await reconciled("flat", count, mine, runs));
      for (const id of mine.ids) {
        const took = await mine.trade(id);
        toPost.push(took.toPost);
        toStop.push(took.toStop);
      }
      reconciles.push(await reconciled("held", count, mine, runs));
      await mine.close();
    }
  } finally {
    await database.close();
  }
  return { yardstickMs: (before + yardstick()) / 2, reconciles, toPost, toStop };
}
