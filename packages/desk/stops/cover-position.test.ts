import { expect, test } from "vitest";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { type PaperDesk, type PaperDeskOptions, paperDesk } from "#testing/paper-desk";
import { big, decimalOf, text } from "#units/decimal";

// What stands at the paper venue for a position, through the desk's own use cases. Take-profits are off here.

const tests = deskTests();
async function open(options: PaperDeskOptions = {}): Promise<PaperDesk> {
  const desk = await paperDesk(tests.db, { policy: { takeProfitLegs: 0 }, ...options });
  tests.closeAfter(desk.close);
  return desk;
}

/** What waits, as "sell 100 at 994 by mark", "whole" for a size, "opens" where it could. */
const waiting = async (desk: PaperDesk): Promise<string[]> =>
  (await desk.exchange.stops())
    .map(
      (stop) =>
        `${stop.side} ${stop.size ?? "whole"} at ${stop.trigger} by ${stop.triggerBy}${stop.isReduceOnly ? "" : " opens"}`,
    )
    .sort();

test("a position larger than one stop may close is covered by parts at once; they fire together and all of it is ours", async () => {
  const desk = await open({ row: { maxStopSz: "100" }, after: (bar) => (bar < 4 ? 1000 : 900) });
  const id = await desk.trade("0.8");
  expect(await desk.cover(id)).toEqual({ tripped: null, failures: [] });
  const parts = ["sell 100 at 994 by mark", "sell 100 at 994 by mark", "sell 50 at 994 by mark"];
  expect(await waiting(desk)).toEqual(parts);
  await desk.reconcile();
  await desk.minutes(3);
  expect(await waiting(desk)).toEqual(parts);
  desk.pass(35);
  expect(await desk.reconcile()).toMatchObject({ breaks: [], foreign: [], tripped: null, failures: [] });
  expect(await desk.positions()).toMatchObject([{ contracts: "0" }]);
  const stops = (await desk.orders()).filter(({ orderType }) => orderType === "stop");
  expect(stops.map(({ size, status }) => `${size} ${status}`).sort()).toEqual([
    "100 filled",
    "100 filled",
    "50 filled",
  ]);
  expect(await waiting(desk)).toEqual([]);
});

test("a part closes no more than one market order may, which is what it places", async () => {
  const desk = await open({ row: { maxStopSz: "100", maxMktSz: "60" } });
  await desk.cover(await desk.trade("0.8"));
  const parts = Array.from({ length: 4 }, () => "sell 60 at 994 by mark");
  expect(await waiting(desk)).toEqual(["sell 10 at 994 by mark", ...parts]);
});

test("where the venue does not show the position yet, its stop is placed and the spare one is ended by a later look", async () => {
  const desk = await open();
  const id = await desk.trade("0.8");
  const { positions } = desk.exchange;
  desk.exchange.positions = async () => [];
  expect(await desk.cover(id)).toEqual({ tripped: null, failures: [] });
  expect(await waiting(desk)).toEqual(["sell 250 at 994 by mark opens", "sell whole at 994 by mark"]);
  desk.exchange.positions = positions;
  expect(await desk.cover(id)).toEqual({ tripped: null, failures: [] });
  expect(await waiting(desk)).toEqual(["sell whole at 994 by mark"]);
});

/** Another client of the account trades on the desk's instrument. */
async function byHand(desk: PaperDesk, side: "buy" | "sell", size: string): Promise<void> {
  const order = { instrument: ETH_SWAP.id, side, type: "market", price: null, reduceOnly: false } as const;
  await desk.exchange.submit({ ...order, size: decimalOf(size), clientOrderId: `byhand${size}`, expiresAt: desk.at() });
  await desk.minutes(1);
}

test("parts follow the position: beside the old ones when it grows, smaller when it shrinks", async () => {
  const desk = await open({ row: { maxStopSz: "100" } });
  await desk.cover(await desk.trade("0.8"));
  await desk.reconcile();
  await byHand(desk, "buy", "70");
  const sizes = async () => (await desk.exchange.stops()).map(({ size }) => Number(size)).sort((a, b) => b - a);
  expect(await sizes()).toEqual([100, 100, 70, 50]);
  await byHand(desk, "sell", "230");
  await desk.minutes(1); // until the books know it too, the larger of the two is covered
  const left = await sizes();
  expect([left.reduce((sum, size) => sum + size, 0), left.every((size) => size <= 100)]).toEqual([90, true]);
});

test.each(["51332", "51275"])(
  "parts cover what the venue takes no stop of the whole position for: %s",
  async (code) => {
    const desk = await open();
    const id = await desk.trade("0.8");
    desk.venue.faults.set({ path: "trade/order-algo", method: "POST", act: { kind: "code", code } });
    expect(await desk.cover(id)).toEqual({ tripped: null, failures: [] });
    expect(await waiting(desk)).toEqual(["sell 250 at 994 by mark"]);
    // The next runs ask for no stop of the whole position again, and nothing was halted for it.
    const before = desk.venue.state().algos.length;
    await desk.reconcile();
    await desk.minutes(2);
    expect([desk.venue.state().algos.length, await waiting(desk)]).toEqual([before, ["sell 250 at 994 by mark"]]);
    expect((await desk.store.control("demo")).state).toBe("ACTIVE");
  },
);

test("a part that the venue does not take is told, and the next run places it", async () => {
  const desk = await open({ row: { maxStopSz: "100" } });
  const id = await desk.trade("0.8");
  desk.venue.faults.set({ path: "trade/order-algo", method: "POST", nth: 2, act: { kind: "code", code: "51020" } });
  expect((await desk.cover(id)).failures).toMatchObject([{ error: { name: "StopNotTaken" } }]);
  // What went out with the order stays until the parts are all there.
  expect(await waiting(desk)).toEqual(["sell 100 at 994 by mark", "sell 250 at 994 by mark opens"]);
  desk.pass(1);
  await desk.reconcile();
  const total = (await desk.exchange.stops()).reduce((sum, { size }) => sum.plus(size ?? 0), big(0));
  expect(text(total)).toBe("250");
});

test("a part whose reply is lost stands once", async () => {
  const desk = await open({ row: { maxStopSz: "200" } });
  const id = await desk.trade("0.8");
  desk.venue.faults.set({ path: "trade/order-algo", method: "POST", act: { kind: "reset-after" } });
  expect((await desk.cover(id)).failures).toEqual([]);
  expect(await waiting(desk)).toEqual(["sell 200 at 994 by mark", "sell 50 at 994 by mark"]);
});

/** Sends an opening order, and dies as the venue has acknowledged it. */
async function killed(options: PaperDeskOptions = {}): Promise<PaperDesk> {
  const desk = await open(options);
  const { submit } = desk.exchange;
  desk.exchange.submit = async (order) => {
    await submit(order);
    throw new Error("killed");
  };
  await expect(desk.trade("0.8")).rejects.toThrow("killed");
  desk.exchange.submit = submit;
  return desk;
}

test("a process that dies as the venue has acknowledged its order leaves the whole of it covered, by the stop that went with it", async () => {
  const desk = await killed({ after: (bar) => (bar < 2 ? 1000 : 900) });
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "250" }]);
  expect(await waiting(desk)).toEqual(["sell 250 at 994 by mark opens"]);
  desk.pass(35);
  expect(await desk.exchange.positions()).toEqual([]); // before any job of the desk
  expect(await desk.reconcile()).toMatchObject({ breaks: [], foreign: [], tripped: null });
  await desk.minutes(2);
  expect((await desk.orders()).map(({ orderType, status }) => `${orderType} ${status}`)).toEqual([
    ...["ioc filled", "stop filled"],
  ]);
  expect([await desk.positions(), await waiting(desk)]).toMatchObject([[{ contracts: "0" }], []]);
});

test("the next run covers the position itself, and only then ends the stop that went with the order", async () => {
  const desk = await killed();
  const { cancelStop } = desk.exchange;
  const seen: string[][] = [];
  desk.exchange.cancelStop = async (...stop) => {
    seen.push(await waiting(desk));
    return cancelStop(...stop);
  };
  await desk.reconcile();
  expect(seen).toEqual([["sell 250 at 994 by mark opens", "sell whole at 994 by mark"]]);
  expect(await waiting(desk)).toEqual(["sell whole at 994 by mark"]);
  expect(await desk.reconcile()).toMatchObject({ failures: [] });
  expect(seen).toHaveLength(1);
});

test("a stop that went with an order does not outlive its position: it could open another", async () => {
  const desk = await killed();
  await byHand(desk, "sell", "250");
  await desk.minutes(2);
  expect([await desk.exchange.positions(), await waiting(desk)]).toEqual([[], []]);
});

test.each([
  ["50105", "HALTED"],
  ["50012", "REDUCING"],
])(
  "what the venue's answer to a stop makes of the kill switch is told, though the stop is not there: %s",
  async (code, state) => {
    for (const look of ["cover", "reconcile"] as const) {
      const desk = await open();
      const id = await desk.trade("0.8");
      const { placeStop } = desk.exchange;
      desk.exchange.placeStop = async (stop) => {
        desk.venue.faults.set({ path: "trade/order-algo", method: "POST", act: { kind: "code", code } });
        return placeStop(stop);
      };
      const found = look === "cover" ? await desk.cover(id) : await desk.reconcile();
      expect(found.tripped).toMatchObject({ state, reason: expect.stringContaining(code) });
      expect(found.failures).toMatchObject([{ error: { name: "StopNotTaken" } }]);
    }
  },
);

test("a list of stops that does not come is asked for once more: what is held is not left bare for a minute", async () => {
  const desk = await open();
  await desk.trade("0.8");
  const { stops } = desk.exchange;
  let asked = 0;
  desk.exchange.stops = async () => (++asked === 1 ? Promise.reject(new Error("lost")) : stops());
  const { failures } = await desk.reconcile();
  expect(failures).toMatchObject([{ error: { message: "lost" } }]);
  expect(await waiting(desk)).toEqual(["sell whole at 994 by mark"]);
});
