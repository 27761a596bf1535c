import { expect, test } from "vitest";
import { type AccountFacts, type Assertion, judgeAccount } from "#trading/account-check";
import type { ControlChange } from "#trading/control";
import { POLICY } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { assertAccount } from "./assert-account.ts";

const FACTS: AccountFacts = {
  ...{ mode: "demo", uid: "77", acctLv: "2", posMode: "net_mode", perm: ["read_only", "trade"], ip: "" },
  ...{ tdMode: { wanted: "cross", refused: null }, skewMs: 3, ongoing: [] },
};
const judged = (more: object): Assertion[] =>
  judgeAccount({ ...FACTS, ...more }, { accountId: "77", maxClockSkewSeconds: 2 });

const STOP = {
  ...{ algoId: "1", stopId: null, instrument: "ETH-USDT-SWAP", side: "sell" as const, trigger: decimalOf("1") },
  ...{
    triggerBy: "mark" as const,
    isWhole: true,
    size: null,
    isReduceOnly: true,
    isMarket: true,
    placedAt: instantOf("2026-01-05T12:00:00.000Z"),
  },
};

/** A venue whose account can change, and the changes of the kill switch that it led to. */
function stage() {
  const now = { assertions: judged({}), asked: 0, leverage: "3", isFree: true };
  const changes: ControlChange[] = [];
  const exchange = {
    assertions: async () => {
      now.asked += 1;
      return now.assertions;
    },
    leverage: async () => decimalOf(now.leverage),
    setLeverage: async (_: string, leverage: string) => {
      now.leverage = leverage;
      return true;
    },
    positions: async () => [],
    openOrders: async () => [],
    takeProfits: async () => [],
    stops: async () => (now.isFree ? [] : [STOP]),
  };
  const store = {
    tighten: async (_: string, { at, ...change }: ControlChange) => {
      changes.push({ ...change, at });
      return { lifts: [], ...change, epoch: 2, changedAt: at };
    },
  };
  const run = (time: string) =>
    assertAccount(
      store,
      exchange,
      {
        account: { mode: "demo", venue: "okx" },
        at: instantOf(`2026-01-05T${time}.000Z`),
        by: "reconcile-orders",
        policy: POLICY,
      },
      ["ETH-USDT-SWAP"],
    );
  return { now, changes, run };
}

test("the first run of a process asserts, and then each hour", async () => {
  const { now, changes, run } = stage();
  for (const time of ["12:07:00", "12:08:00", "12:59:00", "13:00:00", "13:01:00", "14:00:00"]) await run(time);
  expect(now.asked).toBe(3);
  expect(changes).toEqual([]);
});

test("hedge mode switched on mid-run halts by name within the hour; maintenance only reduces", async () => {
  const { now, changes, run } = stage();
  await run("12:07:00");
  now.assertions = judged({ posMode: "long_short_mode", ongoing: ["matching engine"] });
  expect(await run("12:30:00")).toBeNull();
  expect(await run("13:00:00")).toMatchObject({ state: "HALTED" });
  now.assertions = judged({ ongoing: ["matching engine"] });
  expect(await run("14:00:00")).toMatchObject({ state: "REDUCING" });
  expect(changes.map(({ reason }) => reason)).toEqual([
    "start-up assertion posMode: position mode is long_short_mode",
    "start-up assertion status: under maintenance: matching engine",
  ]);
});

test("another leverage is set while the instrument is free, and halts by name while it is not", async () => {
  const { now, changes, run } = stage();
  now.leverage = "10";
  expect(await run("12:07:00")).toBeNull();
  expect(now.leverage).toBe("3");
  Object.assign(now, { leverage: "20", isFree: false });
  expect(await run("13:00:00")).toMatchObject({ state: "HALTED" });
  expect(now.leverage).toBe("20");
  expect(changes.map(({ reason }) => reason)).toEqual([
    "ETH-USDT-SWAP is margined at leverage 20, the policy says 3, and it is in use",
  ]);
});
