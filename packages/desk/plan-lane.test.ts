import { expect, test } from "vitest";
import { ACCOUNT, ETH, handDesk, START } from "#testing/hand/desk";
import { PRICE } from "#testing/hand/venue";
import type { Lane } from "#trading/plans/lane";
import { POLICY, type Policy } from "#trading/plans/policy";
import { compared } from "#trading/positions/comparison";
import type { Listing } from "#trading/venue";
import { type Decimal, decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { planLane } from "./plan-lane.ts";
import { lookUp, settleInstrument } from "./settle-orders.ts";

// Planning over the books in memory, against a venue of one page: what is asked, and why there is no order.

const d = decimalOf;
const MINUTE = 60_000;
const at = (minutes: number) => instant(START + minutes * MINUTE);
const LISTED: Listing = { terms: ETH, state: "live", changes: [] };

/** Bars of five minutes for a day before the start, which swing by half a dollar. */
const BARS = Array.from({ length: 288 }, (_, i) => {
  const close = d(i % 2 === 0 ? "50" : "50.25");
  const prices = { open: PRICE, high: d("50.25"), low: d("49.75"), close, volume: d("100000") };
  return { openedAt: instant(START - (288 - i) * 5 * MINUTE), ...prices };
});

const bias = (minutes: number, value: number) => ({
  ...{ asset: "ETH", timeframe: POLICY.timeframe, at: at(minutes), value, confidence: 0.9, components: {} },
  contributions: [
    { event_id: idOf("event", "1"), wallet_id: idOf("wallet", "w"), contribution: value, credibility: 9 },
  ],
});

function stage(biases: readonly ReturnType<typeof bias>[] = [bias(0, 0.8)], isCompared = true) {
  const desk = handDesk({ biases, candles: new Map([[ETH.id, BARS]]) });
  const asked: string[] = [];
  for (const question of ["quote", "balance", "listing"] as const) {
    const answer = desk.exchange[question] as (...given: unknown[]) => Promise<unknown>;
    Object.assign(desk.exchange, {
      [question]: async (...given: unknown[]) => {
        asked.push(question);
        return question === "listing" ? LISTED : answer(...given);
      },
    });
  }
  desk.exchange.quote = async (instrument) => {
    asked.push("quote");
    return { instrument, bid: d("49.99"), ask: d("50.01"), mark: PRICE, at: desk.at() };
  };
  const compare = () => desk.store.noteComparisons(ACCOUNT, [compared(null, ETH.id, desk.at(), { kind: "agrees" })]);
  const run = () => ({ account: ACCOUNT, at: desk.at(), by: "reconcile-orders", policy: POLICY, barSeconds: 300 });
  return {
    ...{ ...desk, asked, run },
    plan: async (over: Partial<Lane> = {}, policy: Partial<Policy> = {}) => {
      if (isCompared && (await desk.store.comparisons(ACCOUNT)).length === 0) await compare();
      desk.pass(1000);
      const lane = { ...ACCOUNT, at: desk.at(), by: "plan-order", asset: "ETH", instrument: ETH.id };
      return planLane(
        desk.store,
        desk.exchange,
        { ...lane, barSeconds: 300, lanes: 2, gitSha: "test", ...over },
        { ...POLICY, ...policy },
      );
    },
    /** Books contracts by an order of the desk's. */
    hold: async (contracts: string) => {
      const side = contracts.startsWith("-") ? "sell" : "buy";
      const fresh = await desk.store.insert({
        ...{ ...ACCOUNT, asset: "ETH", instrument: ETH.id, timeframe: "4h", biasAt: at(-1), epoch: 1, at: at(-1) },
        ...{ by: "t", verdict: "approved", codes: [], policySnapshot: null },
        order: {
          ...{ clientOrderId: "own", side, type: "ioc", size: d("99"), price: PRICE, reduceOnly: false },
          ...{ stopLoss: null, riskUsd: d("0"), signal: null },
        },
      });
      await desk.store.claim(fresh.id, { at: at(-1), by: "t", expiresAt: at(-1) });
      desk.trade(ETH.id, d(contracts), "own");
      const [position = null] = await desk.exchange.positions();
      const looked = await lookUp(desk.exchange, await desk.store.ordersAtVenue("demo"), desk.at());
      const books = { listed: ETH, looked, feePrices: [], equity: d("1000") };
      const fills = await desk.exchange.fills(instant(0));
      await settleInstrument(desk.store, run(), { ...books, instrument: ETH.id, fills, since: instant(0), position });
    },
    orders: () => [...desk.books.orders.values()],
  };
}
const reasonOf = async (planned: ReturnType<ReturnType<typeof stage>["plan"]>) => {
  const { order, ...rest } = await planned;
  return order === null && "reason" in rest ? rest.reason : `${order?.status}: ${"codes" in rest ? rest.codes : ""}`;
};

test("a bias gives one order, with the policy that decided; asked again, the same, and the venue is asked nothing", async () => {
  const desk = stage();
  const { order } = await desk.plan();
  expect(order).toMatchObject({ status: "approved", side: "buy", type: "ioc", biasAt: at(0), instrument: ETH.id });
  expect(desk.asked.toSorted()).toEqual(["balance", "listing", "quote"]);
  expect([await desk.plan(), desk.orders().length, desk.asked.length]).toEqual([{ order, codes: [] }, 1, 3]);
});

test("where there is nothing to decide the venue is asked nothing", async () => {
  const none = stage([]);
  expect(await reasonOf(none.plan())).toBe("no bias yet");
  const weak = stage([bias(0, 0.1)]);
  expect(await reasonOf(weak.plan())).toBe("flat, and no signal to enter");
  const strange = stage();
  expect(await reasonOf(strange.plan({ instrument: "XRP-USDT-SWAP" }))).toBe("the venue has not listed it yet");
  expect([none.asked, weak.asked, strange.asked, none.orders(), weak.orders()]).toEqual([[], [], [], [], []]);
});

test("what is left below the least order is as good as flat", async () => {
  const desk = stage([bias(0, 0.1)]);
  await desk.hold("0.05");
  expect(await reasonOf(desk.plan())).toBe("what is left is dust: too small to close");
  const more = stage([bias(0, 0.1)]);
  await more.hold("0.1");
  expect(await reasonOf(more.plan())).toBe("min_hold");
});

test("a plan that would do nothing says why, and writes nothing", async () => {
  const desk = stage([bias(0, 0.8)]);
  expect(await reasonOf(desk.plan({}, { atrHours: 100, minAtrHours: 99 }))).toBe("enter at target");
  expect(desk.orders()).toEqual([]);
});

test("nothing is opened where books and venue were not compared; what closes does not wait for it", async () => {
  const desk = stage([bias(0, 0.8)], false);
  expect(await reasonOf(desk.plan())).toBe("books and venue were not compared for 180 s");
  const closes = stage([bias(0, -0.8)], false);
  await closes.hold("3");
  const { order } = await closes.plan({}, { minHoldSeconds: 0 });
  expect(order).toMatchObject({ status: "approved", side: "sell", reduceOnly: true, size: "3" });
  expect(closes.asked).not.toContain("listing"); // it goes out however the venue lists it
});

test("an order that opens is denied by how the venue lists the instrument now, and says what it said", async () => {
  const desk = stage();
  desk.exchange.listing = async () => ({ ...LISTED, state: "suspend" });
  expect(await reasonOf(desk.plan())).toBe("denied: instrument_not_live");
  const [{ detail } = { detail: {} }] = desk.books.events.get(desk.orders()[0]?.id ?? idOf("order", "")) ?? [];
  expect(detail).toMatchObject({ policy: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(await reasonOf(desk.plan())).toBe("denied: instrument_not_live"); // as it is stored
  const unlisted = stage();
  unlisted.exchange.listing = async () => null;
  expect(await reasonOf(unlisted.plan())).toBe("denied: instrument_not_listed");
});

test("what a plan looks back at is asked for by the policy: the biases before, and the events behind this one", async () => {
  const desk = stage();
  const { laneFacts } = desk.store;
  const queries: Parameters<typeof laneFacts>[0][] = [];
  desk.store.laneFacts = async (query) => {
    queries.push(query);
    return laneFacts(query);
  };
  await desk.plan({}, { closeLooks: 4 });
  const once = stage();
  once.store.laneFacts = desk.store.laneFacts;
  await once.plan({}, { closeLooks: 1 });
  expect(queries).toMatchObject([
    { earlier: 3, eventIds: [idOf("event", "1")], biasAt: at(0), barSeconds: 300, asset: "ETH" },
    { earlier: 1 },
  ]);
});

test("what a limit denies is not asked about, and what the listing said is kept with the decision", async () => {
  const desk = stage();
  await desk.store.tighten("demo", { state: "REDUCING", reason: "t", actor: "t", at: desk.at() });
  expect(await reasonOf(desk.plan())).toBe("denied: trading_state");
  expect(desk.asked).not.toContain("listing");
  const kept: unknown[] = [];
  for (const listing of [{ ...LISTED, state: "suspend" }, null]) {
    const other = stage();
    other.exchange.listing = async () => listing;
    const { insert } = other.store;
    other.store.insert = async (fresh) => {
      kept.push(fresh.policySnapshot?.listing);
      return insert(fresh);
    };
    await other.plan();
  }
  expect(kept).toEqual([{ state: "suspend", changes: [] }, null]);
});

test("the same denial is told once, and again when its reasons change", async () => {
  const desk = stage([bias(0, 0.8), bias(1, 0.8), bias(2, 0.8)]);
  desk.exchange.listing = async () => ({ ...LISTED, state: "suspend" });
  expect(await reasonOf(desk.plan())).toBe("denied: instrument_not_live");
  desk.pass(MINUTE);
  expect(await reasonOf(desk.plan())).toBe("denied as before: instrument_not_live");
  desk.pass(MINUTE);
  desk.exchange.listing = async () => null;
  expect(await reasonOf(desk.plan())).toBe("denied: instrument_not_listed");
  expect(desk.orders().length).toBe(2);
});

test("a plan goes by the stored equity while it is recent, else by the venue's word", async () => {
  const sized = async (seconds: number, equity: Decimal) => {
    const desk = stage();
    await desk.store.recordEquity(desk.run(), { equity, cash: equity, available: equity });
    desk.pass(seconds * 1000);
    await desk.store.noteComparisons(ACCOUNT, [compared(null, ETH.id, desk.at(), { kind: "agrees" })]);
    const { order } = await desk.plan({}, { maxBiasAgeSeconds: 86_400 });
    return [order?.size, desk.asked.includes("balance")];
  };
  const venues = (await stage().plan()).order?.size; // 1,000 USDT
  expect(await sized(299, d("1000"))).toEqual([venues, false]);
  expect((await sized(299, d("100")))[0]).not.toBe(venues);
  expect(await sized(300, d("100"))).toEqual([venues, true]);
});

test("what take-profits have closed of the position is not bought back", async () => {
  const planned = async (filled: string, openedAt = instant(START)) => {
    const desk = stage([bias(1, 0.8)]);
    await desk.hold("1");
    const fresh = await desk.store.insert({
      ...{ ...ACCOUNT, asset: "ETH", instrument: ETH.id, timeframe: "4h", biasAt: openedAt, epoch: 1, at: at(0) },
      ...{ by: "t", verdict: "approved", codes: [], policySnapshot: null },
      order: {
        ...{ clientOrderId: "leg", side: "sell", type: "take_profit", size: d("1000"), price: PRICE, reduceOnly: true },
        ...{ stopLoss: null, riskUsd: d("0"), signal: null },
      },
    });
    const claimed = await desk.store.claim(fresh.id, { at: at(0), by: "t", expiresAt: at(0) });
    if (claimed === null) throw new Error("not claimed");
    await desk.store.move(claimed, "filled", { at: at(0), by: "t", change: { filledSize: d(filled) } });
    desk.pass(60 * MINUTE);
    await desk.store.noteComparisons(ACCOUNT, [compared(null, ETH.id, desk.at(), { kind: "agrees" })]);
    const grown = await desk.plan({}, { maxBiasAgeSeconds: 86_400, growShare: d("0"), growBand: d("0") });
    return grown.order?.size ?? ("reason" in grown ? grown.reason : "");
  };
  const all = await planned("0");
  expect(Number(all)).toBeGreaterThan(1);
  expect(await planned("1000")).toBe("enter at target");
  expect(await planned("1000", at(-60))).toBe(all); // of a position before this one
});
