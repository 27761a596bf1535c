import { drizzleOf } from "#db/drizzle";
import { bias, eventRefs, tradingControl, wallets } from "#db/schema";
import { upsertCandles } from "#db/signals/prices";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { paperKey, paperSecret, SECRET_ID } from "#doubles/venue/key";
import { paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import type { Handler } from "#local/aws/jobs";
import { startLaptop } from "#local/laptop";
import { openEmbedded } from "#local/postgres/embedded-postgres";
import { openServer } from "#local/postgres/server-postgres";
import { instrumentRow } from "#recording/candle-source";
import { useSink } from "#runtime/log";
import { send } from "#runtime/send";
import { serverDatabase } from "#testing/database";
import { queue } from "#topology/topology";
import type { Instrument } from "#trading/instrument";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { ACCOUNT, approved, BAR, bars, listed, NOON } from "./trading-desk.ts";

/** What one order took on its way through the queues and the real handlers, in ms. */
export interface Passage {
  /** From the plan's message to the order's POST at the venue. */
  readonly toPost: number;
  /** From the end of the plan, which has written the order and sent its message, to that POST. */
  readonly decisionToPost: number;
  /** From there to the POST of its stop. */
  readonly postToStop: number;
}

/** How many orders a second are posted and covered. */
export interface Throughput {
  readonly groups: number;
  /** How many orders are worked on at once, at most. */
  readonly pollers: number;
  readonly orders: number;
  readonly perSecond: number;
}

export interface QueueFigures {
  readonly passages: readonly Passage[];
  readonly throughput: readonly Throughput[];
}

const INSTRUMENTS = 20;
/** Of one measure of throughput. */
const ORDERS = 60;

/** Times as they are seen, by instrument. */
const stopwatch = () => ({
  decided: new Map<string, number>(),
  posted: new Map<string, number>(),
  covered: new Map<string, number>(),
  posts: 0,
});
type Stopwatch = ReturnType<typeof stopwatch>;

/** Returns the venue's observer of a stopwatch. */
const observer =
  (watch: Stopwatch) =>
  ({ method, target, body }: { readonly method: string; readonly target: string; readonly body: string }): void => {
    if (method !== "POST") return;
    const { instId } = JSON.parse(body) as { instId?: string };
    if (target.endsWith("trade/order")) {
      watch.posts += 1;
      watch.posted.set(instId ?? "", performance.now());
    }
    if (target.endsWith("trade/order-algo")) watch.covered.set(instId ?? "", performance.now());
  };

/** Notes when the job that plans is done with a message: what it has decided is written and sent. */
const noted =
  ({ decided }: Stopwatch, handler: Handler): Handler =>
  async (event, context) => {
    const reply = await handler(event, context);
    const { Records } = event as { readonly Records: readonly { readonly body: string }[] };
    for (const { body } of Records)
      decided.set((JSON.parse(body) as { instrument: string }).instrument, performance.now());
    return reply;
  };

/** A laptop with its own queues and handlers before a paper venue; a bias says to buy each instrument. */
async function queueDesk(watch: Stopwatch) {
  const instruments = listed(INSTRUMENTS);
  const market = bars(decimalOf("1003"));
  const clock = virtualClock(NOON);
  const venue = await paperVenue({
    ...{ clock, key: paperKey, balance: decimalOf("10000000"), observe: observer(watch) },
    source: { barSeconds: BAR, instruments: () => instruments.map(instrumentRow), bars: () => market },
  });
  const server = await serverDatabase();
  const open = () => (server === null ? openEmbedded(null) : openServer(server.url, { kind: "replay", name: "bench" }));
  const laptop = await startLaptop({
    ...{ databaseDirectory: null, queueDirectory: null },
    env: {
      ...{ SPYHOP_MODE: "demo", INSTRUMENTS: instruments.map(({ id }) => id).join(","), BAR_SECONDS: String(BAR) },
      ...{ VENUE: "paper", OKX_URL: venue.url, OKX_PUBLIC_URL: venue.url, OKX_RATE_LIMIT: "false" },
      ...{ EXCHANGE_SECRET_ID: SECRET_ID },
    },
    secrets: new Map([[SECRET_ID, paperSecret()]]),
    drill: {
      openDatabase: open,
      edge: async (_, url) => url,
      handler: (consumer, handler) => (consumer === queue("plans").consumer ? noted(watch, handler) : handler),
    },
  });
  const at = () => instant(clock.now());
  const db = drizzleOf(laptop.database.db);
  const walletId = idOf("wallet", "ethereum", "0x1");
  const since = instant(NOON - 1000);
  const wallet = { id: walletId, address: `0x${"1".repeat(40)}`, chain: "ethereum", firstSeenAt: since };
  await db.insert(wallets).values({ ...wallet, watchedSince: since });
  const eventId = idOf("event", "1");
  const event = { id: eventId, timestamp: since, walletId, chain: "ethereum", txHash: `0x${"2".repeat(64)}` };
  await db.insert(eventRefs).values(event);
  await upsertInstruments(laptop.database.db, instruments, "bench", since);
  for (const { id } of instruments)
    await upsertCandles(db, { instrument: id, barSeconds: BAR }, "bench", market.slice(0, 264));
  await db.update(tradingControl).set({ state: "ACTIVE", epoch: 1, lifts: [] });
  await laptop.runSchedule("reconcile-orders", at());
  clock.set(clock.now() + 1000); // a plan goes by what was compared before it
  return {
    ...{ laptop, at, db, instruments, eventId, walletId, store: sqlStore(laptop.database.db) },
    pass: (ms: number) => clock.set(clock.now() + ms),
    close: async () => {
      await laptop.close();
      await server?.drop();
      await venue.close();
    },
  };
}

type QueueDesk = Awaited<ReturnType<typeof queueDesk>>;

/** Has an instrument planned, and its order sent and covered, with the queues polled as on a laptop. */
async function passage(desk: QueueDesk, watch: Stopwatch, { id, asset }: Instrument): Promise<Passage> {
  const { laptop, db, at, eventId, walletId } = desk;
  const contributions = [{ event_id: eventId, wallet_id: walletId, contribution: 0.9, credibility: 9 }];
  const said = { timestamp: at(), asset, timeframe: "4h", value: decimalOf("0.9"), confidence: decimalOf("0.9") };
  await db.insert(bias).values({ ...said, timeframe: "4h", components: { contributions } });
  const polling = Promise.all((["plans", "orders"] as const).map((name) => laptop.pollQueue(name, 5)));
  const began = performance.now();
  await send("plans", [{ lane: `demo:${id}`, mode: ACCOUNT.mode, asset, instrument: id, at: at() }]);
  await polling;
  const [decided, posted, covered] = [watch.decided.get(id), watch.posted.get(id), watch.covered.get(id)];
  if (decided === undefined || posted === undefined || covered === undefined)
    throw new Error(`${id} was not planned, posted and covered`);
  return { toPost: posted - began, decisionToPost: posted - decided, postToStop: covered - posted };
}

/** Has so many approved orders wait in the queue, over so many groups, and lets so many pollers take them. */
async function throughput(desk: QueueDesk, watch: Stopwatch, groups: number, pollers: number): Promise<Throughput> {
  const { laptop, store, at, pass, instruments } = desk;
  pass(60_000);
  await laptop.runSchedule("reconcile-orders", at());
  pass(1000);
  const [waiting, began] = [[] as Parameters<typeof send<"orders">>[1][number][], watch.posts];
  for (let nth = 0; nth < ORDERS; nth++) {
    const instrument = instruments[nth % groups] as Instrument;
    const order = { size: decimalOf("0.1"), type: "ioc", price: decimalOf("1010") } as const;
    const { id: orderId } = await store.insert(approved(instrument, `g${groups}p${pollers}n${nth}`, at(), order));
    const lane = `${ACCOUNT.mode}:${instrument.id}`;
    waiting.push({ lane, orderId, mode: ACCOUNT.mode, instrument: instrument.id, at: at() });
  }
  await send("orders", waiting);
  const since = performance.now();
  let ended = since;
  const take = async (): Promise<void> => {
    while (watch.posts - began < ORDERS) if ((await laptop.pollQueue("orders", 1)) > 0) ended = performance.now();
  };
  await Promise.all(Array.from({ length: pollers }, take));
  return { groups, pollers, orders: ORDERS, perSecond: (ORDERS * 1000) / (ended - since) };
}

/** Measures the order path through the laptop's own queues and handlers. The looks that each order asks for stay in theirs. */
export async function queueFigures(say: (line: string) => void): Promise<QueueFigures> {
  const watch = stopwatch();
  useSink(() => undefined);
  const desk = await queueDesk(watch);
  try {
    say("from the plan through the queues ...");
    const passages: Passage[] = [];
    for (const instrument of desk.instruments) passages.push(await passage(desk, watch, instrument));
    const rates: Throughput[] = [];
    const { maxConcurrency } = queue("orders");
    for (const [groups, pollers] of [
      [1, 1],
      [INSTRUMENTS, 1],
      [1, maxConcurrency],
      [INSTRUMENTS, maxConcurrency],
    ] as const) {
      say(`${ORDERS} orders in ${groups} groups, ${pollers} at once ...`);
      rates.push(await throughput(desk, watch, groups, pollers));
    }
    if (desk.laptop.deadLetters().length > 0) throw new Error("a message of the bench was given up");
    return { passages, throughput: rates };
  } finally {
    await desk.close();
    useSink(null);
  }
}
