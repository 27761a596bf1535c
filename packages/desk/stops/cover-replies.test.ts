import { expect, test } from "vitest";
import { ACCOUNT, BTC, ETH, handDesk, START } from "#testing/hand/desk";
import { PRICE } from "#testing/hand/venue";
import type { StoredOrder } from "#trading/orders/stored-order";
import { POLICY } from "#trading/plans/policy";
import type { OpenPosition } from "#trading/positions/position-row";
import type { Exchange, StopReply, StopSubmission, Submission, VenueOrder, VenueStop } from "#trading/venue";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant } from "#units/time";
import { coverPosition, type Looked } from "./cover-position.ts";

// What the desk makes of each answer about a stop, over the books in memory: the venue is a page, and says what a test tells it.

const d = decimalOf;
const AT = instant(START);
const OPEN: OpenPosition = {
  ...{ id: idOf("position", "p"), instrument: ETH.id, asset: "ETH", openedAt: AT, contracts: d("2") },
  ...{ stopPrice: d("48"), riskConsumed: d("0.01") },
};
const refused = (kind: Exclude<StopReply["kind"], "accepted">, over: { onlySized?: true } = {}): StopReply => ({
  ...{ kind, code: "51000", reason: "no", ...over },
});

/** Two contracts of ETH are held, by books and venue, with a stop at 48; nothing waits at the venue. */
function stage(replies: readonly (StopReply | "lost")[] = []) {
  const desk = handDesk();
  const { exchange, stops } = desk;
  desk.trade(ETH.id, d("2"), null);
  const left = [...replies];
  const sent: StopSubmission[] = [];
  const posted: Submission[] = [];
  const place = exchange.placeStop;
  exchange.placeStop = async (stop) => {
    sent.push(stop);
    const reply = left.shift() ?? { kind: "accepted" };
    if (reply !== "lost" && reply.kind !== "accepted") return reply;
    await place(stop);
    const last = stops.at(-1);
    if (last !== undefined && stop.size !== undefined) Object.assign(last, { isWhole: false, size: stop.size });
    return reply === "lost" ? refused("unknown") : reply;
  };
  exchange.submit = async (order) => {
    posted.push(order);
    return { kind: "accepted", venueOrderId: `x${posted.length}` };
  };
  const rows = () => desk.store.protections(ACCOUNT, instant(0));
  const look = async (over: Partial<Looked> = {}, store = desk.store) => {
    const run = { account: ACCOUNT, at: desk.at(), by: "cover", policy: POLICY, barSeconds: 300 };
    const position = (await exchange.positions()).find(({ instrument }) => instrument === ETH.id) ?? null;
    const books = { open: OPEN, held: d("2"), orders: [], known: await rows(), isDesks: true };
    const looked = { instrument: ETH, position, stops: await exchange.stops(), ...books, ...over };
    return coverPosition(store, exchange, run, looked);
  };
  return {
    ...{ ...desk, sent, posted, look, rows },
    /** A stop that waits, of the whole position unless it has a size. */
    waits: (algoId: string, over: Partial<VenueStop> = {}) => {
      const whole = { isWhole: over.size === undefined, size: null, isReduceOnly: true, isMarket: true } as const;
      const at = { instrument: ETH.id, side: "sell", trigger: d("48"), triggerBy: "mark", placedAt: AT } as const;
      stops.push({ algoId, stopId: null, ...whole, ...at, ...over });
    },
    waiting: () => stops.map(({ side, size, trigger }) => `${side} ${size ?? "whole"} at ${trigger}`),
  };
}

test("a stop is written down before it is sent, and known to wait by the next look, which asks for nothing", async () => {
  const desk = stage();
  const place = desk.exchange.placeStop;
  let before: unknown;
  desk.exchange.placeStop = async (stop) => {
    before = await desk.rows();
    return place(stop);
  };
  let asked = 0;
  const { positions } = desk.exchange;
  desk.exchange.positions = async () => {
    asked += 1;
    return positions();
  };
  expect(await desk.look()).toBeNull();
  expect(asked).toBe(1); // by the test: who ends no stop does not ask again
  expect(before).toMatchObject([{ stopId: desk.sent[0]?.stopId, status: "sending", side: "sell", trigger: "48" }]);
  expect(desk.waiting()).toEqual(["sell whole at 48"]);
  await desk.look();
  expect(await desk.rows()).toMatchObject([{ status: "live", algoId: "a0", exposedAt: AT, episode: OPEN.id }]);
  expect([desk.sent.length, desk.posted]).toEqual([1, []]);
});

test.each<[string, readonly (StopReply | "lost")[], number, readonly string[]]>([
  ["busy, twice", [refused("busy"), refused("busy")], 3, ["sell whole at 48"]],
  ["none, and it is there", ["lost"], 1, ["sell whole at 48"]],
  ["none, and it is not there", [refused("unknown")], 2, ["sell whole at 48"]],
  ["that its id is used, and none waits", [refused("exists")], 2, ["sell whole at 48"]],
  ["that nothing is held", [refused("flat")], 1, []],
])(
  "where the venue's answer is %s, the stop is sent again or there, and never twice",
  async (_, replies, times, there) => {
    const desk = stage(replies);
    desk.waits("btc", { instrument: BTC.id });
    desk.waits("hers", { size: d("1"), trigger: d("1") });
    const place = desk.exchange.placeStop;
    const written: boolean[] = [];
    desk.exchange.placeStop = async (stop) => {
      written.push((await desk.rows()).some(({ stopId }) => stopId === stop.stopId));
      return place(stop);
    };
    await desk.look();
    expect(written.every(Boolean)).toBe(true);
    desk.stops.splice(0, 2);
    expect([desk.sent.length, desk.waiting()]).toEqual([times, there]);
    const isNew = replies[0] !== "lost" && replies[0]?.kind === "exists"; // an id that is used is not sent again
    expect(new Set(desk.sent.map(({ stopId }) => stopId)).size).toBe(isNew ? 2 : 1);
  },
);

test("another stop of the whole position that waits is as good: the next look mends it", async () => {
  const desk = stage([refused("exists")]);
  const { stops } = desk.exchange;
  let asked = 0;
  desk.exchange.stops = async () => {
    asked += 1;
    if (asked === 2) desk.waits("other", { trigger: d("47") });
    return stops();
  };
  await desk.look();
  expect([desk.sent.length, desk.waiting()]).toEqual([1, ["sell whole at 47"]]);
  expect(await desk.rows()).toMatchObject([{ status: "failed", reason: "51000 no" }]);
  // One that is refused is refused, whatever else has come meanwhile.
  const other = stage([refused("rejected")]);
  const place = other.exchange.placeStop;
  other.exchange.placeStop = async (stop) => {
    other.waits("other", { trigger: d("47") });
    return place(stop);
  };
  await expect(other.look()).rejects.toThrow("is rejected");
});

test("a stop that is there by the id that it was sent under has not failed", async () => {
  const desk = stage();
  desk.exchange.placeStop = async ({ stopId }) => {
    desk.waits("a", { stopId });
    return refused("exists");
  };
  await desk.look();
  expect(await desk.rows()).toMatchObject([{ status: "sending" }]);
});

test.each([
  ["rejected", 1, "failed"],
  ["busy", 3, "wanted"],
  ["unknown", 3, "sending"],
] as const)(
  "a stop that the venue does not take, %s, is told by name, and tried again by the next look",
  async (kind, times, status) => {
    const desk = stage([refused(kind), refused(kind), refused(kind)]);
    await expect(desk.look()).rejects.toThrow(
      `${ETH.id}: the venue's answer to place a stop is ${kind}: 51000 no. The next look tries again; meanwhile the desk watches the stop itself, once a minute.`,
    );
    expect([desk.sent.length, desk.waiting(), desk.posted]).toEqual([times, [], []]);
    expect(await desk.rows()).toMatchObject([{ status, reason: status === "sending" ? null : "51000 no" }]);
    const after = stage();
    after.exchange.placeStop = async () => ({ kind: "rejected", code: null, reason: "no" });
    await expect(after.look()).rejects.toMatchObject({ name: "StopNotTaken", instrument: ETH.id, act: "place" });
    await expect(after.look()).rejects.toThrow("is rejected: no code no.");
  },
);

test.each([
  ["halt", "HALTED"],
  ["frozen", "REDUCING"],
] as const)("a reply of %s makes the desk %s", async (kind, state) => {
  const desk = stage([refused(kind)]);
  await expect(desk.look()).rejects.toThrow(`is ${kind}: 51000 no`);
  expect(await desk.store.control("demo")).toMatchObject({ state, reason: "venue: 51000 no", actor: "cover" });
});

test("what is held without any stop for too long is closed once one is refused, and not before", async () => {
  const limit = POLICY.maxUncoveredSeconds * 1000;
  const early = stage([refused("rejected")]);
  early.pass(limit - 1);
  await expect(early.look()).rejects.toThrow("is rejected");
  expect(early.posted).toEqual([]);
  const late = stage([refused("rejected")]);
  late.pass(limit);
  expect(await late.look()).toBeNull();
  expect(late.posted).toMatchObject([{ side: "sell", size: "2", reduceOnly: true, type: "market" }]);
  for (const kind of ["busy", "unknown", "exists"] as const) {
    const untaken = stage([refused(kind), refused(kind), refused(kind)]);
    untaken.pass(limit);
    await untaken.look();
    expect(untaken.posted.length).toBe(1);
  }
  // Nothing more is sent of what was to cover it.
  const parts = stage([refused("rejected")]);
  parts.exchange.stopLimit = async () => d("1.5");
  parts.pass(limit);
  await parts.look();
  expect([parts.sent.length, parts.posted.length]).toEqual([1, 1]);
  // One of a size on its side covers some of it; one of another instrument or side covers nothing.
  const some = stage([refused("rejected")]);
  some.pass(limit);
  some.waits("part", { size: d("1") });
  await expect(some.look()).rejects.toThrow("is rejected");
  expect(some.posted).toEqual([]);
  const none = stage([refused("rejected")]);
  none.pass(limit);
  none.waits("btc", { instrument: BTC.id });
  none.waits("buys", { side: "buy", size: d("1") });
  await none.look();
  expect(none.posted.length).toBe(1);
});

test("what its stop's price has reached is closed at market at once", async () => {
  const passed = stage([refused("passed")]);
  await passed.look();
  expect(passed.posted).toMatchObject([{ instrument: ETH.id, side: "sell", size: "2", reduceOnly: true }]);
  const first = stage([refused("passed")]);
  first.exchange.stopLimit = async () => d("1.5");
  await first.look();
  expect([first.sent.length, first.posted.length]).toEqual([2, 1]); // the other part may cover what is left
  // Where neither position nor books say it, the mark is the quote's and the position began with the look.
  const unseen = stage([refused("passed")]);
  unseen.pass(1000);
  await unseen.look({ position: undefined, open: null, orders: [{ order: order({}), found: null }] });
  const [made] = [...unseen.books.orders.values()];
  expect(made).toMatchObject({ type: "stop", size: "2", price: "47", biasAt: unseen.at() });
  const [birth] = unseen.books.events.get(made?.id ?? idOf("order", "")) ?? [];
  expect(birth?.detail).toMatchObject({ mark: "50" });
  const beyond = stage();
  await beyond.look({ open: { ...OPEN, stopPrice: PRICE } }); // the mark
  expect([beyond.sent, beyond.posted.length]).toEqual([[], 1]);
});

test("what a stop was triggered for in vain is closed, a short as a long, where the venue shows that it is held", async () => {
  const vain = async (contracts: string, side: "buy" | "sell", isShown = true) => {
    const desk = stage();
    desk.held.clear();
    desk.trade(ETH.id, d(contracts), null);
    const held = { open: { ...OPEN, contracts: d(contracts), stopPrice: d(side === "buy" ? "53" : "48") } };
    await desk.look({ ...held, held: d(contracts) });
    await desk.look({ ...held, held: d(contracts) });
    desk.stops.splice(0);
    desk.exchange.stopFate = async ({ algoId }) => ({
      ...{ state: "failed", algoId: algoId ?? "", childOrderId: null, reason: "51000", placedAt: AT },
      changedAt: instant(START + 1000),
    });
    desk.pass(1000);
    await desk.look({ ...held, held: d(contracts), ...(isShown ? {} : { position: null }) });
    return [desk.sent.length, desk.posted.map((order) => `${order.side} ${order.size}`)];
  };
  expect(await vain("2", "sell")).toEqual([1, ["sell 2"]]);
  expect(await vain("-2", "buy")).toEqual([1, ["buy 2"]]);
  expect(await vain("2", "sell", false)).toEqual([2, []]); // the books may be behind: it is covered
});

test("what the venue's reply to such a close makes of the switch is told", async () => {
  const desk = stage([refused("passed")]);
  desk.exchange.submit = async () => ({ kind: "halt", code: "50114", reason: "who" });
  expect(await desk.look()).toMatchObject({ state: "HALTED", reason: "venue: 50114 who" });
  const sized = stage([refused("rejected", { onlySized: true }), refused("passed")]);
  sized.exchange.submit = async () => ({ kind: "frozen", code: "50114", reason: "who" });
  expect(await sized.look()).toMatchObject({ state: "REDUCING" });
});

test("a short's stop buys", async () => {
  const desk = stage();
  desk.held.clear();
  desk.trade(ETH.id, d("-2"), null);
  await desk.look({ open: { ...OPEN, contracts: d("-2"), stopPrice: d("53") }, held: d("-2") });
  expect(desk.waiting()).toEqual(["buy whole at 53"]);
});

test("what nobody set a stop for has the policy's, where the desk trades", async () => {
  const desk = stage();
  await desk.look({ open: null, isDesks: false });
  expect(desk.waiting()).toEqual([]);
  await desk.look({ open: null, held: d("0") });
  expect(desk.waiting()).toEqual([`sell whole at ${(50 * (1 - Number(POLICY.adoptedStop))).toString()}`]);
  const short = stage();
  short.held.clear();
  short.trade(ETH.id, d("-2"), null);
  await short.look({ open: null, held: d("0") });
  expect(short.waiting()).toEqual([`buy whole at ${(50 * (1 + Number(POLICY.adoptedStop))).toString()}`]);
  const none = stage();
  await none.look({ open: null, isDesks: false, secured: d("49") });
  expect(none.waiting()).toEqual([]);
});

const order = (over: Partial<StoredOrder>): StoredOrder => ({
  ...({ id: idOf("order", "o"), clientOrderId: "o", instrument: ETH.id, side: "buy", size: d("3") } as StoredOrder),
  ...{ reduceOnly: false, stopLoss: d("47"), filledSize: d("0"), ...over },
});
const found = (filledSize: string, updatedAt: Instant = AT): VenueOrder => ({
  ...{ clientOrderId: "o", venueOrderId: "v", instrument: ETH.id, side: "buy", state: "open", size: d("3") },
  ...{ filledSize: d(filledSize), averagePrice: PRICE, updatedAt },
});

test("the stop is where the newest order that fills it set it; one that reduces, or of the other side, sets none", async () => {
  const at = async (orders: Looked["orders"], over: Partial<Looked> = {}) => {
    const desk = stage();
    await desk.look({ orders, ...over });
    return desk.waiting();
  };
  const older = { order: order({ stopLoss: d("46") }), found: found("1") };
  expect(await at([older, { order: order({}), found: found("1") }])).toEqual(["sell whole at 47"]);
  expect(await at([older, { order: order({ stopLoss: null }), found: found("1") }])).toEqual(["sell whole at 46"]);
  expect(await at([{ order: order({}), found: found("0") }])).toEqual(["sell whole at 48"]);
  expect(await at([{ order: order({}), found: null }], { open: null })).toEqual(["sell whole at 47"]);
  expect(await at([{ order: order({ reduceOnly: true }), found: found("1") }])).toEqual(["sell whole at 48"]);
  expect(await at([{ order: order({ side: "sell" }), found: found("1") }])).toEqual(["sell whole at 48"]);
  expect(await at([{ order: order({ instrument: BTC.id }), found: found("1") }])).toEqual(["sell whole at 48"]);
  // An order that nobody has booked shows what the venue's position does not yet.
  const fresh = { position: null, open: null, held: d("0") } as const;
  expect(await at([{ order: order({}), found: found("1") }], fresh)).toEqual(["sell whole at 47"]);
});

test("once a part has paid, the stop is as near as that says, and nearer where the order's own is", async () => {
  const desk = stage();
  await desk.look({ secured: d("49.9") });
  expect(desk.waiting()).toEqual(["sell whole at 49.9"]);
  const other = stage();
  await other.look({ secured: d("47.9") });
  expect(other.waiting()).toEqual(["sell whole at 48"]);
});

test("a stop moves by its venue's id, and one that has fired meanwhile is no failure", async () => {
  const moved: unknown[] = [];
  const desk = stage();
  desk.waits("far", { trigger: d("40") });
  const noted: unknown[] = [];
  desk.exchange.moveStop = async (...asked) => {
    moved.push(asked);
    noted.push(...(await desk.rows()).map(({ status, trigger }) => `${status} ${trigger}`));
    return moved.length === 1 ? { kind: "accepted" } : refused("gone");
  };
  await desk.look();
  await desk.look();
  expect(moved).toEqual(Array.from({ length: 2 }, () => [ETH.id, "far", "48"]));
  expect([desk.sent, desk.posted]).toEqual([[], []]);
  expect(noted).toEqual(["sending 48", "sending 48"]); // before it is moved
  desk.exchange.moveStop = async () => refused("rejected");
  await expect(desk.look()).rejects.toMatchObject({ act: "amend" });
});

test("what is more than one stop may close is covered by parts, each of at most one market order", async () => {
  const desk = stage();
  desk.exchange.stopLimit = async () => d("1.5");
  await desk.look();
  expect(desk.waiting().sort()).toEqual(["sell 0.5 at 48", "sell 1.5 at 48"]);
  expect(new Set(desk.sent.map(({ stopId }) => stopId)).size).toBe(2);
  expect(await desk.rows()).toEqual([]); // they are written down once they are seen to wait
  await desk.look();
  expect((await desk.rows()).map(({ status, size }) => `${status} ${size}`).sort()).toEqual(["live 0.5", "live 1.5"]);
  desk.waits("hers", { size: d("5") });
  await desk.look(); // a person's is no part of it
  expect(desk.waiting().sort()).toEqual(["sell 0.5 at 48", "sell 1.5 at 48", "sell 5 at 48"]);
  const whole = stage();
  whole.exchange.stopLimit = async () => d("1.5");
  whole.waits("whole");
  await whole.look(); // parts do not stand beside one of the whole position
  expect(whole.waiting().sort()).toEqual(["sell 0.5 at 48", "sell 1.5 at 48"]);
  const bound = stage();
  bound.exchange.marketLimit = async () => d("1");
  await bound.look();
  expect(bound.waiting()).toEqual(["sell 1 at 48", "sell 1 at 48"]);
  const less = stage();
  less.exchange.stopLimit = async () => d("1.5");
  less.exchange.marketLimit = async () => d("1");
  await less.look();
  expect(less.waiting()).toEqual(["sell 1 at 48", "sell 1 at 48"]);
  const more = stage();
  more.exchange.stopLimit = async () => d("1.5");
  more.exchange.marketLimit = async () => d("1.6");
  await more.look();
  expect(more.waiting().sort()).toEqual(["sell 0.5 at 48", "sell 1.5 at 48"]);
  const enough = stage();
  enough.exchange.stopLimit = async () => d("2");
  await enough.look();
  expect(enough.waiting()).toEqual(["sell whole at 48"]);
});

test.each<[string, readonly (StopReply | "lost")[], number]>([
  ["busy", [refused("busy"), refused("busy")], 4],
  ["none", ["lost", refused("exists")], 3],
])("a part is sent again where the venue's answer is %s, under its id", async (_, replies, times) => {
  const desk = stage(replies);
  desk.exchange.stopLimit = async () => d("1.5");
  await desk.look();
  expect([desk.sent.length, desk.waiting().sort()]).toEqual([times, ["sell 0.5 at 48", "sell 1.5 at 48"]]);
  expect(new Set(desk.sent.map(({ stopId }) => stopId)).size).toBe(2);
});

test("a part that is refused is told, after so many tries", async () => {
  for (const [kind, times] of [
    ["rejected", 1],
    ["busy", 3],
  ] as const) {
    const desk = stage([refused(kind), refused(kind), refused(kind)]);
    desk.exchange.stopLimit = async () => d("1.5");
    await expect(desk.look()).rejects.toThrow(`place a stop is ${kind}`);
    expect(desk.sent.length).toBe(times);
  }
});

test("where the venue takes no stop of the whole position, parts cover it", async () => {
  const desk = stage([refused("rejected", { onlySized: true })]);
  await desk.look();
  expect(desk.waiting()).toEqual(["sell 2 at 48"]);
});

test("a part is made smaller by the venue's id of it", async () => {
  const desk = stage();
  desk.exchange.stopLimit = async () => d("1.5");
  await desk.look();
  const resized: unknown[] = [];
  desk.exchange.resizeStop = async (...asked) => {
    resized.push(asked);
    return { kind: "accepted" };
  };
  const [position] = await desk.exchange.positions();
  if (position === undefined) throw new Error("nothing is held");
  await desk.look({ position: { ...position, contracts: d("1.8") }, held: d("1.8") });
  expect(resized).toMatchObject([[ETH.id, expect.stringMatching(/^a/), "0.3"]]);
});

test("a stop is ended where nothing is held for certain, and only then", async () => {
  const flat = { position: null, open: null, held: d("0") };
  const desk = stage();
  desk.waits("left");
  desk.held.clear();
  await desk.look({ ...flat, orders: [{ order: order({}), found: null }] }); // it may fill yet
  await desk.look({ ...flat, position: undefined }); // the venue did not answer
  expect(desk.waiting().length).toBe(1);
  desk.trade(ETH.id, d("2"), null);
  await desk.look(flat); // what was seen is old: two contracts are held by now
  expect(desk.waiting().length).toBe(1);
  desk.held.clear();
  desk.trade(BTC.id, d("1"), null);
  desk.exchange.stopLimit = () => Promise.reject(new Error("asked for nothing"));
  await desk.look({ ...flat, orders: [{ order: order({ reduceOnly: true }), found: null }] });
  expect(desk.waiting()).toEqual([]);
  expect(await desk.rows()).toMatchObject([{ stopId: "left", status: "canceled", reason: "by the desk" }]);
});

test("where another side is held by now, what waits is left and what is missing is placed all the same", async () => {
  const desk = stage();
  desk.waits("wrong", { side: "buy" });
  const looked = (await desk.exchange.positions()).find(({ instrument }) => instrument === ETH.id) ?? null;
  desk.held.clear();
  await desk.look({ position: looked });
  expect(desk.waiting()).toEqual(["buy whole at 48", "sell whole at 48"]);
});

test("one that was sent and never seen is asked for once nothing is held", async () => {
  const desk = stage([refused("unknown"), refused("unknown"), refused("unknown")]);
  await expect(desk.look()).rejects.toThrow("is unknown");
  expect(await desk.rows()).toMatchObject([{ status: "sending" }]);
  desk.held.clear();
  await desk.look({ open: null, held: d("0") });
  expect(await desk.rows()).toMatchObject([{ status: "gone" }]);
});

test("no stop is ended while the venue does not say what is held, and that is told", async () => {
  const desk = stage();
  desk.waits("left");
  desk.held.clear();
  desk.exchange.positions = () => Promise.reject(new Error("no answer"));
  const flat = { position: null, open: null, held: d("0"), stops: await desk.exchange.stops() };
  const { store, exchange } = desk;
  const run = { account: ACCOUNT, at: AT, by: "cover", policy: POLICY, barSeconds: 300 };
  const looked = { instrument: ETH, ...flat, orders: [], known: [], isDesks: true };
  await expect(coverPosition(store, exchange, run, looked)).rejects.toThrow("no answer");
  expect(desk.waiting().length).toBe(1);
});

test("dust is left alone: no order can close it", async () => {
  const desk = stage();
  desk.held.clear();
  desk.trade(ETH.id, d("0.05"), null);
  expect(await desk.look({ held: d("0.05") })).toBeNull();
  expect(desk.sent).toEqual([]);
});

test("a record that cannot be written keeps no stop from being sent, and is told", async () => {
  const desk = stage();
  const noteProtections = () => Promise.reject(new Error("no books"));
  await expect(desk.look({}, { ...desk.store, noteProtections })).rejects.toThrow("no books");
  expect(desk.waiting()).toEqual(["sell whole at 48"]);
  const both = stage([refused("rejected")]);
  await expect(both.look({}, { ...both.store, noteProtections })).rejects.toThrow(
    /^cover-position: record of the stops of ETH-USDT-SWAP: no books; stop of ETH-USDT-SWAP: .* all else was done$/,
  );
});

test("since when something is without a stop is told from whatever showed it first", async () => {
  const since = async (over: Partial<Looked>) => {
    const desk = stage();
    desk.pass(60_000);
    await desk.look(over);
    return (await desk.rows()).map(({ exposedAt }) => exposedAt);
  };
  const [early, late] = [instant(START + 10_000), instant(START + 20_000)];
  expect(await since({ open: { ...OPEN, openedAt: instant(START - 5000) } })).toEqual([instant(START - 5000)]);
  // What the books hold is of the other side: it began with the first order that filled, or with the venue's position.
  const other = { ...OPEN, contracts: d("-2"), openedAt: instant(START - 1000) };
  const filled = (at: Instant) => ({ order: order({ filledSize: d("1") }), found: found("1", at) });
  const elsewhere = { order: order({ instrument: BTC.id }), found: found("1", instant(START + 1)) };
  expect(await since({ open: other, orders: [elsewhere, filled(late), filled(early)] })).toEqual([early]);
  expect(await since({ open: null, orders: [{ order: order({}), found: found("0", late) }] })).toEqual([AT]);
  expect(await since({ open: other, position: undefined })).toEqual([instant(START + 60_000)]);
});

test("a venue that does not say how much one stop may close is asked for one of the whole position all the same", async () => {
  const desk = stage();
  Object.assign(desk.exchange, { stopLimit: () => Promise.reject(new Error("no answer")) } satisfies Partial<Exchange>);
  await expect(desk.look()).rejects.toThrow("no answer");
  expect(desk.waiting()).toEqual(["sell whole at 48"]);
});
