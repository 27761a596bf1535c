import fc from "fast-check";
import { expect, test } from "vitest";
import { instrumentRow } from "#recording/candle-source";
import { ETH_SWAP } from "#testing/instruments";
import type { Candle } from "#units/candle";
import { type Big, big, type Decimal, decimalOf, text, ZERO } from "#units/decimal";
import { instant } from "#units/time";
import { newAccount, type PaperState, wealth } from "./account.ts";
import { placeAlgo } from "./algo-orders.ts";
import { paperBook } from "./book.ts";
import { FUNDING_RULE } from "./funding.ts";
import { recordTransfer } from "./ledger.ts";
import { risksOf } from "./liquidation.ts";
import type { Floor } from "./matching.ts";
import { place } from "./orders.ts";
import { advance } from "./path.ts";
import { recordRow } from "./records.ts";
import { PaperRefusal } from "./reply.ts";
import { type Tier, tierOf, tiersByRule } from "./tiers.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const BAR_MS = 300_000;
const { id: instId } = ETH_SWAP;
const BTC = { ...ETH_SWAP, id: "BTC-USDT-SWAP", asset: "BTC" };
type Shape = readonly [open: number, high: number, low: number, close: number];
const STILL: Shape = [1000, 1000, 1000, 1000];

const barAt = ([open, high, low, close]: Shape, i: number): Candle => {
  const price = (value: number) => decimalOf(value.toFixed(2));
  const [o, h, l, c] = [price(open), price(high), price(low), price(close)];
  return { openedAt: instant(START + i * BAR_MS), open: o, high: h, low: l, close: c, volume: decimalOf("1000000") };
};

/** Four tiers, of up to 10, 20, 30 and 1,000 contracts. */
const tier = (nth: number, minSize: number, maxSize: number, rate: number): Tier => ({
  ...{ tier: nth, minSize: big(minSize), maxSize: big(maxSize), maintenance: big(rate).div(100) },
  ...{ initial: big(rate).div(50), maxLeverage: big(50).div(nth) },
});
const TIERS = [tier(1, 0, 10, 1), tier(2, 10, 20, 2), tier(3, 20, 30, 3), tier(4, 30, 1000, 5)];

/** An account of 600 USDT at five times the margin; both instruments have the prices of `bars`. */
function floorOf(bars: readonly Shape[], others: readonly Shape[] = bars): Floor {
  const all = new Map([
    [instId, bars.map(barAt)],
    [BTC.id, others.map(barAt)],
  ]);
  const source = {
    ...{ barSeconds: 300, instruments: () => [ETH_SWAP, BTC].map(instrumentRow) },
    bars: (id: string) => all.get(id) ?? [],
  };
  const state = { ...newAccount(decimalOf("600")), leverage: { [instId]: decimalOf("5"), [BTC.id]: decimalOf("5") } };
  const fees = { taker: big(decimalOf("0.0005")), maker: big(decimalOf("0.0002")) };
  const matching = { fees, impactBps: 10, triggerLatencyMs: 50, fillLagMs: 0 };
  const book = paperBook(source, { halfSpreadBps: 1, liquidityShare: 0.1, tiers: () => TIERS });
  return { state, book, matching, pretended: {} };
}
const pass = (floor: Floor, bars: number, ms = 0) => advance(floor, () => FUNDING_RULE, START + bars * BAR_MS + ms);

let serial = 0;
function order(floor: Floor, now: number, fields: Readonly<Record<string, string>>) {
  serial += 1;
  const body = { instId, tdMode: "cross", ordType: "market", clOrdId: `o${serial}`, ...fields };
  return place(floor, { method: "POST", path: "", query: {}, body, list: [], expiresMs: null, now });
}

/** Holds `size` contracts since a second into the second bar. */
function holding(bars: readonly Shape[], size: number, tdMode = "cross"): Floor {
  const floor = floorOf([STILL, STILL, ...bars]);
  const now = START + BAR_MS + 1000;
  pass(floor, 1, 1000);
  order(floor, now, { side: size > 0 ? "buy" : "sell", sz: String(Math.abs(size)), tdMode });
  return floor;
}

const billsOf = (state: PaperState) => state.bills.map(({ type, subType }) => `${type}/${subType}`);
const sumOf = (amounts: readonly Decimal[]): Big => amounts.reduce((sum, amount) => sum.plus(amount), big(0));
const equityOf = ({ state, book }: Floor, now: number) => wealth(state, book, now);

test("a position in the third tier is made smaller by two tiers", () => {
  // By hand, of 25 contracts at 1,000.11 with 598.75 left: 598.75 + 2.5 (p − 1,000.11) = 0.0305 · 2.5 p at 784.539.
  const floor = holding([[1000, 1000, 780, 790]], 25);
  const { state } = floor;
  order(floor, START + BAR_MS + 1000, { side: "buy", ordType: "limit", px: "500", sz: "1" });
  pass(floor, 3, -1);
  expect(state.fills.length).toBe(1); // nobody knows of the low yet
  pass(floor, 3);
  const [, cut] = state.fills;
  expect(state.positions).toMatchObject([{ contracts: "10" }]);
  expect(cut).toMatchObject({ fillSz: "15", side: "sell", subType: "103", clOrdId: "" });
  expect(cut?.tradeId).toMatch(/^-\d+$/);
  // At the price where it is due, worsened by half a spread and the impact.
  expect(Number(cut?.fillPx)).toBeCloseTo(784.53 * (1 - 0.0011), 0);
  expect(state.orders.map(({ category, state: is, cancelSource }) => [category, is, cancelSource])).toEqual([
    ...[
      ["normal", "filled", ""],
      ["normal", "canceled", "3"],
    ],
    ["partial_liquidation", "filled", ""],
  ]);
  const [partly] = state.records;
  expect(partly).toMatchObject({ type: "4", isOpen: true, penalty: "0", closed: "15", triggerPx: "784.53" });
});

test("what is left of the margin of a position that is taken whole goes with it", () => {
  const floor = holding(
    [
      [1000, 1000, 780, 790],
      [790, 790, 600, 610],
    ],
    25,
  );
  const { state } = floor;
  pass(floor, 4);
  expect(state.positions).toEqual([]);
  expect(billsOf(state)).toEqual(["2/1", "5/103", "5/107", "5/111"]);
  expect(state.cash.USDT).toBe("0");
  const [record] = state.records;
  const row = recordRow(record as (typeof state.records)[0], big(ETH_SWAP.contractSize));
  expect(row).toMatchObject({
    type: "3",
    closeTotalPos: "25",
    openMaxPos: "25",
    realizedPnl: "-600",
    direction: "long",
  });
  expect(row.liqPenalty).toBe(state.bills.at(-1)?.balChg);
  expect(Number(row.liqPenalty)).toBeLessThan(0);
});

test("a gap beyond what the margin can bear is borne by the venue, and leaves nothing", () => {
  const floor = holding([[500, 500, 500, 500]], 25);
  pass(floor, 2);
  expect(billsOf(floor.state)).toEqual(["2/1", "5/107", "5/110"]);
  expect(floor.state.cash.USDT).toBe("0");
});

test("an isolated position loses its own margin and nothing else", () => {
  const floor = holding([[700, 700, 700, 700]], 10, "isolated");
  const margin = big(floor.state.positions[0]?.cost ?? ZERO).div(5);
  const before = big(floor.state.cash.USDT ?? ZERO);
  pass(floor, 2);
  expect(billsOf(floor.state)).toEqual(["2/1", "5/107", "5/110"]);
  expect(floor.state.cash.USDT).toBe(text(before.minus(margin)));
});

test("a liquidation is before a stop that the same gap has passed, and after one that lies before it", () => {
  const withStop = (bars: readonly Shape[], trigger: string) => {
    const floor = holding(bars, 25);
    const body = {
      instId,
      tdMode: "cross",
      side: "sell",
      ordType: "conditional",
      closeFraction: "1",
      reduceOnly: true,
    };
    const stop = { ...body, slTriggerPx: trigger, slOrdPx: "-1", slTriggerPxType: "mark" };
    const now = START + BAR_MS + 1000;
    placeAlgo(floor, { method: "POST", path: "", query: {}, body: stop, list: [], expiresMs: null, now });
    return floor;
  };
  const gap = withStop([[600, 600, 600, 600]], "900");
  pass(gap, 2, 100);
  expect(gap.state.fills.map(({ subType }) => subType)).toEqual(["1", "107"]);
  const fall = withStop([[1000, 1000, 600, 600]], "900");
  pass(fall, 3);
  expect(fall.state.fills.map(({ subType }) => subType)).toEqual(["1", "2"]);
});

test("money that leaves can liquidate too, and a short goes as a long does", () => {
  const floor = holding([STILL, STILL], -10);
  recordTransfer(floor.state, decimalOf("-590"), START + BAR_MS + 2000);
  pass(floor, 1, 3000);
  expect(billsOf(floor.state)).toEqual(["2/2", "1/12", "5/106", "5/111"]);
  expect(floor.state.cash.USDT).toBe("0");
});

test("no tier holds a position at more leverage than its own, and none holds more than the last", () => {
  const floor = floorOf([STILL, STILL]);
  const refused = (sz: string) => {
    try {
      order(floor, START + 1000, { side: "buy", sz });
      return null;
    } catch (error) {
      return (error as PaperRefusal).code;
    }
  };
  pass(floor, 0, 1000);
  floor.state.leverage[instId] = decimalOf("20");
  expect(refused("21")).toBe("51004"); // at most 16.6… in the third tier
  expect(refused("15")).toBeNull();
  floor.state.cash.USDT = decimalOf("1000000");
  floor.state.leverage[instId] = decimalOf("5");
  expect(refused("1000")).toBe("51004");
});

test("what an order loses by closing is no margin for what it opens beyond that", () => {
  const floor = holding([[2000, 2000, 2000, 2000]], -5);
  const now = START + 2 * BAR_MS + 1000;
  pass(floor, 2, 1000); // it has lost 500 of 600
  const refused = (sz: string) => {
    try {
      order(floor, now, { side: "buy", sz, tdMode: "isolated" });
      return null;
    } catch (error) {
      return (error as PaperRefusal).code;
    }
  };
  expect(refused("10")).toBe("51008"); // the other five would stand on a margin of 200
  expect(refused("5")).toBeNull();
  expect(equityOf(floor, now).equity.gt(90)).toBe(true);
});

test("the rule keeps half of what opening needs, tier by tier, rounded up", () => {
  const tiers = tiersByRule({ lot: big(decimalOf("0.01")), maxLeverage: big(75) });
  expect(tiers.slice(0, 2)).toEqual([
    {
      ...tier(1, 0, 1000, 1),
      initial: big(decimalOf("0.0134")),
      maintenance: big(decimalOf("0.0067")),
      maxLeverage: big(75),
    },
    {
      ...{ tier: 2, minSize: big(1000), maxSize: big(2000), initial: big(decimalOf("0.0267")) },
      ...{ maintenance: big(decimalOf("0.0134")), maxLeverage: big(decimalOf("37.5")) },
    },
  ]);
  expect(tierOf(tiers, big(-1001)).tier).toBe(2);
  expect(tierOf(tiers, big(10 ** 9)).tier).toBe(20);
});

const shape = fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 500, max: 1500 }))).map((prices): Shape => {
  const [open, high, low, close] = prices as unknown as Shape;
  return [open, Math.max(open, high, low, close), Math.min(open, high, low, close), close];
});
const trade = fc.record({
  bar: fc.integer({ min: 1, max: 6 }),
  instrument: fc.constantFrom(instId, BTC.id),
  side: fc.constantFrom("buy", "sell"),
  sz: fc.integer({ min: 1, max: 40 }).map(String),
  tdMode: fc.constantFrom("cross", "isolated"),
});
const market = fc.record({
  bars: fc.array(shape, { minLength: 6, maxLength: 6 }),
  others: fc.array(shape, { minLength: 6, maxLength: 6 }),
  trades: fc.array(trade, { minLength: 1, maxLength: 8 }),
});

test("law: whatever the prices do, equity is its bills and what is unrealized, and no position is held without its margin", () => {
  let liquidated = 0;
  fc.assert(
    fc.property(market, ({ bars, others, trades }) => {
      const floor = floorOf([STILL, ...bars], [STILL, ...others]);
      const { state, book } = floor;
      for (let bar = 1; bar <= 6; bar += 1) {
        const now = START + bar * BAR_MS + 1000;
        pass(floor, bar, 1000);
        for (const { instrument, bar: at, ...fields } of trades) {
          if (at !== bar) continue;
          try {
            order(floor, now, { ...fields, instId: instrument });
          } catch (error) {
            if (!(error instanceof PaperRefusal)) throw error;
          }
        }
        pass(floor, bar, 1000);
        const { equity, unrealized } = equityOf(floor, now);
        expect(text(equity)).toBe(
          text(
            sumOf(state.bills.map(({ balChg }) => balChg))
              .plus(600)
              .plus(unrealized),
          ),
        );
        for (const risk of risksOf(floor, (id) => book.touch(id, now)))
          expect(risk.equity.gt(risk.required)).toBe(true);
        expect(equity.gte(0)).toBe(true);
      }
      // Each record is its bills, one by one and in all.
      const results = state.records.flatMap(({ pnl, fee, funding, penalty }) => [pnl, fee, funding, penalty]);
      expect(text(sumOf(results))).toBe(text(sumOf(state.bills.map(({ balChg }) => balChg))));
      expect(
        state.records
          .filter(({ isOpen }) => isOpen)
          .map((record) => record.instId)
          .sort(),
      ).toEqual(state.positions.map((position) => position.instId).sort());
      liquidated += state.fills.filter(({ tradeId }) => tradeId.startsWith("-")).length;
    }),
    { numRuns: 150 },
  );
  expect(liquidated).toBeGreaterThan(20);
});
