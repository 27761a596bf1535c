import { expect, test } from "vitest";
import { ACCOUNT, BTC, ETH, handDesk } from "#testing/hand/desk";
import { POLICY } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { ensureLeverage } from "./ensure-leverage.ts";

/** A venue that margins ETH at 20 until it is set, and what it was asked to set. */
function stage() {
  const desk = handDesk();
  const set: unknown[] = [];
  Object.assign(desk.exchange, {
    leverage: async () => decimalOf("20"),
    setLeverage: async (...asked: unknown[]) => set.push(asked) > 0,
  });
  const ensure = () =>
    ensureLeverage(desk.store, desk.exchange, { account: ACCOUNT, at: desk.at(), by: "t", policy: POLICY }, ETH.id);
  return { ...desk, set, ensure };
}

test("another leverage is set where the instrument is free, whatever waits or is held elsewhere", async () => {
  const desk = stage();
  desk.trade(BTC.id, decimalOf("1"), null);
  expect([await desk.ensure(), desk.set]).toEqual([null, [[ETH.id, POLICY.venueLeverage]]]);
  desk.exchange.leverage = async () => POLICY.venueLeverage;
  expect([await desk.ensure(), desk.set.length]).toEqual([null, 1]);
});

test.each(["positions", "stops", "takeProfits", "openOrders"] as const)(
  "the desk halts where the instrument is in use by its %s: it may not be changed then",
  async (question) => {
    const desk = stage();
    Object.assign(desk.exchange, { [question]: async () => [{ instrument: BTC.id }, { instrument: ETH.id }] });
    expect(await desk.ensure()).toMatchObject({
      state: "HALTED",
      reason: `${ETH.id} is margined at leverage 20, the policy says ${POLICY.venueLeverage}, and it is in use`,
    });
    expect(desk.set).toEqual([]);
  },
);

test("the desk halts where the venue does not take the leverage", async () => {
  const desk = stage();
  desk.exchange.setLeverage = async () => false;
  expect(await desk.ensure()).toMatchObject({ state: "HALTED", actor: "t" });
});
