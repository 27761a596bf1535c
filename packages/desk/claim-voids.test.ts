import { expect, test } from "vitest";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { quietDesk } from "#testing/quiet-desk";
import type { NewOrder } from "#trading/orders/stored-order";
import { big, type Decimal, decimalOf } from "#units/decimal";
import { submitOrder } from "./submit-order.ts";

// What stands between an approved order and its POST, against the paper venue, over HTTP, through ccxt.

const tests = deskTests();
async function stage() {
  const desk = await quietDesk(tests.db);
  tests.closeAfter(desk.venue.close);
  let nth = 0;
  /** Approves an order to buy at a limit, and submits it. */
  const buy = async (price: Decimal, more: Partial<NewOrder> = {}) => {
    nth += 1;
    const { id } = await desk.store.insert({
      ...{ mode: "demo", venue: "paper", at: desk.at(), by: "plan-order", asset: "ETH", instrument: ETH_SWAP.id },
      ...{ timeframe: "4h", biasAt: desk.at(), epoch: 1, verdict: "approved", codes: [], policySnapshot: null },
      order: {
        ...{ clientOrderId: `c${nth}`, side: "buy", type: "ioc", size: decimalOf("10"), price, signal: null },
        ...{ reduceOnly: false, stopLoss: decimalOf("900"), riskUsd: decimalOf("0") },
      },
      ...more,
    });
    return submitOrder(desk.store, desk.exchange, id, desk.at(), "submit-order", { policy: desk.policy });
  };
  return { ...desk, buy, sent: () => desk.venue.state().orders.length };
}

test("a price outside the venue's limit voids the order by name: it is not sent to be refused", async () => {
  const desk = await stage();
  expect(await desk.exchange.priceLimit(ETH_SWAP.id)).toEqual({ buy: "1020", sell: "980" });
  const { order } = await desk.buy(decimalOf("1020.01"));
  expect(order).toMatchObject({
    status: "canceled",
    errorMessage: "voided: its price 1020.01 is outside the venue's limit, 980 to 1020",
  });
  expect(desk.sent()).toBe(0);
  expect((await desk.buy(decimalOf("1020"))).order.status).toBe("open");
});

test("another leverage at the venue is set before an order that opens; where it is in use the desk halts", async () => {
  const desk = await stage();
  await desk.exchange.setLeverage(ETH_SWAP.id, decimalOf("20"));
  expect((await desk.buy(decimalOf("1001"))).order.status).toBe("open");
  expect(await desk.exchange.leverage(ETH_SWAP.id)).toBe("3");
  await desk.reconcile();
  // By a person, while a position is held and its stop waits: the venue itself refuses a change then.
  desk.venue.leverage(ETH_SWAP.id, decimalOf("20"));
  expect(await desk.exchange.setLeverage(ETH_SWAP.id, decimalOf("3"))).toBe(false);
  const { order, tripped } = await desk.buy(decimalOf("1001"));
  expect(tripped).toMatchObject({ state: "HALTED" });
  expect(tripped?.reason).toContain("is margined at leverage 20, the policy says 3");
  expect(order).toMatchObject({
    status: "canceled",
    errorMessage: "voided: trading is HALTED in epoch 2, approved in 1",
  });
  expect(desk.sent()).toBe(1);
});

test("an order of an epoch that is over, or of a state that holds it back, is voided whatever the market does", async () => {
  const desk = await stage();
  const change = { reason: "test", actor: "test", at: desk.at() };
  await desk.store.tighten("demo", { state: "REDUCING", ...change });
  const again = await desk.buy(decimalOf("1001"));
  expect(again.order.errorMessage).toBe("voided: trading is REDUCING in epoch 2, approved in 1");
  const now = await desk.buy(decimalOf("1001"), { epoch: 2 });
  expect(now.order.errorMessage).toBe("voided: trading is REDUCING in epoch 2, approved in 2");
  expect(desk.sent()).toBe(0);
});

test("a closing order takes its size from the venue's position when it is claimed", async () => {
  const desk = await stage();
  await desk.buy(decimalOf("1001"));
  await desk.reconcile();
  desk.venue.trade({ instId: ETH_SWAP.id, side: "sell", size: big(4), cause: "trade" });
  expect(await desk.trade("sell", "10")).toMatchObject({ size: "6" });
});

test("an order that a halt holds back is voided though the venue says nothing of its leverage", async () => {
  const desk = await stage();
  await desk.store.tighten("demo", { state: "HALTED", reason: "test", actor: "test", at: desk.at() });
  desk.venue.faults.set({ path: "account/leverage-info", times: 99, act: { kind: "page", status: 502 } });
  const { order } = await desk.buy(decimalOf("1001"));
  expect(order).toMatchObject({
    status: "canceled",
    errorMessage: "voided: trading is HALTED in epoch 2, approved in 1",
  });
});
