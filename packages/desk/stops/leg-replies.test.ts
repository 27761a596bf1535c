import { expect, test } from "vitest";
import { ACCOUNT, BTC, ETH, handDesk, START } from "#testing/hand/desk";
import type { NewOrder } from "#trading/orders/stored-order";
import { POLICY, type Policy } from "#trading/plans/policy";
import type { OpenPosition } from "#trading/positions/position-row";
import { legId } from "#trading/protection/leg-id";
import type { StopReply, Submission, TakeProfitSubmission, VenueStop } from "#trading/venue";
import { type Decimal, decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { ladderedIn, layLadder, type Shown } from "./lay-ladder.ts";

// What the desk makes of each answer about a take-profit, over the books in memory: the venue is a page.

const d = decimalOf;
const AT = instant(START);
const OPEN: OpenPosition = {
  ...{ id: idOf("position", "p"), instrument: ETH.id, asset: "ETH", openedAt: AT, contracts: d("9") },
  ...{ stopPrice: d("48"), riskConsumed: d("0.01") },
};
const idAt = (trigger: string, attempt = 0) =>
  legId({ account: ACCOUNT, instrument: ETH.id, openedAt: AT, trigger: d(trigger) }, attempt);
const refused = (kind: Exclude<StopReply["kind"], "accepted">, code: string | null = "51000"): StopReply => ({
  ...{ kind, code, reason: "no" },
});

/** Nine contracts of ETH are held at 50 with a stop at 48: legs of three belong at 52 and 54. */
function stage(replies: readonly (StopReply | "lost")[] = []) {
  const desk = handDesk();
  const { exchange } = desk;
  desk.trade(ETH.id, d("9"), null);
  const left = [...replies];
  const legs: VenueStop[] = [];
  const sent: TakeProfitSubmission[] = [];
  const posted: Submission[] = [];
  const waits = (trigger: string, size: string, over: Partial<VenueStop> = {}): void => {
    const form = { isWhole: false, isReduceOnly: true, isMarket: true, triggerBy: "mark", placedAt: AT } as const;
    const at = { instrument: ETH.id, side: "sell", trigger: d(trigger), size: d(size) } as const;
    legs.push({ algoId: `t${trigger}`, stopId: idAt(trigger), ...form, ...at, ...over });
  };
  exchange.takeProfits = async () => [...legs];
  exchange.placeTakeProfit = async (leg) => {
    sent.push(leg);
    const reply = left.shift() ?? { kind: "accepted" };
    if (reply === "lost" || reply.kind === "accepted") waits(leg.trigger, leg.size, { stopId: leg.stopId });
    return reply === "lost" ? refused("exists") : reply;
  };
  exchange.cancelStop = async (_, algoId) => {
    const at = legs.findIndex((leg) => leg.algoId === algoId);
    if (at < 0) return refused("gone");
    legs.splice(at, 1);
    return { kind: "accepted" };
  };
  exchange.resizeStop = async (_, algoId, size) => {
    for (const leg of legs) if (leg.algoId === algoId) Object.assign(leg, { size });
    return { kind: "accepted" };
  };
  exchange.submit = async (order) => {
    posted.push(order);
    return { kind: "accepted", venueOrderId: `x${posted.length}` };
  };
  const rows = async () =>
    (await desk.store.protections(ACCOUNT, instant(0))).toSorted((a, b) => (a.trigger < b.trigger ? -1 : 1));
  const look = async (over: Partial<Shown> = {}, policy: Partial<Policy> = {}, store = desk.store) => {
    const run = { account: ACCOUNT, at: desk.at(), by: "ladder", policy: { ...POLICY, ...policy } };
    const position = (await exchange.positions()).find(({ instrument }) => instrument === ETH.id) ?? null;
    const books = { open: OPEN, known: await rows(), isHalted: async () => false };
    const orders = await desk.store.takeProfits("demo", [OPEN]);
    const [stops, takeProfits] = [await exchange.stops(), await exchange.takeProfits()];
    return layLadder(store, exchange, run, {
      instrument: ETH,
      position,
      stops,
      takeProfits,
      orders,
      ...books,
      ...over,
    });
  };
  return {
    ...{ ...desk, sent, posted, legs, look, rows, waits },
    waiting: () => legs.map(({ side, size, trigger }) => `${side} ${size} at ${trigger}`),
    /** An order by which a leg closes its part, as the books have it. */
    took: async (trigger: string, size: Decimal) => {
      const fresh: NewOrder = {
        ...{ ...ACCOUNT, asset: "ETH", instrument: ETH.id, timeframe: "4h", biasAt: AT, epoch: 1, at: AT, by: "t" },
        ...{ verdict: "approved", codes: [], policySnapshot: null },
        order: {
          ...{ clientOrderId: idAt(trigger), side: "sell", type: "take_profit", size, price: d(trigger) },
          ...{ reduceOnly: true, stopLoss: null, riskUsd: d("0"), signal: null },
        },
      };
      return desk.store.insert(fresh);
    },
  };
}

test("legs are written down at once before the first is sent, and are known to wait by the next look, which asks for nothing", async () => {
  const desk = stage();
  const place = desk.exchange.placeTakeProfit;
  const before: string[] = [];
  desk.exchange.placeTakeProfit = async (leg) => {
    before.push((await desk.rows()).map(({ trigger, status }) => `${trigger} ${status}`).join());
    return place(leg);
  };
  expect(await desk.look()).toBeNull();
  expect(before).toEqual(["52 sending,54 sending", "52 sending,54 sending"]);
  expect(desk.waiting()).toEqual(["sell 3 at 52", "sell 3 at 54"]);
  await desk.look();
  expect(await desk.rows()).toMatchObject([
    { stopId: idAt("52"), kind: "tp", status: "live", episode: OPEN.id },
    { stopId: idAt("54"), status: "live" },
  ]);
  expect(desk.sent.length).toBe(2);
});

test.each<[string, readonly (StopReply | "lost")[], readonly string[], readonly string[]]>([
  ["that nothing is held", [refused("flat")], [idAt("52"), idAt("54")], ["sell 3 at 54"]],
  ["that its id is there, and it waits", ["lost"], [idAt("52"), idAt("54")], ["sell 3 at 52", "sell 3 at 54"]],
  [
    "that its id is used, and none waits",
    [refused("exists")],
    [idAt("52"), idAt("52", 1), idAt("54")],
    ["sell 3 at 52", "sell 3 at 54"],
  ],
  [
    "busy, twice",
    [refused("busy"), refused("busy")],
    [idAt("52"), idAt("52", 1), idAt("52", 2), idAt("54")],
    ["sell 3 at 52", "sell 3 at 54"],
  ],
])(
  "where the venue's answer is %s, a leg stands once or not at all, and the other is laid",
  async (_, replies, ids, there) => {
    const desk = stage(replies);
    expect(await desk.look()).toBeNull();
    expect([desk.sent.map(({ stopId }) => stopId), desk.waiting()]).toEqual([ids, there]);
  },
);

test.each([
  ["rejected", 1],
  ["unknown", 1],
  ["halt", 1],
  ["busy", 3],
  ["exists", 3],
] as const)(
  "a leg that the venue does not take, %s, is told by name after so many tries, and is no other's",
  async (kind, times) => {
    const desk = stage([refused(kind), refused(kind), refused(kind)]);
    await expect(desk.look()).rejects.toMatchObject({
      ...{ name: "LegNotTaken", instrument: ETH.id, act: "place" },
      message: `${ETH.id}: the venue's answer to place a take-profit is ${kind}: 51000 no. The next run tries again; the stop stands as it is.`,
    });
    expect([desk.sent.length, desk.waiting()]).toEqual([times, []]);
    await expect(stage([refused("rejected", null)]).look()).rejects.toThrow("is rejected: no code no.");
  },
);

test("a leg that was refused is written down as failed", async () => {
  const desk = stage([refused("rejected")]);
  await expect(desk.look()).rejects.toThrow();
  expect(await desk.rows()).toMatchObject([{ status: "failed", reason: "51000 no" }, { status: "sending" }]);
});

test("an id that has placed an order is not used again: it is about to be booked", async () => {
  const desk = stage();
  desk.trade(ETH.id, d("-3"), idAt("52"));
  const [position = null] = await desk.exchange.positions();
  await desk.look({ position: position && { ...position, contracts: d("9") } });
  expect(desk.waiting()).toEqual(["sell 3 at 54"]);
});

test("a leg whose price is reached is closed at market now, by its id, and its part once", async () => {
  const desk = stage([refused("passed")]);
  await desk.look();
  expect(desk.posted).toMatchObject([
    { clientOrderId: idAt("52"), side: "sell", size: "3", type: "market", reduceOnly: true },
  ]);
  expect(await desk.store.takeProfits("demo", [OPEN])).toMatchObject([
    { type: "take_profit", price: "52", status: "open", biasAt: AT },
  ]);
  await desk.look();
  expect([desk.posted.length, desk.waiting()]).toEqual([1, ["sell 3 at 54"]]);
});

test.each([
  ["halt", "HALTED"],
  ["frozen", "REDUCING"],
] as const)("a reply of %s to such a close makes the desk %s", async (kind, state) => {
  const desk = stage([refused("passed")]);
  desk.exchange.submit = async () => ({ kind, code: "50114", reason: "who" });
  expect(await desk.look()).toMatchObject({ state, reason: "venue: 50114 who" });
});

test("an order of a leg that a run left is sent, unless the venue has it", async () => {
  const desk = stage();
  await desk.took("52", d("3"));
  await desk.look();
  expect(desk.posted).toMatchObject([{ clientOrderId: idAt("52"), size: "3" }]);
  const other = stage();
  await other.took("52", d("3"));
  other.trade(BTC.id, d("1"), idAt("52")); // it has one of this id
  await other.look();
  expect(other.posted).toEqual([]);
});

test("legs are ended once nothing is held, and left alone where books and venue do not agree", async () => {
  const legs = async (over: Partial<Shown>, policy: Partial<Policy> = {}) => {
    const desk = stage();
    desk.waits("52", "3");
    desk.waits("53", "1", { algoId: "hers", stopId: null });
    desk.waits("52", "1", { algoId: "btc", instrument: BTC.id });
    await desk.look(over, policy);
    return desk.legs.map(({ algoId }) => algoId);
  };
  const all = ["t52", "hers", "btc"];
  const position = { ...(await stage().exchange.positions())[0] } as NonNullable<Shown["position"]>;
  expect(await legs({ open: null, position: null })).toEqual(["hers", "btc"]);
  expect(await legs({ open: null })).toEqual(all);
  expect(await legs({ position: null })).toEqual(all);
  expect(await legs({ position: { ...position, contracts: d("8") } })).toEqual(all);
  const dust = { open: { ...OPEN, contracts: d("0.05") }, position: { ...position, contracts: d("0.05") } };
  expect(await legs(dust)).toEqual(all);
  expect(await legs({ open: { ...OPEN, stopPrice: null } })).toEqual(["hers", "btc"]);
  expect(await legs({}, { takeProfitLegs: 0 })).toEqual(["hers", "btc"]);
});

test("in a halt legs are ended and made smaller, and the switch is asked for nothing else", async () => {
  const halted = async (size: string, isOther: boolean) => {
    const desk = stage();
    desk.waits("52", size);
    desk.waits("54", "3");
    if (isOther) desk.waits("60", "1");
    let asked = 0;
    const isHalted = async () => {
      asked += 1;
      return true;
    };
    await desk.look({ isHalted });
    return [desk.waiting(), asked];
  };
  expect(await halted("5", true)).toEqual([["sell 3 at 52", "sell 3 at 54"], 0]);
  expect(await halted("1", true)).toEqual([["sell 1 at 52", "sell 3 at 54"], 1]);
  expect(await halted("3", false)).toEqual([["sell 3 at 52", "sell 3 at 54"], 0]);
  const none = stage();
  await none.look({ isHalted: async () => true });
  expect(none.sent).toEqual([]);
  const trades = stage();
  trades.waits("52", "1");
  await trades.look();
  expect(trades.waiting()).toEqual(["sell 3 at 52", "sell 3 at 54"]);
});

test.each(["cancelStop", "resizeStop"] as const)(
  "what %s comes to: a leg that fires meanwhile ends the look, and one that is refused is told",
  async (call) => {
    for (const kind of ["gone", "flat", "passed"] as const) {
      const desk = stage();
      desk.waits("52", "5");
      desk.waits("60", "1");
      Object.assign(desk.exchange, { [call]: async () => refused(kind) });
      expect(await desk.look()).toBeNull();
      expect(desk.sent).toEqual([]); // the other leg is laid by the next run
    }
    const desk = stage();
    desk.waits("52", "5");
    desk.waits("60", "1");
    Object.assign(desk.exchange, { [call]: async () => refused("rejected") });
    await expect(desk.look()).rejects.toMatchObject({ act: call === "cancelStop" ? "cancel" : "resize" });
  },
);

test("a leg that the desk ended is written down so; one that is gone is asked for", async () => {
  const desk = stage();
  desk.waits("52", "3");
  desk.waits("54", "3");
  await desk.look();
  desk.legs.splice(1, 1);
  const asked: unknown[] = [];
  desk.exchange.stopFate = async ({ stopId }) => {
    asked.push(stopId);
    return { ...{ state: "effective", algoId: "t54", childOrderId: "v9", reason: null }, placedAt: AT, changedAt: AT };
  };
  await desk.look({ open: null, position: null });
  expect(asked).toEqual([idAt("54")]);
  expect((await desk.rows()).map(({ stopId, status, reason }) => [stopId, status, reason])).toEqual([
    [idAt("52"), "canceled", "by the desk"],
    [idAt("54"), "effective", null],
  ]);
});

test("once a leg has closed its part the stop pays for the way, and stays where one is as near", async () => {
  const moved = async (trigger: string, over: Partial<VenueStop> = {}) => {
    const desk = stage();
    const order = await desk.took("52", d("3"));
    const claimed = await desk.store.claim(order.id, { at: AT, by: "t", expiresAt: AT });
    if (claimed === null) throw new Error("not claimed");
    const change = { exchangeOrderId: "v", filledSize: d("3"), avgFillPrice: d("52") };
    await desk.store.move(claimed, "filled", { at: AT, by: "t", change });
    const form = { isWhole: true, size: null, isReduceOnly: true, isMarket: true, triggerBy: "mark" } as const;
    const at = { instrument: ETH.id, side: "sell", trigger: d(trigger), placedAt: AT } as const;
    desk.stops.push({ algoId: "s", stopId: null, ...form, ...at, ...over });
    // None of these covers it, however near it is.
    const sized = { ...form, ...at, trigger: d("60"), isWhole: false, size: d("1"), stopId: null };
    desk.stops.push({ ...sized, algoId: "btc", instrument: BTC.id });
    desk.stops.push({ ...sized, algoId: "opens", isReduceOnly: false });
    desk.stops.push({ ...sized, algoId: "buys", side: "buy" });
    const moves: unknown[] = [];
    desk.exchange.moveStop = async (_, algoId, to) => {
      moves.push([algoId, to]);
      return { kind: "accepted" };
    };
    const position = { ...(await desk.exchange.positions())[0], contracts: d("6"), markPrice: d("52") };
    const now = { position: position as NonNullable<Shown["position"]>, open: { ...OPEN, contracts: d("6") } };
    await desk.look(now);
    return [moves, desk.waiting()];
  };
  expect(await moved("48")).toEqual([[["s", "50.1"]], ["sell 3 at 54"]]);
  expect(await moved("50.1")).toEqual([[], ["sell 3 at 54"]]);
  expect(await moved("51")).toEqual([[], ["sell 3 at 54"]]);
});

test("an order of another instrument is another's to send, and a leg whose order was refused is laid again", async () => {
  const desk = stage();
  const order = await desk.took("52", d("3"));
  await desk.look({ orders: [{ ...order, instrument: BTC.id }] });
  expect([desk.posted, desk.waiting()]).toEqual([[], ["sell 3 at 52", "sell 3 at 54"]]);
  const refusedOrder = { ...order, status: "rejected" } as const;
  const again = stage();
  await again.look({ orders: [refusedOrder] });
  expect(again.waiting()).toEqual(["sell 3 at 52", "sell 3 at 54"]);
});

test("whether a leg waits goes by its id on its instrument, and one whose next id has placed an order is left", async () => {
  const desk = stage([refused("exists")]);
  desk.waits("52", "1", { algoId: "btc", instrument: BTC.id });
  desk.waits("53", "1", { algoId: "hers", stopId: null });
  await desk.look();
  expect(desk.sent.map(({ stopId }) => stopId)).toEqual([idAt("52"), idAt("52", 1), idAt("54")]);
  const fired = stage([refused("exists")]);
  const { order } = fired.exchange;
  fired.exchange.order = async (instrument, id) =>
    id === idAt("52", 1) ? ({ clientOrderId: id } as Awaited<ReturnType<typeof order>>) : order(instrument, id);
  await fired.look();
  expect(fired.sent.map(({ stopId }) => stopId)).toEqual([idAt("52"), idAt("54")]);
});

test("in a halt a leg is not made larger because another is made smaller", async () => {
  const desk = stage();
  desk.waits("52", "1");
  desk.waits("54", "5");
  await desk.look({ isHalted: async () => true });
  expect(desk.waiting()).toEqual(["sell 1 at 52", "sell 3 at 54"]);
});

test("an instrument is laddered where a leg of this desk waits on it", () => {
  const desk = stage();
  desk.waits("52", "1");
  desk.waits("52", "1", { instrument: BTC.id, stopId: null });
  expect(ladderedIn({ account: ACCOUNT }, desk.legs)).toEqual([ETH.id]);
  expect(ladderedIn({ account: { ...ACCOUNT, mode: "live" } }, desk.legs)).toEqual([]);
});

test("a record that cannot be written keeps every leg back, and is told", async () => {
  const desk = stage();
  const noteProtections = () => Promise.reject(new Error("no books"));
  await expect(desk.look({}, {}, { ...desk.store, noteProtections })).rejects.toThrow("no books");
  expect(desk.sent).toEqual([]);
});
