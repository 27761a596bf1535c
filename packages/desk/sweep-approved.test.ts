import { expect, test } from "vitest";
import { ACCOUNT, ETH, handDesk, START } from "#testing/hand/desk";
import { PRICE } from "#testing/hand/venue";
import { POLICY } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { sweepApproved } from "./sweep-approved.ts";

test("an order whose message was lost is to be sent again, one that is too old is voided, and one that is claimed is left", async () => {
  const desk = handDesk();
  const decided = async (clientOrderId: string, seconds: number) =>
    desk.store.insert({
      ...{
        ...ACCOUNT,
        asset: "ETH",
        instrument: ETH.id,
        timeframe: "4h",
        biasAt: instant(START),
        epoch: 1,
        by: "plan",
      },
      ...{ at: instant(START + seconds * 1000), verdict: "approved", codes: [], policySnapshot: null },
      order: {
        ...{ clientOrderId, side: "buy", type: "ioc", size: decimalOf("1"), price: PRICE, reduceOnly: false },
        ...{ stopLoss: null, riskUsd: decimalOf("1"), signal: null },
      },
    });
  const old = await decided("old", 0);
  const lost = await decided("lost", 91);
  await decided("new", 92);
  desk.pass(121_000);
  const run = { account: ACCOUNT, at: desk.at(), by: "reconcile-orders", policy: POLICY, barSeconds: 300 };
  const unclaimed = await desk.store.unclaimed("demo");
  expect(await sweepApproved(desk.store, run, unclaimed)).toEqual({ lost: [lost], hasVoided: true });
  expect(await desk.store.order(old.id)).toMatchObject({ status: "canceled", errorMessage: "voided: stale" });
  // The same again: someone has moved it meanwhile.
  expect(await sweepApproved(desk.store, run, unclaimed)).toEqual({ lost: [lost], hasVoided: false });
  expect(await sweepApproved(desk.store, run, [])).toEqual({ lost: [], hasVoided: false });
});
