import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlStore } from "#db/trading/store";
import { type TestDatabase, testDatabase } from "#testing/database";
import { handVenue, PRICE } from "#testing/hand/venue";
import { memoryStore } from "#testing/memory/store";
import { ACCOUNT, BAR, INSTRUMENTS, START, setUp } from "#testing/memory/store-world";
import { clientOrderId } from "#trading/orders/client-order-id";
import { orderIdOf } from "#trading/orders/stored-order";
import { openingFault } from "#trading/plans/lane";
import { POLICY } from "#trading/plans/policy";
import type { TradingStore } from "#trading/store";
import type { VenueFill } from "#trading/venue";
import { big, type Decimal, decimalOf, text } from "#units/decimal";
import { instant } from "#units/time";
import { PartsFailed } from "./attempt.ts";
import { reconcileAccount } from "./reconcile-account.ts";

// The reconciler over both stores of trading, against a venue of one page that does what a test tells it.

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const [BTC, ETH] = ["BTC-USDT-SWAP", "ETH-USDT-SWAP"] as const;
const IDS = INSTRUMENTS.map(({ id }) => id);
type Stage = Awaited<ReturnType<typeof stage>>;

async function stage(kind: "sql" | "memory") {
  const { db } = database;
  const stored = sqlStore(db);
  const around = await setUp(db, stored);
  const store: TradingStore = kind === "sql" ? stored : memoryStore(around).store;
  let now = START;
  const venue = handVenue(() => now);
  const at = () => instant(now);
  const run = () => ({ account: ACCOUNT, at: at(), by: "reconcile-orders", policy: POLICY, barSeconds: BAR });
  const pause = async (ms: number) => {
    now += ms;
  };
  return {
    ...{ store, at, run, ...venue },
    pass: (seconds: number) => pause(seconds * 1000),
    reconcile: (over: Partial<TradingStore> = {}, ids: readonly string[] = IDS) =>
      reconcileAccount({ ...store, ...over }, venue.exchange, run(), ids, pause),
    /** An order of ours that was sent, whatever became of it. */
    sent: async (
      key: string,
      instrument: string,
      side: "buy" | "sell",
      size: string,
      stopLoss: Decimal | null = null,
    ) => {
      await store.insert({
        ...{ ...ACCOUNT, asset: instrument.slice(0, 3), instrument, timeframe: "4h", biasAt: at(), epoch: 1, at: at() },
        ...{ by: "plan-order", verdict: "approved", codes: [], policySnapshot: null },
        order: {
          ...{ clientOrderId: key, side, type: "ioc", size: decimalOf(size), price: PRICE, reduceOnly: false },
          ...{ stopLoss, riskUsd: decimalOf("1"), signal: null },
        },
      });
      await store.claim(orderIdOf(key), { at: at(), by: "submit-order", expiresAt: instant(now + 4000) });
    },
  };
}

/** Holds 2 contracts of each instrument, booked. */
async function holding(kind: "sql" | "memory"): Promise<Stage> {
  const desk = await stage(kind);
  for (const instrument of IDS) {
    await desk.sent(instrument.slice(0, 3), instrument, "buy", "2");
    desk.trade(instrument, decimalOf("2"), instrument.slice(0, 3));
  }
  expect(await desk.reconcile()).toMatchObject({ failures: [], breaks: [], tripped: null });
  return desk;
}

describe.each(["sql", "memory"] as const)("over the store in %s", (kind) => {
  const heldOf = async ({ store }: Stage) =>
    (await store.openPositions(ACCOUNT)).map(({ instrument, contracts }) => [instrument, contracts]);

  test("one instrument's error stops no other, and is named", async () => {
    const desk = await stage(kind);
    for (const instrument of IDS) {
      await desk.sent(instrument.slice(0, 3), instrument, "buy", "2");
      desk.trade(instrument, decimalOf("2"), instrument.slice(0, 3));
    }
    const book: TradingStore["book"] = (run, seen, settle) =>
      seen.instrument === BTC ? Promise.reject(new Error("refused")) : desk.store.book(run, seen, settle);
    const { failures, closed } = await desk.reconcile({ book });
    expect(failures).toMatchObject([{ part: "books", instrument: BTC, error: { message: "refused" } }]);
    expect(new PartsFailed("reconcile-orders", failures).message).toBe(
      `reconcile-orders: books of ${BTC}: refused; all else was done`,
    );
    expect(closed).toMatchObject([{ clientOrderId: "ETH", status: "filled" }]);
    expect(await heldOf(desk)).toEqual([[ETH, "2"]]);
    desk.pass(60);
    expect(await desk.reconcile()).toMatchObject({ failures: [], closed: [{ clientOrderId: "BTC" }] });
    expect(await heldOf(desk)).toEqual([
      [BTC, "2"],
      [ETH, "2"],
    ]);
  });

  test.each(["positions", "balance", "fills", "openOrders"] as const)(
    "a venue that does not tell its %s is asked the rest, and nothing is taken for empty",
    async (question) => {
      const desk = await holding(kind);
      desk.pass(60);
      await desk.sent("more", ETH, "buy", "1");
      desk.trade(ETH, decimalOf("1"), "more");
      const answer = desk.exchange[question];
      Object.assign(desk.exchange, { [question]: () => Promise.reject(new Error("no answer")) });
      const { failures, breaks, tripped, closed } = await desk.reconcile();
      expect(failures).toMatchObject([{ instrument: null, error: { message: "no answer" } }]);
      expect([breaks, tripped]).toEqual([[], null]);
      // Its order is known to be filled, and its fills are asked for by it where the list of all does not come.
      expect(closed).toMatchObject([{ clientOrderId: "more", status: "filled" }]);
      expect(await heldOf(desk)).toEqual([
        [BTC, "2"],
        [ETH, "3"],
      ]);
      Object.assign(desk.exchange, { [question]: answer });
      desk.pass(60);
      expect(await desk.reconcile()).toMatchObject({ failures: [], breaks: [] });
    },
  );

  test("fills give the same position rows in whatever order they arrive", async () => {
    const trades = [
      ["a", "2"],
      ["b", "-2"],
      ["c", "-3"],
      ["d", "3"],
      ["e", "1"],
    ] as const;
    const rowsAfter = async (order: readonly number[]) => {
      const desk = await stage(kind);
      for (const [key, signed] of trades) {
        const side = signed.startsWith("-") ? "sell" : "buy";
        await desk.sent(key, ETH, side, signed.replace("-", ""));
        desk.trade(ETH, decimalOf(signed), key);
        desk.pass(60);
      }
      const all = [...desk.fills];
      const seen: VenueFill[] = [];
      desk.exchange.fills = async () => seen;
      desk.exchange.fillsOf = async () => seen;
      for (const index of order) {
        seen.push(...all.slice(index, index + 1));
        const { failures } = await desk.reconcile();
        expect(failures).toEqual([]);
      }
      const open = await desk.store.openPositions(ACCOUNT);
      return { open, held: await desk.store.held(ACCOUNT, ETH) };
    };
    const first = await rowsAfter([0, 1, 2, 3, 4]);
    expect(first.open).toMatchObject([{ contracts: "1" }]);
    for (const order of [
      [4, 3, 2, 1, 0],
      [1, 0, 4, 2, 3],
      [2, 4, 0, 3, 1],
    ])
      expect(await rowsAfter(order)).toEqual(first);
  });

  test("a quiet account is compared each minute too", async () => {
    const desk = await stage(kind);
    for (const minute of [0, 1, 2]) {
      await desk.reconcile();
      const rows = await desk.store.comparisons(ACCOUNT);
      expect(rows.map(({ comparedAt, agreed }) => [comparedAt, agreed])).toEqual(
        IDS.map(() => [desk.at(), minute + 1]),
      );
      desk.pass(60);
    }
  });

  /** The venue says for the next `reads` reads of its positions that it holds one contract less of ETH, then the truth. */
  const lag = (desk: Stage, reads: number) => {
    const { positions } = desk.exchange;
    let left = reads;
    desk.exchange.positions = async () => {
      const told = await positions();
      if (left-- <= 0) return told;
      return told.map((row) => (row.instrument === ETH ? { ...row, contracts: decimalOf("1") } : row));
    };
  };

  test("F10: a position that the venue shows stale, once or twice, trips nothing", async () => {
    for (const reads of [1, 2]) {
      const desk = await holding(kind);
      desk.pass(60);
      lag(desk, reads);
      expect(await desk.reconcile()).toMatchObject({ breaks: [], tripped: null, failures: [] });
    }
  });

  test("F10: the same difference in three snapshots is a break, and lifts itself after ten that agree, once a day", async () => {
    const desk = await holding(kind);
    desk.pass(60);
    lag(desk, 3);
    const { breaks, tripped } = await desk.reconcile();
    expect(breaks).toEqual([{ instrument: ETH, ours: "2", venue: "1" }]);
    expect(tripped).toMatchObject({ state: "REDUCING", epoch: 2, lifts: [`break:${ETH}`] });
    const states: string[] = [];
    for (let minute = 0; minute < 10; minute++) {
      desk.pass(60);
      states.push((await desk.reconcile()).tripped?.state ?? "-");
    }
    expect(states).toEqual([...Array.from({ length: 9 }, () => "-"), "ACTIVE"]);
    expect(await desk.store.control("demo")).toMatchObject({
      ...{ state: "ACTIVE", epoch: 3, lifts: [], actor: "reconcile-orders" },
      reason: `lifted itself: books and venue agree again (break:${ETH})`,
    });
    expect((await desk.reconcile()).tripped).toMatchObject({ state: "ACTIVE" }); // the same run again says the same
    desk.pass(60);
    lag(desk, 3);
    expect((await desk.reconcile()).tripped).toMatchObject({ state: "REDUCING", lifts: [] });
    for (let minute = 0; minute < 15; minute++) {
      desk.pass(60);
      expect((await desk.reconcile()).tripped).toBeNull();
    }
  });

  test("F10: what came beside a break does not lift with it: a loss, or the word of a person", async () => {
    for (const change of [
      { state: "REDUCING", reason: "daily loss 0.03" },
      { state: "HALTED", reason: "by hand" },
    ] as const) {
      const desk = await holding(kind);
      desk.pass(60);
      lag(desk, 3);
      await desk.reconcile();
      await desk.store.tighten("demo", { ...change, actor: "anna", at: desk.at() });
      for (let minute = 0; minute < 15; minute++) {
        desk.pass(60);
        expect((await desk.reconcile()).tripped).toBeNull();
      }
      expect(await desk.store.control("demo")).toMatchObject({ state: change.state, lifts: [] });
    }
  });

  test("a difference that moves is none: each look begins anew", async () => {
    const desk = await holding(kind);
    const { positions } = desk.exchange;
    let read = 0;
    desk.exchange.positions = async () => {
      read += 1;
      return (await positions()).map((row) => ({ ...row, contracts: decimalOf(String(2 + (read % 2) / 2 + 0.5)) }));
    };
    for (let minute = 0; minute < 4; minute++) {
      desk.pass(60);
      expect(await desk.reconcile()).toMatchObject({ breaks: [], tripped: null });
    }
  });

  test("F7: a liquidation is booked with its cause, and reduces the desk until a person has looked", async () => {
    const desk = await holding(kind);
    desk.pass(60);
    Object.assign(desk.trade(ETH, decimalOf("-2"), null), { tradeId: "-7", cause: "liquidation" });
    // The run ends after the fill is booked and before the switch is tightened: the next one tightens it.
    const tighten = () => Promise.reject(new Error("the machine went away"));
    await expect(desk.reconcile({ tighten })).rejects.toThrow("the machine went away");
    desk.pass(60);
    const { breaks, tripped } = await desk.reconcile();
    expect(breaks).toEqual([]);
    expect(tripped).toMatchObject({
      ...{ state: "REDUCING", lifts: [], reason: `${ETH}: liquidation, sell 2 contracts` },
    });
    expect(await heldOf(desk)).toEqual([[BTC, "2"]]);
    for (let minute = 0; minute < 12; minute++) {
      desk.pass(60);
      expect((await desk.reconcile()).tripped).toBeNull();
    }
    const lane = { ...ACCOUNT, at: desk.at(), asset: "ETH", instrument: ETH, barSeconds: BAR, eventIds: [] };
    const asked = { ...lane, candlesFrom: instant(START), timeframe: "4h" as const, biasAt: desk.at(), earlier: 1 };
    const facts = await desk.store.laneFacts(asked);
    expect(openingFault(facts, desk.at(), POLICY)).toBe("the venue closed some of it by itself within 3600 s");
    expect(openingFault(facts, instant(Date.parse(facts.forcedAt ?? "") + 3_600_000), POLICY)).toMatch(
      /^books and venue/,
    );
  });

  test("F7: a position that was there before the books is adopted: it counts, and a person looks", async () => {
    const desk = await stage(kind);
    desk.trade(ETH, decimalOf("3"), null);
    desk.pass(3600);
    const { breaks, tripped, foreign } = await desk.reconcile();
    expect(breaks).toEqual([]);
    expect(foreign).toMatchObject([{ cause: "adopted", side: "buy", size: "3", price: PRICE }]);
    expect(tripped).toMatchObject({ state: "REDUCING", reason: `${ETH}: adopted, buy 3 contracts`, lifts: [] });
    // Its stop is at the policy's distance from the mark, and stays there when the mark goes on.
    const at = { side: "sell", trigger: text(big(PRICE).times(big(1).minus(POLICY.adoptedStop))), isWhole: true };
    expect(desk.stops).toMatchObject([at]);
    const [was] = desk.held.values();
    if (was !== undefined) desk.held.set(ETH, { ...was, markPrice: text(big(PRICE).times(2)) });
    desk.pass(60);
    expect((await desk.reconcile()).failures).toEqual([]);
    expect(desk.stops).toMatchObject([at]);
    expect(await heldOf(desk)).toEqual([[ETH, "3"]]);
    desk.pass(60);
    desk.trade(ETH, decimalOf("-3"), null);
    expect(await desk.reconcile()).toMatchObject({ breaks: [], tripped: null, foreign: [{ cause: "hand" }] });
    expect(await heldOf(desk)).toEqual([]);
  });

  test("F7: an order of the desk's that its books lost is taken from the venue, and a person looks", async () => {
    const desk = await stage(kind);
    await desk.reconcile();
    desk.pass(60);
    const of = { venue: "paper", instrument: ETH, timeframe: "4h", biasAt: desk.at(), leg: "plan" } as const;
    desk.trade(ETH, decimalOf("3"), clientOrderId({ ...of, mode: "demo" }));
    const { breaks, tripped, foreign } = await desk.reconcile();
    expect(breaks).toEqual([]);
    expect(foreign).toMatchObject([{ cause: "lost", side: "buy", size: "3" }]);
    expect(tripped).toMatchObject({
      ...{ state: "REDUCING", lifts: [] },
      reason: `${ETH}: an order of the desk's that its books do not have, buy 3 contracts`,
    });
    expect(await heldOf(desk)).toEqual([[ETH, "3"]]);
    desk.pass(60);
    desk.trade(ETH, decimalOf("1"), clientOrderId({ ...of, mode: "live" })); // another desk's, so anybody's
    expect((await desk.reconcile()).foreign).toMatchObject([{ cause: "hand", side: "buy" }]);
  });

  test("F7: what others hold elsewhere is theirs", async () => {
    const desk = await holding(kind);
    desk.pass(60);
    desk.trade("XRP-USDT-SWAP", decimalOf("7"), null);
    expect(await desk.reconcile()).toMatchObject({ breaks: [], tripped: null, foreign: [], failures: [] });
  });

  test("F7: an instrument that is taken off the list while it is held is covered, and the desk only reduces", async () => {
    const desk = await holding(kind);
    desk.pass(60);
    const { tripped } = await desk.reconcile({}, [BTC]);
    expect(tripped).toMatchObject({
      ...{ state: "REDUCING", lifts: [], reason: `${ETH}: 2 contracts are held and it is not traded any more` },
    });
    const rows = await desk.store.comparisons(ACCOUNT);
    expect(rows.map(({ instrument, comparedAt }) => [instrument, comparedAt])).toEqual(
      IDS.map((id) => [id, desk.at()]),
    );
  });

  test("F12: no stop is sent for dust: the venue is asked once to close it, and is left alone", async () => {
    const desk = await stage(kind);
    const asked: string[] = [];
    desk.exchange.submit = async ({ type, size }) => {
      asked.push(`${type} ${size}`);
      return { kind: "flat", code: "51132", reason: "less than the least order" };
    };
    await desk.reconcile();
    desk.pass(60);
    await desk.sent("whole", ETH, "buy", "2", decimalOf("60"));
    desk.trade(ETH, decimalOf("2"), "whole");
    desk.trade(ETH, decimalOf("-1.95"), null);
    expect(await desk.reconcile()).toMatchObject({ breaks: [], failures: [] });
    expect(await desk.store.openPositions(ACCOUNT)).toMatchObject([{ contracts: "0.05", stopPrice: "60" }]);
    expect([await desk.store.unclaimed("demo"), await desk.store.ordersAtVenue("demo")]).toEqual([[], []]);
    desk.pass(60);
    expect(await desk.reconcile()).toMatchObject({ breaks: [], failures: [] });
    expect(asked).toEqual(["whole 0.05"]);
    expect((await desk.store.control("demo")).state).toBe("ACTIVE");
  });

  test("an instrument that throws three times in a row is not known any more: reduce only", async () => {
    const desk = await holding(kind);
    const book: TradingStore["book"] = (run, seen, settle) =>
      seen.instrument === BTC ? Promise.reject(new Error("refused")) : desk.store.book(run, seen, settle);
    const tripped: unknown[] = [];
    for (let minute = 0; minute < 3; minute++) {
      desk.pass(60);
      tripped.push((await desk.reconcile({ book })).tripped);
      await desk.reconcile({ book }); // the same run again counts once
    }
    expect(tripped).toMatchObject([null, null, { state: "REDUCING", lifts: [`unseen:${BTC}`] }]);
    expect(await desk.store.control("demo")).toMatchObject({ reason: `${BTC} could not be compared with the venue` });
    for (let minute = 0; minute < 10; minute++) {
      desk.pass(60);
      await desk.reconcile();
    }
    expect((await desk.store.control("demo")).state).toBe("ACTIVE");
  });
});
