import type { Drizzle } from "#db/drizzle";
import { bias, eventRefs, orders, positions, wallets } from "#db/schema";
import { upsertCandles } from "#db/signals/prices";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { planLane } from "#desk/plan-lane";
import { reconcileAccount } from "#desk/reconcile-account";
import { coverOrder } from "#desk/stops/cover-instrument";
import { submitOrder } from "#desk/submit-order";
import { type PaperVenueConfig, paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { type InstrumentRow, instrumentRow } from "#recording/candle-source";
import { okxExchange } from "#runtime/okx/exchange";
import { type PolicyDifferences, policyFrom } from "#trading/plans/policy";
import type { Candle } from "#units/candle";
import { type Decimal, decimalOf } from "#units/decimal";
import { idOf, type OrderId } from "#units/ids";
import { instant } from "#units/time";
import { emptyTables, TRADING_TABLES } from "./empty-tables.ts";
import { ETH_SWAP } from "./instruments.ts";
import { paperAccess } from "./paper-access.ts";

// The desk's trading jobs against the paper venue, over HTTP, through ccxt, with one instrument and generated prices.

const START = Date.parse("2022-06-21T00:00:00.000Z");
const BAR = 300;
const WARM = 20 * 3600_000;
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const ACCOUNT = { mode: "demo", venue: "paper" } as const;
/** Whose event every bias comes from. */
export const WALLET = idOf("wallet", "ethereum", "0x1");
export const EVENT = idOf("event", "1");

const written = (amount: number): Decimal => decimalOf(String(amount));

/** Returns generated bars around 1,000; `after` gives the close of each bar after the warm-up, from 0. */
function series(after: (bar: number) => number): Candle[] {
  const warm = WARM / (BAR * 1000);
  let open = 1000;
  return Array.from({ length: warm + 300 }, (_, i) => {
    const close = i < warm ? 1000 + (i % 2 === 0 ? 3 : 0) : after(i - warm);
    const [low, high] = [Math.min(open, close), Math.max(open, close)];
    const prices = { open: written(open), high: written(high), low: written(low), close: written(close) };
    open = close;
    return { openedAt: instant(START + i * BAR * 1000), ...prices, volume: decimalOf("100000") };
  });
}

async function prepare(db: Drizzle, candles: readonly Candle[]): Promise<void> {
  await emptyTables(db, TRADING_TABLES);
  await db.execute("UPDATE trading_control SET state = 'ACTIVE', epoch = 1 WHERE trading_mode = 'demo'");
  const since = instant(START);
  const wallet = { id: WALLET, address: `0x${"1".repeat(40)}`, chain: "ethereum" };
  await db.insert(wallets).values({ ...wallet, firstSeenAt: since, watchedSince: since });
  const event = { id: EVENT, timestamp: since, walletId: WALLET, chain: "ethereum", txHash: `0x${"2".repeat(64)}` };
  await db.insert(eventRefs).values(event);
  await upsertInstruments(db, [ETH_SWAP], "test", since);
  await upsertCandles(db, { instrument: ETH_SWAP.id, barSeconds: BAR }, "test", candles);
}

export interface PaperDeskOptions {
  /** The close of each bar of five minutes, from 0; 1,000 by default. */
  readonly after?: (bar: number) => number;
  readonly policy?: PolicyDifferences;
  /** What the venue's list says of the instrument besides. */
  readonly row?: InstrumentRow;
  readonly venue?: Pick<PaperVenueConfig, "book" | "observe">;
}

/** Returns a desk that is compared with its venue, flat, a minute ago. `close` ends the venue. */
export async function paperDesk(
  db: Drizzle,
  { after = () => 1000, policy = {}, row = {}, venue: given = {} }: PaperDeskOptions = {},
) {
  const candles = series(after);
  await prepare(db, candles);
  const clock = virtualClock(START + WARM);
  const rows = [{ ...instrumentRow(ETH_SWAP), ...row }];
  const source = { barSeconds: BAR, instruments: () => rows, bars: () => candles };
  const venue = await paperVenue({ clock, source, key: KEY, ...given });
  const access = paperAccess(venue.url, KEY);
  const { credentials } = access;
  const exchange = okxExchange(access);
  const [store, limits] = [sqlStore(db), policyFrom(policy)];
  const at = () => instant(clock.now());
  const run = () => ({ account: ACCOUNT, at: at(), by: "reconcile-orders", policy: limits, barSeconds: BAR });
  const pause = async (ms: number) => clock.set(clock.now() + ms);
  const reconcile = () => reconcileAccount(store, exchange, run(), [ETH_SWAP.id], pause);
  const pass = (minutes: number) => clock.set(clock.now() + minutes * 60_000);
  const lean = (value: Decimal) => {
    const contributions = [{ event_id: EVENT, wallet_id: WALLET, contribution: Number(value), credibility: 9 }];
    const said = { timestamp: at(), asset: "ETH", timeframe: "4h", value, confidence: decimalOf("0.9") } as const;
    return db.insert(bias).values({ ...said, components: { contributions } });
  };
  const lane = () => ({ ...ACCOUNT, at: at(), by: "plan-order", asset: "ETH", instrument: ETH_SWAP.id });
  const plan = () => planLane(store, exchange, { ...lane(), barSeconds: BAR, lanes: 2, gitSha: "test" }, limits);
  const submit = (id: OrderId) => submitOrder(store, exchange, id, at(), "submit-order", { policy: limits });
  const cover = async (id: OrderId) => {
    const order = await store.order(id);
    if (order === null) throw new Error(`no order ${id}`);
    return coverOrder(store, exchange, { ...run(), by: "submit-order" }, order);
  };
  /** Plans by a bias of `value` and sends what was planned. */
  const trade = async (value: string): Promise<OrderId> => {
    await lean(decimalOf(value));
    const planned = await plan();
    if (planned.order === null) throw new Error(planned.reason);
    await submit(planned.order.id);
    return planned.order.id;
  };
  await reconcile();
  pass(1);
  return {
    ...{ db, store, clock, venue, exchange, credentials, at, run, reconcile, pass, lean, plan, submit, cover, trade },
    close: venue.close,
    orders: () => db.select().from(orders).orderBy(orders.decidedAt, orders.id),
    positions: () => db.select().from(positions).orderBy(positions.openedAt),
    /** Runs once a minute. */
    minutes: async (count: number) => {
      for (let minute = 0; minute < count; minute++) {
        pass(1);
        await reconcile();
      }
    },
  };
}

export type PaperDesk = Awaited<ReturnType<typeof paperDesk>>;
