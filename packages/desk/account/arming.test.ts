import { expect, test } from "vitest";
import { ACCOUNT, handDesk } from "#testing/hand/desk";
import type { Arming, ArmingVerdict } from "#trading/arming";
import { assertArmed } from "./arming.ts";

const LIVE = { ...ACCOUNT, mode: "live" } as const;

test("a live desk that could open positions without an arming reduces; one that is armed, tight or demo stays as it is", async () => {
  const asked: number[] = [];
  const assert = (
    desk: ReturnType<typeof handDesk>,
    verdict: ArmingVerdict,
    account: typeof ACCOUNT | typeof LIVE = LIVE,
  ) => {
    const look = async (epoch: number) => {
      asked.push(epoch);
      return verdict;
    };
    return assertArmed(desk.store, look, { account, at: desk.at(), by: "reconcile-orders" });
  };
  const desk = handDesk();
  expect(await assert(desk, { arming: {} as Arming })).toBeNull();
  expect(await assert(desk, { problem: "it ended" }, ACCOUNT)).toBeNull();
  expect((await desk.store.control("live")).state).toBe("ACTIVE");
  expect(await assert(desk, { problem: "it ended" })).toMatchObject({
    ...{ state: "REDUCING", epoch: 2, reason: "not armed: it ended", actor: "reconcile-orders", changedAt: desk.at() },
  });
  expect(await assert(desk, { problem: "it ended" })).toBeNull(); // nothing can be opened any more
  expect(asked).toEqual([1, 1]);
});
