import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { drizzleOf } from "#db/drizzle";
import { protections, tradingControl } from "#db/schema";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { paperKey, paperSecret, SECRET_ID } from "#doubles/venue/key";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { type Laptop, startLaptop } from "#local/laptop";
import { openEmbedded } from "#local/postgres/embedded-postgres";
import { instrumentRow } from "#recording/candle-source";
import { disturbedDatabase } from "#replay/drill/database";
import { edge, forward } from "#replay/drill/edge";
import { KilledError, type Place } from "#replay/drill/plan";
import { setEnv } from "#runtime/config";
import { useSink } from "#runtime/log";
import { okxExchange } from "#runtime/okx/exchange";
import { send } from "#runtime/send";
import { provide } from "#runtime/services";
import { emptyTables, TRADING_TABLES } from "#testing/empty-tables";
import { ETH_SWAP } from "#testing/instruments";
import { paperAccess } from "#testing/paper-access";
import type { NewOrder } from "#trading/orders/stored-order";
import type { Exchange } from "#trading/venue";
import { decimalOf, type text } from "#units/decimal";
import { instant, millis } from "#units/time";

// The job that submits is ended at each of its waits, on database, queues, bus and venue; what it left is then looked at by
// the messages that it had sent.

const START = Date.parse("2022-06-21T00:00:00.000Z");
const clock = virtualClock(START + 60_000);
/** At 1,000 and deep; for ten bars from each of these on below a stop, where one order finds five contracts. */
const THIN = [400, 450] as const;
const bars = Array.from({ length: 500 }, (_, i) => {
  const isThin = THIN.some((first) => i >= first && i < first + 10);
  const at = isThin ? "940" : "1000";
  const price = { open: at, high: at, low: at, close: at, volume: isThin ? "50" : "100000" };
  const written = Object.fromEntries(Object.entries(price).map(([key, value]) => [key, decimalOf(value)]));
  return {
    openedAt: instant(START + i * 300_000),
    ...(written as Record<keyof typeof price, ReturnType<typeof text>>),
  };
});

/** Ends the invocation at its nth wait; null = lets it live, and counts. */
const killer = { at: null as number | null, seen: 0, where: null as Place | null, isOn: false };
async function pass(place: Place): Promise<void> {
  if (!killer.isOn) return;
  if (killer.where !== null) throw new KilledError("dead"); // nothing that it does from then on has an effect
  killer.seen += 1;
  if (killer.seen !== killer.at) return;
  killer.where = place;
  throw new KilledError(`at wait ${killer.at}`);
}
const plan = { pass, breaksNow: async () => false };

/** The deadline of each order that was posted. */
const posted: string[] = [];

let venue: PaperVenue;
let desk: Laptop;
let exchange: Exchange;
const inFrontOf = async (place: Place, url: string) =>
  (await edge(place, plan, (request) => forward(url, request))).url;

beforeAll(async () => {
  useSink(() => undefined); // what is killed is logged as an error
  const source = { barSeconds: 300, instruments: () => [instrumentRow(ETH_SWAP)], bars: () => bars };
  const observe = ({ method, target, headers }: { method: string; target: string; headers: object }) => {
    if (method === "POST" && target.endsWith("trade/order"))
      posted.push(String((headers as { exptime?: string }).exptime));
  };
  venue = await paperVenue({ clock, source, key: paperKey, observe });
  const embedded = await openEmbedded(null);
  const database = { current: () => embedded.db, restart: async () => undefined, isServer: false };
  desk = await startLaptop({
    ...{ databaseDirectory: null, queueDirectory: null, crashSeconds: 1 },
    env: {
      ...{ SPYHOP_MODE: "demo", INSTRUMENTS: ETH_SWAP.id, BAR_SECONDS: "300", VENUE: "paper", RETRY_SECONDS: "1" },
      ...{ OKX_URL: await inFrontOf("venue", venue.url), OKX_PUBLIC_URL: venue.url, OKX_RATE_LIMIT: "false" },
      ...{ EXCHANGE_SECRET_ID: SECRET_ID, QUEUE_DELAYS: "none" },
    },
    secrets: new Map([[SECRET_ID, paperSecret()]]),
    drill: {
      openDatabase: async () => ({ ...embedded, db: disturbedDatabase(database, plan) }),
      edge: inFrontOf,
      handler: (consumer, handler) =>
        consumer === "functions/submit-order.handler"
          ? async (...invoked) => {
              killer.isOn = true;
              const reply = await handler(...invoked).finally(() => {
                killer.isOn = false;
              });
              if (killer.where !== null) throw new KilledError("a machine that went away answers nothing");
              return reply;
            }
          : handler,
    },
  });
  exchange = okxExchange(paperAccess(venue.url, paperKey));
  await desk.runSchedule("reconcile-orders", instant(clock.now())); // the control object is there from then on
});
afterEach(() => setEnv({ QUEUE_DELAYS: "none" }));
afterAll(async () => {
  useSink(null);
  await desk.close();
  await venue.close();
});

/** Leaves neither a row nor a position of what was before, and returns a message for a fresh approved order. */
async function fresh(nth: number) {
  const db = drizzleOf(desk.database.db);
  for (const { instrument, contracts } of await exchange.positions()) {
    const size = decimalOf(contracts.replace("-", ""));
    const close = { instrument, side: "sell", type: "market", size, price: null, reduceOnly: true } as const;
    await exchange.submit({ ...close, clientOrderId: `close${nth}`, expiresAt: instant(clock.now() + 4000) });
  }
  for (const { instrument, algoId } of await exchange.stops()) await exchange.cancelStop(instrument, algoId);
  expect([await exchange.positions(), await exchange.stops()]).toEqual([[], []]);
  await emptyTables(db, TRADING_TABLES);
  await db.update(tradingControl).set({ state: "ACTIVE", epoch: 1 }).where(eq(tradingControl.tradingMode, "demo"));
  await upsertInstruments(desk.database.db, [ETH_SWAP], "test", instant(START));
  clock.set(clock.now() + 7000);
  const at = instant(clock.now());
  const order: NewOrder = {
    ...{ mode: "demo", venue: "paper", asset: "ETH", instrument: ETH_SWAP.id, timeframe: "4h", biasAt: at, epoch: 1 },
    ...{ at, by: "plan-order", verdict: "approved", codes: [], policySnapshot: null, detail: {} },
    order: {
      ...{ clientOrderId: `d${String(nth).padStart(28, "0")}`, side: "buy", type: "ioc", size: decimalOf("10") },
      ...{ price: decimalOf("1020"), reduceOnly: false, stopLoss: decimalOf("950"), riskUsd: decimalOf("50") },
      signal: null,
    },
  };
  const { id } = await sqlStore(desk.database.db).insert(order);
  return { orderId: id, mode: "demo" as const, instrument: ETH_SWAP.id, lane: `demo:${ETH_SWAP.id}`, at };
}

/** Has the submitting job take its message, ended at its nth wait. Returns where that was; null = it came to its end. */
async function submittedUntil(nth: number): Promise<Place | null> {
  await send("orders", [await fresh(nth)]);
  Object.assign(killer, { at: nth, seen: 0, where: null });
  await desk.pollQueue("orders");
  const { where } = killer;
  Object.assign(killer, { at: null, where: null });
  provide("exchange", null); // a process of its own
  return where;
}

const rows = () => drizzleOf(desk.database.db).select().from(protections);

test("law E: whatever wait the submitting job is killed at, its message at two seconds has the stop placed", async () => {
  const places = new Set<Place>();
  let left = 0;
  for (let nth = 1; ; nth++) {
    const where = await submittedUntil(nth);
    const isExposed = (await exchange.positions()).length > 0;
    // What went out with the order may stand by then: it covers, and the time is counted until the desk's own does.
    const isNaked = isExposed && !(await exchange.stops()).some(({ isWhole }) => isWhole);
    clock.set(clock.now() + 2000);
    const looks = await desk.pollQueue("protections");
    if (isExposed) {
      expect(looks, `killed at wait ${nth}, ${where}`).toBe(1);
      expect(await exchange.stops(), `killed at wait ${nth}, ${where}`).toMatchObject([
        { side: "sell", trigger: "950", isWhole: true, isReduceOnly: true },
      ]);
    } else expect(await exchange.stops()).toEqual([]);
    if (isNaked) left += 1;
    clock.set(clock.now() + 8000);
    await desk.drain(); // the second look, and the job's own message, which comes again
    const [stop, ...others] = (await rows()).filter(({ status }) => status === "live");
    expect(others).toEqual([]);
    if (isExposed) {
      const unprotected = (millis(stop?.liveAt ?? instant(0)) - millis(stop?.exposedAt ?? instant(0))) / 1000;
      expect(unprotected, `killed at wait ${nth}, ${where}`).toBeGreaterThanOrEqual(isNaked ? 2 : 0);
      expect(unprotected).toBeLessThanOrEqual(isNaked ? 2 : 0);
    }
    expect(desk.deadLetters()).toEqual([]);
    if (where === null) break;
    places.add(where);
  }
  expect([...places]).toEqual(expect.arrayContaining(["queues", "database", "venue"]));
  expect(left).toBeGreaterThan(5); // it was killed often enough between the fill and its stop
}, 240_000);

test("the queue keeps the looks back for as long as they say", async () => {
  setEnv({ QUEUE_DELAYS: "kept" });
  const { instrument, mode, at } = await fresh(900);
  const began = performance.now();
  await send("protections", [{ mode, instrument, at, afterSeconds: 2 }]);
  while ((await desk.pollQueue("protections", 1)) === 0);
  expect(performance.now() - began).toBeGreaterThanOrEqual(1900);
});

test("the submitting job posts again, by its own clock and before the deadline, what the venue had no time for", async () => {
  const message = await fresh(901);
  const busy = { kind: "code", code: "50011", status: 429 } as const;
  venue.faults.set({ path: "trade/order", method: "POST", times: 2, act: busy });
  const before = venue.state().orders.length;
  posted.length = 0;
  await send("orders", [message]);
  await desk.pollQueue("orders");
  expect([posted.length, new Set(posted).size]).toEqual([3, 1]);
  expect(venue.state().orders.slice(before)).toMatchObject([
    { clOrdId: `d${"901".padStart(28, "0")}`, state: "filled" },
  ]);
  expect(await exchange.stops()).toMatchObject([{ isWhole: true }]);
});

const cancelStops = async () => {
  for (const { instrument, algoId } of await exchange.stops()) await exchange.cancelStop(instrument, algoId);
};

/** Has ten contracts held below their stop, which is gone, where one order finds five. Returns a look at them. */
async function leftBare(nth: number, thin: number) {
  const barMs = (bar: number) => START + bar * 300_000;
  clock.set(barMs(thin - 5));
  const message = await fresh(nth);
  await send("orders", [message]);
  await desk.pollQueue("orders");
  await desk.runSchedule("reconcile-orders", instant(clock.now() + 60_000));
  await desk.drain(); // the order's own looks
  await cancelStops();
  clock.set(barMs(thin + 2));
  const { instrument, mode } = message;
  return { instrument, mode, at: instant(clock.now()), afterSeconds: 0 };
}
const closes = (from: string) =>
  venue
    .state()
    .orders.filter(({ reduceOnly, cTime }) => reduceOnly && cTime >= Date.parse(from))
    .map(({ ordType, accFillSz }) => `${ordType} ${accFillSz}`);

test("what a close at market leaves is closed by looks at each five seconds, and nothing is asked for once nothing is left", async () => {
  const look = await leftBare(902, THIN[0]);
  setEnv({ QUEUE_DELAYS: "kept" });
  await send("protections", [look]);
  expect(await desk.pollQueue("protections")).toBe(1);
  expect(closes(look.at)).toEqual(["market 5"]);
  const began = performance.now();
  expect(await desk.pollQueue("protections")).toBe(0);
  while ((await desk.pollQueue("protections", 1)) === 0);
  expect(performance.now() - began).toBeGreaterThanOrEqual(4500);
  expect(closes(look.at)).toEqual(["market 5", "optimal_limit_ioc 5"]);
  expect(await exchange.positions()).toEqual([]);
  setEnv({ QUEUE_DELAYS: "none" });
  while ((await desk.pollQueue("protections", 1)) === 0);
  await desk.drain(); // that look found nothing
  expect(closes(look.at).length).toBe(2);
  expect(desk.deadLetters()).toEqual([]);
});

test("the run of a minute asks for the first of them, and the last is of when the next run has looked", async () => {
  const { at } = await leftBare(903, THIN[1]);
  venue.faults.set({ path: "trade/order", method: "POST", times: 1000, act: { kind: "code", code: "51138" } });
  await desk.runSchedule("reconcile-orders", at);
  let looks = 0;
  while ((await desk.pollQueue("protections")) > 0) looks += 1;
  expect(looks).toBe(12);
  venue.faults.clear();
  // After so many refusals the venue was asked to close it by itself, and found five.
  expect(closes(at)).toEqual(["market 5"]);
  expect(await exchange.positions()).toMatchObject([{ contracts: "5" }]);
  await desk.runSchedule("reconcile-orders", instant(clock.now() + 60_000));
  await desk.drain();
  expect(await exchange.positions()).toEqual([]);
  expect(desk.deadLetters()).toEqual([]);
});
