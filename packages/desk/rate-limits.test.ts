import { afterEach, expect, test } from "vitest";
import { paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { okxClient } from "#runtime/okx/client";
import { okxExchange } from "#runtime/okx/exchange";
import { ETH_SWAP } from "#testing/instruments";
import { memoryStore } from "#testing/memory/store";
import { paperAccess } from "#testing/paper-access";
import { POLICY } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { reconcileAccount } from "./reconcile-account.ts";
import { submitOrder } from "./submit-order.ts";

// The desk against the paper venue's limits of requests, over HTTP, through ccxt, which does not pace them here.

const START = Date.parse("2022-06-21T00:00:00.000Z");
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const ACCOUNT = { mode: "demo", venue: "paper" } as const;
const ASSETS = ["BTC", "ETH", "SOL", "LINK", "UNI"] as const;
const LISTED = ASSETS.map((asset) => ({ ...ETH_SWAP, asset, id: `${asset}-USDT-SWAP` }));
const IDS = LISTED.map(({ id }) => id);
const price = decimalOf("1000");
const BARS = Array.from({ length: 60 }, (_, i) => ({
  ...{ openedAt: instant(START + (i - 20) * 300_000), open: price, high: price, low: price, close: price },
  volume: decimalOf("1000000"),
}));

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function stage() {
  const clock = virtualClock(START);
  const sent: { name: string; clOrdId: string; expTime: string }[] = [];
  const source = { barSeconds: 300, instruments: () => LISTED.map(instrumentRow), bars: () => BARS };
  const venue = await paperVenue({
    ...{ clock, source, key: KEY, limits: true, balance: decimalOf("10000000") },
    observe: ({ method, target, body, headers }) => {
      const name = `${method} ${target.split("?")[0]?.replace("/api/v5/", "")}`;
      const { clOrdId = "" } = (method === "POST" && !body.startsWith("[") ? JSON.parse(body) : {}) as {
        clOrdId?: string;
      };
      sent.push({ name, clOrdId, expTime: String(headers.exptime ?? "") });
    },
  });
  closing.push(venue.close);
  const access = paperAccess(venue.url, KEY);
  const exchange = okxExchange(access);
  const client = okxClient(access);
  const active = {
    state: "ACTIVE",
    epoch: 1,
    reason: "",
    actor: "test",
    changedAt: instant(START),
    lifts: [],
  } as const;
  const { store } = memoryStore({
    ...{ control: { demo: active, live: active }, candles: new Map(), biases: [], analyses: [], funding: [] },
    instruments: LISTED.map((listed) => ({ ...listed, updatedAt: instant(START) })),
  });
  const at = () => instant(clock.now());
  const pass = (ms: number) => clock.set(clock.now() + ms);
  const pause = async (ms: number) => pass(ms);
  /** Another program of the same account places an order that rests. */
  const rest = (instId: string, clOrdId: string) => {
    // The venue's clock stands while this machine's goes on, and it takes no request that is half a minute off.
    client.options.timeDifference = Date.now() - clock.now();
    const body = { instId, tdMode: "cross", side: "buy", ordType: "limit", sz: "0.1", px: "985", clOrdId };
    return client.privatePostTradeOrder({ ...body, expTime: String(clock.now() + 4000) });
  };
  const approve = (clientOrderId: string, instrument: string) =>
    store.insert({
      ...{ ...ACCOUNT, asset: instrument.slice(0, 3), instrument, timeframe: "4h", biasAt: at(), epoch: 1, at: at() },
      ...{ by: "plan-order", verdict: "approved", codes: [], policySnapshot: null, detail: {} },
      order: {
        ...{ clientOrderId, side: "buy", type: "ioc", size: decimalOf("0.1"), price: decimalOf("1005") },
        ...{ reduceOnly: false, stopLoss: null, riskUsd: decimalOf("1"), signal: null },
      },
    });
  return {
    ...{ clock, venue, store, sent, at, pass, pause, rest, approve },
    submit: async (clientOrderId: string, instrument: string) => {
      const { id } = await approve(clientOrderId, instrument);
      return submitOrder(store, exchange, id, at(), "submit-order", { policy: POLICY, pause });
    },
    reconcile: () => {
      const run = { account: ACCOUNT, at: at(), by: "reconcile-orders", policy: POLICY, barSeconds: 300 };
      return reconcileAccount(store, exchange, run, IDS, pause);
    },
    counts: () =>
      Object.fromEntries([...Map.groupBy(sent, ({ name }) => name)].map(([name, all]) => [name, all.length])),
  };
}

test("an order that comes beyond the limit of its instrument is sent again under its id and deadline, and taken once", async () => {
  const desk = await stage();
  await desk.submit("d0", "ETH-USDT-SWAP"); // the account is asserted before
  desk.pass(60_000);
  await Promise.all(Array.from({ length: 60 }, (_, i) => desk.rest("ETH-USDT-SWAP", `other${i}`)));
  const before = desk.clock.now();
  const { order, outcome } = await desk.submit("d1", "ETH-USDT-SWAP");
  expect([outcome, order.status]).toEqual(["posted", "open"]);
  const mine = desk.sent.filter(({ clOrdId }) => clOrdId === "d1");
  expect(mine.length).toBe(4); // at once, and after 0.5, 1.5 and 3 s: the window is of two
  expect(new Set(mine.map(({ expTime }) => expTime))).toEqual(new Set([String(before + 4000)]));
  expect(desk.clock.now()).toBeLessThan(before + 4000);
  const taken = desk.venue.state().orders.filter(({ clOrdId }) => clOrdId === "d1");
  expect(taken).toMatchObject([{ state: "filled" }]);
  // On another instrument it would have gone at once.
  desk.pass(2000);
  await Promise.all(Array.from({ length: 60 }, (_, i) => desk.rest("ETH-USDT-SWAP", `more${i}`)));
  await desk.submit("d2", "BTC-USDT-SWAP");
  expect(desk.sent.filter(({ clOrdId }) => clOrdId === "d2").length).toBe(1);
});

test("an order that the venue is too busy for until its end is expired, and leaves nothing there", async () => {
  const desk = await stage();
  const busy = { kind: "code", code: "50061" } as const;
  desk.venue.faults.set({ path: "trade/order", method: "POST", times: 9, act: busy });
  const { order } = await desk.submit("d1", "ETH-USDT-SWAP");
  expect(order).toMatchObject({ status: "expired", errorMessage: "busy 50061" });
  expect(desk.venue.state().orders).toEqual([]);
});

test("a reconciliation of five instruments, each held with its stop, stays below every limit though all comes at one instant", async () => {
  const desk = await stage();
  await desk.reconcile();
  for (const id of IDS) {
    desk.pass(5000);
    await desk.submit(`d${id.slice(0, 3)}`, id);
  }
  for (let minute = 0; minute < 3; minute += 1) {
    desk.pass(60_000);
    desk.sent.length = 0;
    const found = await desk.reconcile();
    expect(found).toMatchObject({ failures: [], breaks: [], tripped: null });
  }
  expect(desk.venue.state().positions.length).toBe(5);
  const { "GET public/time": clock, ...others } = desk.counts();
  expect(clock).toBeLessThanOrEqual(7);
  expect(Object.values(others).every((count) => count <= 4)).toBe(true);
});

test("a reconciliation of 1,000 open orders stays below every limit", async () => {
  const desk = await stage();
  await desk.reconcile();
  const { store, at } = desk;
  for (let batch = 0; batch < 4; batch += 1) {
    desk.pass(2000);
    for (const id of IDS)
      await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const key = `d${id.slice(0, 3)}${batch}x${i}`;
          await desk.rest(id, key);
          const { id: orderId } = await desk.approve(key, id);
          const claimed = await store.claim(orderId, {
            ...{ at: at(), by: "submit-order", expiresAt: instant(desk.clock.now() + 4000), objection: null },
          });
          if (claimed !== null) await store.move(claimed, "accepted", { at: at(), by: "submit-order", change: {} });
        }),
      );
  }
  expect((await store.ordersAtVenue("demo")).length).toBe(1000);
  desk.pass(60_000);
  desk.sent.length = 0;
  expect(await desk.reconcile()).toMatchObject({ failures: [], breaks: [] });
  const counts = desk.counts();
  expect(counts["GET trade/orders-pending"]).toBe(22); // eleven pages, twice
  expect(counts["GET trade/order"]).toBeUndefined();
});
