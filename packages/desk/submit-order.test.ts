import { expect, test } from "vitest";
import { ACCOUNT, handDesk, START } from "#testing/hand/desk";
import { PRICE } from "#testing/hand/venue";
import type { Arming } from "#trading/arming";
import type { NewOrder } from "#trading/orders/stored-order";
import { DEADLINE_MS } from "#trading/orders/submission";
import type { ProposedOrder } from "#trading/plans/plan";
import { POLICY } from "#trading/plans/policy";
import type { Exchange, Submission, SubmitReply } from "#trading/venue";
import { type Decimal, decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { submitOrder, type Terms } from "./submit-order.ts";

// The sender over the books in memory, against a venue of one page: which reply makes what of an order.

const ETH = "ETH-USDT-SWAP";
const AT = instant(START);
const accepted: SubmitReply = { kind: "accepted", venueOrderId: "v1" };

function stage(replies: readonly SubmitReply[] = [accepted]) {
  const desk = handDesk();
  const { store } = desk;
  const left = [...replies];
  const posted: Submission[] = [];
  desk.exchange.submit = async (order) => {
    posted.push(order);
    return left.shift() ?? { kind: "unknown", reason: "no more replies" };
  };
  const approve = (order: Partial<ProposedOrder> = {}, more: Partial<NewOrder> = {}) =>
    store.insert({
      ...{ ...ACCOUNT, asset: "ETH", instrument: ETH, timeframe: "4h", biasAt: AT, epoch: 1, at: AT, by: "plan-order" },
      ...{ verdict: "approved", codes: [], policySnapshot: { quote: { mark: PRICE } } },
      order: {
        ...{ clientOrderId: "d1", side: "buy", type: "ioc", size: decimalOf("2"), price: decimalOf("51") },
        ...{ reduceOnly: false, stopLoss: decimalOf("48"), riskUsd: decimalOf("1"), signal: null, ...order },
      },
      ...more,
    });
  const id = idOf("order", "d1");
  const send = (terms: Partial<Terms> = {}) =>
    submitOrder(store, desk.exchange, id, AT, "submit-order", { policy: POLICY, ...terms });
  return {
    ...{ ...desk, posted, approve, send, id },
    tighten: (state: "REDUCING" | "HALTED") => store.tighten("demo", { state, reason: "test", actor: "test", at: AT }),
  };
}
const quoted = (over: Partial<Awaited<ReturnType<Exchange["quote"]>>> = {}): Exchange["quote"] => {
  const [bid, ask] = [decimalOf("49.9"), decimalOf("50.1")];
  return async (instrument) => ({ ...{ instrument, bid, ask, mark: PRICE, at: AT }, ...over });
};
/** An order that opens is approved, and the market stands as it did. */
async function approved(replies?: readonly SubmitReply[]) {
  const desk = stage(replies);
  desk.exchange.quote = quoted();
  await desk.approve();
  return desk;
}

test.each<[SubmitReply, string, string | null, boolean]>([
  [accepted, "open", null, false],
  [{ kind: "rejected", code: "51000", reason: "no" }, "rejected", "51000 no", true],
  [{ kind: "flat", code: "51169", reason: "nothing" }, "rejected", "51169 nothing", true],
  [{ kind: "expired", code: "51095" }, "expired", "expired 51095", true],
  [{ kind: "busy", code: "50011" }, "expired", "busy 50011", true],
  [{ kind: "exists" } as SubmitReply, "unknown", "the venue knows the client order id", false],
  [{ kind: "unknown", reason: "no answer" }, "unknown", "no answer", false],
])("a reply %j makes the order %s", async (reply, status, errorMessage, isClosed) => {
  const desk = await approved([reply]);
  const { outcome, order, closed, tripped } = await desk.send();
  expect([outcome, closed, tripped]).toEqual(["posted", isClosed, null]);
  expect(order).toMatchObject({ status, errorMessage });
  expect(await desk.store.order(desk.id)).toEqual(order);
  expect(desk.posted).toMatchObject([
    { clientOrderId: "d1", size: "2", price: "51", expiresAt: instant(START + DEADLINE_MS), stop: { trigger: "48" } },
  ]);
  expect(desk.waited).toEqual([]);
});

test.each([
  ["halt", "HALTED"],
  ["frozen", "REDUCING"],
] as const)("a reply of %s makes the desk %s, by the venue's own words", async (kind, state) => {
  const desk = await approved([{ kind, code: "50114", reason: "who are you" }]);
  const { order, closed, tripped } = await desk.send();
  expect([order.status, closed]).toEqual(["rejected", true]);
  expect(tripped).toMatchObject({ state, reason: "venue: 50114 who are you", actor: "submit-order" });
  expect(await desk.store.control("demo")).toMatchObject({ state });
});

test("what a busy venue did not take is posted again under its deadline, by a sender that can wait, and as often as it may", async () => {
  const busy: SubmitReply = { kind: "busy", code: "50011" };
  const desk = await approved([busy, busy, accepted]);
  expect((await desk.send({ pause: desk.pause })).order.status).toBe("open");
  expect(desk.waited).toEqual([500, 1000]);
  expect(new Set(desk.posted.map(({ expiresAt }) => expiresAt))).toEqual(new Set([instant(START + DEADLINE_MS)]));
  const again = await approved([busy, busy, busy, busy, accepted]);
  expect((await again.send({ pause: again.pause })).order.status).toBe("expired");
  expect(again.posted.length).toBe(4);
});

test("an order is posted once, however often its message comes", async () => {
  const desk = await approved();
  await desk.send();
  const again = await desk.send();
  expect(again).toMatchObject({ outcome: "done", closed: false, tripped: null, order: { status: "open" } });
  expect(desk.posted.length).toBe(1);
  const orderId = idOf("order", "x");
  await expect(submitOrder(desk.store, desk.exchange, orderId, AT, "t", { policy: POLICY })).rejects.toMatchObject({
    ...{ name: "UnknownOrderId", message: `no order ${orderId}`, orderId },
  });
});

test("one that another delivery has claimed is left to the unknown rule", async () => {
  const desk = await approved();
  await desk.store.claim(desk.id, { at: AT, by: "submit-order", expiresAt: instant(START + DEADLINE_MS) });
  const { outcome, order, closed } = await desk.send();
  expect([outcome, order.status, order.errorMessage, closed]).toEqual([
    ...["left", "unknown", "delivered again before a reply was recorded", false],
  ]);
  expect(desk.posted).toEqual([]);
  const late = await approved();
  const claim = late.store.claim;
  Object.assign(late.store, {
    claim: async (id: typeof late.id, asked: Parameters<typeof claim>[1]) => {
      await claim(id, asked);
      return claim(id, asked); // the other delivery was first
    },
  });
  expect(await late.send()).toMatchObject({ outcome: "left", closed: false, order: { status: "submitting" } });
  expect(late.posted).toEqual([]);
});

test("an order that was moved while its POST was under way is as whoever moved it says", async () => {
  const desk = await approved([{ kind: "rejected", code: "51000", reason: "no" }]);
  const { submit } = desk.exchange;
  desk.exchange.submit = async (asked) => {
    const claimed = await desk.store.order(desk.id);
    if (claimed !== null) await desk.store.move(claimed, "accepted", { at: AT, by: "reconcile-orders" });
    return submit(asked);
  };
  expect(await desk.send()).toMatchObject({ outcome: "posted", closed: false, order: { status: "open", version: 3 } });
});

test.each<[string, Partial<Exchange>, string]>([
  ["its stop is passed", { quote: quoted({ mark: decimalOf("48") }) }, "the mark 48 is beyond the stop 48"],
  [
    "the mark went on since the decision",
    { quote: quoted({ mark: decimalOf("51.1") }) },
    "the mark moved from 50 to 51.1, over half the way to the stop",
  ],
  [
    "its price is outside the venue's limit",
    { priceLimit: async () => ({ buy: decimalOf("50.5"), sell: decimalOf("49") }) },
    "its price 51 is outside the venue's limit, 49 to 50.5",
  ],
])("nothing is sent where %s: the order is voided by name", async (_, answers, reason) => {
  const desk = await approved();
  Object.assign(desk.exchange, answers);
  const { outcome, order, closed } = await desk.send();
  expect([outcome, order.status, order.errorMessage, closed]).toEqual(["left", "canceled", `voided: ${reason}`, true]);
  expect(desk.posted).toEqual([]);
});

test("an order is held against the venue's clock, not against this machine's", async () => {
  const desk = await approved();
  desk.pass(120_501);
  desk.exchange.quote = quoted({ at: instant(START + 120_000) });
  expect((await desk.send()).order.errorMessage).toBe("voided: stale: decided 121 s ago");
});

test("what the kill switch holds back is voided, and the venue is asked nothing of it", async () => {
  const desk = await approved();
  await desk.tighten("HALTED");
  const never = () => Promise.reject(new Error("asked"));
  Object.assign(desk.exchange, { quote: never, priceLimit: never, leverage: never, positions: never });
  const { order, closed, tripped } = await desk.send();
  expect([order.errorMessage, closed, tripped]).toEqual([
    ...["voided: trading is HALTED in epoch 2, approved in 1", true, null],
  ]);
});

test("a switch that is tightened between the claim and the POST holds the order back", async () => {
  const desk = await approved();
  const claim = desk.store.claim;
  Object.assign(desk.store, {
    claim: async (...asked: Parameters<typeof claim>) => {
      const claimed = await claim(...asked);
      await desk.tighten("REDUCING");
      return claimed;
    },
  });
  const { outcome, order, closed } = await desk.send();
  expect([outcome, order.status, closed]).toEqual(["done", "canceled", true]);
  expect(order.errorMessage).toBe("voided: trading is REDUCING in epoch 2, approved in 1");
  expect(desk.posted).toEqual([]);
});

test("a leverage that is in use halts before an order that opens, and is not asked of one that closes", async () => {
  const desk = await approved();
  desk.exchange.leverage = async () => decimalOf("20");
  const { order, tripped } = await desk.send();
  expect(tripped).toMatchObject({ state: "HALTED" });
  expect(order).toMatchObject({ status: "canceled", errorMessage: expect.stringContaining("HALTED in epoch 2") });
  const other = await approved();
  Object.assign(other.exchange, { leverage: async () => decimalOf("20"), setLeverage: async () => true });
  expect(await other.send()).toMatchObject({ tripped: null, order: { status: "open" } });
});

const held = async (
  contracts: string | null,
  size: Decimal,
  terms: Partial<Terms> = {},
  type: "market" | "stop" = "market",
) => {
  const desk = stage();
  desk.exchange.leverage = () => Promise.reject(new Error("asked of an order that closes"));
  desk.exchange.quote = () => Promise.reject(new Error("asked of an order that closes"));
  await desk.approve({
    side: "sell",
    type,
    price: type === "stop" ? PRICE : null,
    reduceOnly: true,
    stopLoss: null,
    size,
  });
  desk.trade("BTC-USDT-SWAP", decimalOf("99"), null);
  if (contracts !== null) desk.trade(ETH, decimalOf(contracts), null);
  const { order } = await desk.send(terms);
  return [order.status, order.errorMessage, desk.posted.map((one) => one.size).join()];
};

test("what closes goes by what the venue holds of its instrument, whatever the market says", async () => {
  expect(await held("3", decimalOf("2"))).toEqual(["open", null, "2"]);
  expect(await held("1", decimalOf("2"))).toEqual(["open", null, "1"]);
  expect(await held("-1", decimalOf("2"))).toEqual(["canceled", "voided: nothing is held to reduce", ""]);
  expect(await held(null, decimalOf("2"))).toEqual(["canceled", "voided: nothing is held to reduce", ""]);
  expect(await held("3", decimalOf("2"), {}, "stop")).toEqual(["open", null, "3"]);
  expect(await held("3", decimalOf("2"), { most: decimalOf("2.5") }, "stop")).toEqual(["open", null, "2.5"]);
});

test("in live an order that opens is sent under an arming alone, and within its caps", async () => {
  const live = async (terms: Partial<Terms>, before: (desk: ReturnType<typeof stage>) => unknown = () => {}) => {
    const desk = stage();
    desk.exchange.quote = quoted();
    await desk.approve({}, { mode: "live" });
    const account = { ...ACCOUNT, mode: "live" } as const;
    const run = { account, at: instant(START - 1000), by: "t", policy: POLICY, barSeconds: 300 };
    await desk.store.recordEquity(run, await desk.exchange.balance());
    await before(desk);
    const { order } = await desk.send(terms);
    return order.errorMessage ?? order.status;
  };
  const under = (
    maxNotionalUsd: string,
    isTold: (epoch: number) => boolean = (epoch) => epoch === 1,
  ): Partial<Terms> => {
    const arming = { maxNotionalUsd: decimalOf(maxNotionalUsd), maxDailyLossUsd: decimalOf("10") };
    return { armed: async (epoch) => (isTold(epoch) ? { arming: arming as Arming } : { problem: `epoch ${epoch}` }) };
  };
  expect(await live({})).toBe("voided: this job does not look for an arming");
  expect(await live(under("10"))).toBe("open"); // 2 contracts of 0.1 at 50
  expect(await live(under("9.99"))).toBe("voided: armed for 9.99 USD of positions: 10.00 with this order");
  expect(await live(under("10", () => false))).toBe("voided: epoch 1");
  // What is held besides counts, a short as a long, each by its own contract.
  const short = (desk: ReturnType<typeof stage>) => desk.trade("BTC-USDT-SWAP", decimalOf("-4"), null);
  expect([await live(under("12"), short), await live(under("11.99"), short)]).toEqual([
    ...["open", "voided: armed for 11.99 USD of positions: 12.00 with this order"],
  ]);
  const strange = (desk: ReturnType<typeof stage>) => desk.trade("XRP-USDT-SWAP", decimalOf("1"), null);
  expect(await live(under("99"), strange)).toBe(
    "voided: armed with a cap on what is held, and the worth of XRP-USDT-SWAP is not known",
  );
  const unknown = (desk: ReturnType<typeof stage>) => Object.assign(desk.store, { equity: async () => null });
  expect(await live(under("99"), unknown)).toBe(
    "voided: armed with a cap on the day's loss, and no equity is known yet",
  );
});
