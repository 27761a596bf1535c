import { type CountedDatabase, countedDatabase } from "#testing/counted-database";
import { yardstick } from "./measured-run.ts";
import { type Reconciliation, type TradingDesk, tradingDesk } from "./trading-desk.ts";
import { type QueueFigures, queueFigures } from "./trading-queue.ts";

/** What one kind of reconciliation took. */
export interface ReconcileFigures {
  readonly what: "flat" | "held" | "open orders";
  /** Instruments, or open orders. */
  readonly count: number;
  readonly statements: number;
  readonly requests: number;
  readonly ms: readonly number[];
}

export interface TradingFigures {
  /** Of the fixed piece of work just before and after. */
  readonly yardstickMs: number;
  readonly reconciles: readonly ReconcileFigures[];
  /** From an approved order to its POST at the venue, in ms, by the use case alone. */
  readonly toPost: readonly number[];
  /** From that POST to a stop that the venue has taken, in ms. */
  readonly toStop: readonly number[];
  readonly queue: QueueFigures;
}

/** The open orders of the longest reconciliation, over so many instruments. */
const OPEN = { orders: 1000, instruments: 20 } as const;

async function reconciled(
  what: ReconcileFigures["what"],
  count: number,
  { reconcile }: TradingDesk,
  runs: number,
): Promise<ReconcileFigures> {
  for (const _ of ["first", "again"]) await reconcile(); // V8 compiles, and the first look writes more
  const found: Reconciliation[] = [];
  for (let run = 0; run < runs; run++) found.push(await reconcile());
  const most = (pick: (one: Reconciliation) => number): number => Math.max(...found.map(pick));
  const [statements, requests] = [most((one) => one.statements), most((one) => one.requests)];
  return { what, count, statements, requests, ms: found.map(({ ms }) => ms) };
}

/** @throws when an order is not open that should be. */
async function openOrders(database: CountedDatabase, runs: number): Promise<ReconcileFigures> {
  const mine = await tradingDesk(database, OPEN.instruments);
  try {
    await mine.reconcile();
    await mine.rest(OPEN.orders / OPEN.instruments);
    const figures = await reconciled("open orders", OPEN.orders, mine, runs);
    const open = await mine.open();
    if (open !== OPEN.orders) throw new Error(`${open} orders are open, and not ${OPEN.orders}`);
    return figures;
  } finally {
    await mine.close();
  }
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
      const mine = await tradingDesk(database, count);
      reconciles.push(await reconciled("flat", count, mine, runs));
      for (const [nth, instrument] of mine.instruments.entries()) {
        const took = await mine.trade(instrument, `d${nth}`);
        toPost.push(took.toPost);
        toStop.push(took.toStop);
      }
      reconciles.push(await reconciled("held", count, mine, runs));
      await mine.close();
    }
    say(`${OPEN.orders} open orders ...`);
    reconciles.push(await openOrders(database, runs));
  } finally {
    await database.close();
  }
  const queue = await queueFigures(say);
  return { yardstickMs: (before + yardstick()) / 2, reconciles, toPost, toStop, queue };
}
