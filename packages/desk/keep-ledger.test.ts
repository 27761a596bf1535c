import { expect, test } from "vitest";
import { bills, equitySnapshots, positions } from "#db/schema";
import { lookAtDesk } from "#db/server/look";
import type { PaperVenueConfig } from "#doubles/venue/venue";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { quietDesk } from "#testing/quiet-desk";
import { big, decimalOf } from "#units/decimal";
import { millis } from "#units/time";
import { reconcileAccount } from "./reconcile-account.ts";

// The ledger of an account against the paper venue, over HTTP, through ccxt.

const HOUR = 3_600_000;
const ACCOUNT = { mode: "demo", venue: "paper" } as const;

const tests = deskTests();
async function stage(config: Partial<PaperVenueConfig> = {}) {
  const desk = await quietDesk(tests.db, { venue: config });
  tests.closeAfter(desk.venue.close);
  return desk;
}

test("F9: funding of 0.1 % at 00:00 is in the books: 25 USDT of the position that paid it", async () => {
  const desk = await stage({ funding: () => ({ rate: decimalOf("0.001"), hours: 8 }) });
  await desk.reconcile();
  desk.pass(60_000);
  await desk.trade("buy", "250");
  await desk.reconcile();
  const before = await desk.exchange.balance();
  desk.pass(2 * HOUR);
  const { ledger, tripped } = await desk.reconcile();
  expect(ledger).toMatchObject({ entry: { gap: "0" }, unknown: [] });
  expect(tripped).toBe(null);
  const after = await desk.exchange.balance();
  expect(big(after.equity).minus(before.equity).toFixed()).toBe("-25");
  expect(await desk.db.select().from(positions)).toMatchObject([{ contracts: "250", fundingPaid: "25" }]);
  // What was closed before its funding was seen has it too.
  await desk.trade("sell", "250");
  desk.pass(60_000);
  await desk.reconcile();
  expect(await desk.db.select().from(positions)).toMatchObject([{ contracts: "0", fundingPaid: "25" }]);
});

test("F9: funding that is seen after the position was closed is that position's", async () => {
  const desk = await stage({ funding: () => ({ rate: decimalOf("0.001"), hours: 8 }) });
  await desk.trade("buy", "250");
  await desk.reconcile();
  desk.pass(2 * HOUR);
  await desk.trade("sell", "250");
  desk.pass(60_000);
  expect((await desk.reconcile()).ledger).toMatchObject({ entry: { gap: "0" } });
  const [closed] = await desk.db.select().from(positions);
  expect(closed).toMatchObject({ contracts: "0", fundingPaid: "25" });
  const { equity } = await desk.exchange.balance();
  const result = big(closed?.realizedPnl ?? 0)
    .minus(closed?.feesPaid ?? 0)
    .minus(25);
  expect(equity).toBe(result.plus(100_000).toFixed());
});

test("the identity holds at each run to the last digit, and every bill is kept once", async () => {
  const desk = await stage();
  for (const [side, size] of [
    ["buy", "31.3"],
    ["buy", "7.7"],
    ["sell", "13.1"],
    ["buy", "2.9"],
    ["sell", "28.8"],
  ] as const) {
    await desk.trade(side, size);
    const { ledger } = await desk.reconcile();
    expect(ledger?.entry.gap).toBe("0");
    await desk.reconcile(); // the same instant again: nothing twice
    desk.pass(47 * 60_000);
  }
  await desk.reconcile();
  const kept = await desk.db.select().from(bills).orderBy(bills.billId);
  const theirs = desk.venue.state().bills;
  expect(kept.map(({ billId, change }) => [billId, change])).toEqual(theirs.map((bill) => [bill.billId, bill.balChg]));
  const snapshots = await desk.db.select().from(equitySnapshots);
  expect(snapshots.map(({ gap }) => gap)).toEqual(snapshots.map(() => "0"));
});

test("F12: a withdrawal of 9 % is no drawdown: no limit moves but the caps", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(5 * 60_000);
  const before = await desk.store.equity(ACCOUNT, desk.at());
  expect(before).toMatchObject({ equity: "100000", peak: "100000", dayStart: "100000" });
  desk.venue.transfer(decimalOf("-9000"));
  const { tripped, ledger } = await desk.reconcile();
  expect([tripped, ledger?.entry]).toMatchObject([null, { gap: "0", units: "0.91" }]);
  expect((await desk.store.control("demo")).state).toBe("ACTIVE");
  desk.pass(5 * 60_000);
  const after = await desk.store.equity(ACCOUNT, desk.at());
  expect(after).toMatchObject({ equity: "91000", peak: "91000", dayStart: "91000" });
  // A deposit makes no profit of it either.
  desk.venue.transfer(decimalOf("50000"));
  await desk.reconcile();
  desk.pass(5 * 60_000);
  expect(await desk.store.equity(ACCOUNT, desk.at())).toMatchObject({ equity: "141000", peak: "141000" });
});

test("F12: a withdrawal while the bills cannot be read trips nothing, and is told; a loss trips as soon as they can", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(5 * 60_000);
  desk.venue.transfer(decimalOf("-12000"));
  desk.venue.faults.set({ path: "account/bills", times: 9, act: { kind: "garble" } });
  const blind = await desk.reconcile();
  expect([blind.tripped, blind.ledger]).toEqual([null, null]);
  expect(blind.failures.map(({ part }) => part)).toEqual(["ledger"]);
  desk.venue.faults.clear();
  desk.pass(60_000);
  expect(await desk.reconcile()).toMatchObject({ tripped: null, ledger: { entry: { gap: "0", units: "0.88" } } });

  await desk.trade("buy", "300");
  desk.pass(60_000);
  const { bills: ofVenue, balance } = desk.exchange;
  const lost = decimalOf("70000");
  // Of what is held: no bill says it.
  const poor = { ...desk.exchange, balance: async () => ({ ...(await balance()), equity: lost }) };
  const without = { ...poor, bills: () => Promise.reject(new Error("no reply")) };
  const runOn = (exchange: typeof poor) =>
    reconcileAccount(desk.store, exchange, desk.run(), [ETH_SWAP.id], desk.pause);
  expect((await runOn(without)).tripped).toBeNull();
  desk.pass(60_000);
  expect((await runOn({ ...poor, bills: ofVenue })).tripped).toMatchObject({
    state: "HALTED",
    reason: expect.stringMatching(/^drawdown 0\.2/),
  });
});

test("F12: a withdrawal whose bill shows after its balance trips nothing until it shows, and then is none", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(17 * 60_000);
  const late = { ...desk.exchange, bills: async () => [] };
  const run = (exchange = desk.exchange) =>
    reconcileAccount(desk.store, exchange, desk.run(), [ETH_SWAP.id], desk.pause);
  expect(await run()).toMatchObject({ tripped: null, ledger: { entry: { gap: "0", units: "1" } } });
  desk.venue.transfer(decimalOf("-11000"));
  for (let minute = 1; minute <= 3; minute++) {
    desk.pass(60_000);
    expect(await run(late)).toMatchObject({ tripped: null, ledger: { entry: { gap: "-11000" } } });
    expect(await run(late)).toMatchObject({ tripped: null, ledger: { entry: { gap: "-11000" } } }); // delivered again
  }
  expect((await desk.store.control("demo")).state).toBe("ACTIVE");
  desk.pass(60_000);
  expect(await run()).toMatchObject({ tripped: null, ledger: { entry: { gap: "0", units: "0.89" } } });
});

/** Reconciles without a word from the bills, as a run that dies once it has stored its balance. */
const halfRun = async (desk: Awaited<ReturnType<typeof stage>>) => {
  const dying = { ...desk.exchange, bills: () => Promise.reject(new Error("killed")) };
  const { ledger, tripped } = await reconcileAccount(desk.store, dying, desk.run(), [ETH_SWAP.id], desk.pause);
  expect([ledger, tripped]).toEqual([null, null]);
};

test("F12: a withdrawal before a new desk has kept its first ledger is no drawdown", async () => {
  const desk = await stage();
  await halfRun(desk);
  desk.venue.transfer(decimalOf("-12000"));
  desk.pass(60_000);
  await halfRun(desk);
  desk.pass(60_000);
  expect(await desk.reconcile()).toMatchObject({ tripped: null, ledger: { entry: { gap: "0", units: "1" } } });
  desk.pass(60_000);
  const known = await desk.store.equity(ACCOUNT, desk.at());
  expect(known).toMatchObject({ equity: "88000", peak: "88000", dayStart: "88000" });
});

test.each([
  ["whose run died before it kept the bills", halfRun],
  [
    "whose bill showed after it",
    async (desk: Awaited<ReturnType<typeof stage>>) => {
      const late = { ...desk.exchange, bills: async () => [] };
      const { ledger } = await reconcileAccount(desk.store, late, desk.run(), [ETH_SWAP.id], desk.pause);
      expect(ledger).toMatchObject({ entry: { gap: "50000", units: "1" } });
    },
  ],
])("F12: a balance with a deposit in it, %s, sets no peak and no daily start", async (_, run) => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(2 * HOUR); // to another day: its first balance is the one that is not explained
  desk.venue.transfer(decimalOf("50000"));
  await run(desk);
  desk.pass(60_000);
  expect(await desk.reconcile()).toMatchObject({ tripped: null, ledger: { entry: { gap: "0", units: "1.5" } } });
  desk.pass(60_000);
  const known = await desk.store.equity(ACCOUNT, desk.at());
  expect(known).toMatchObject({ equity: "150000", peak: "150000", dayStart: "150000" });
});

test("a gain that no bill explains is none to fall from, and what is lost of what they explained is judged", async () => {
  const desk = await stage();
  await desk.reconcile();
  const states: (string | null)[] = [];
  for (const usdt of ["115000", "115000", "115000", "115000", "98500", "88000"]) {
    desk.pass(60_000);
    const told = async () => ({ ...(await desk.exchange.balance()), equity: decimalOf(usdt), cash: decimalOf(usdt) });
    const never = { ...desk.exchange, bills: async () => [], balance: told };
    const { tripped } = await reconcileAccount(desk.store, never, desk.run(), [ETH_SWAP.id], desk.pause);
    states.push(tripped?.reason ?? null);
  }
  expect(states).toEqual([null, null, null, null, null, expect.stringMatching(/^drawdown 0\.12/)]);
});

test("F12: a transfer whose bill is overtaken by others that show late is no loss of the day", async () => {
  const desk = await stage({ funding: () => ({ rate: decimalOf("0.001"), hours: 8 }) });
  await desk.reconcile();
  await desk.trade("buy", "250");
  desk.pass(2 * HOUR - 240_000); // four minutes before funding, and another day
  const { bills: all } = desk.exchange;
  const shown = (ms: number) => ({
    ...desk.exchange,
    bills: async (after: Parameters<typeof all>[0]) =>
      (await all(after)).filter(({ at }) => millis(at) + ms <= desk.clock.now()),
  });
  const run = () => reconcileAccount(desk.store, shown(70_000), desk.run(), [ETH_SWAP.id], desk.pause);
  const gaps: unknown[] = [];
  for (let minute = 0; minute < 8; minute++) {
    if (minute === 2) await desk.trade("buy", "10"); // its fee is on no bill yet
    if (minute === 3) desk.venue.transfer(decimalOf("4000"));
    const { tripped, ledger } = await run();
    expect(tripped).toBeNull();
    gaps.push(ledger?.entry.gap);
    desk.pass(60_000);
  }
  expect(gaps.slice(0, 2)).toEqual(["0", "0"]);
  expect(gaps.slice(2, 6).every((gap) => gap !== "0")).toBe(true);
  expect(gaps.slice(6)).toEqual(["0", "0"]);
});

test("what no bill explains for longer than the policy waits is judged as a loss", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.venue.transfer(decimalOf("-12000"));
  const never = { ...desk.exchange, bills: async () => [] };
  const states: (string | null)[] = [];
  for (let minute = 1; minute <= 4; minute++) {
    desk.pass(60_000);
    const { tripped } = await reconcileAccount(desk.store, never, desk.run(), [ETH_SWAP.id], desk.pause);
    states.push(tripped?.reason ?? null);
  }
  expect(states).toEqual([null, null, null, expect.stringMatching(/^drawdown 0\.12/)]);
});

test("a bill of a subtype that is not listed is kept and told", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(5 * 60_000);
  const { balance } = desk.exchange;
  const odd = {
    ...{ billId: "99", type: "77", subType: "7777", asset: "USDT", instrument: null, at: desk.at() },
    ...{ change: decimalOf("-3"), balance: decimalOf("99997"), pnl: decimalOf("0"), fee: decimalOf("0") },
    ...{ venueOrderId: null, tradeId: null },
  };
  const exchange = {
    ...desk.exchange,
    bills: async () => [odd],
    balance: async () => ({ ...(await balance()), equity: decimalOf("99997"), cash: decimalOf("99997") }),
  };
  const { ledger } = await reconcileAccount(desk.store, exchange, desk.run(), [ETH_SWAP.id], desk.pause);
  expect(ledger).toMatchObject({ unknown: [odd], entry: { gap: "0" } });
  expect(await desk.db.select().from(bills)).toMatchObject([{ kind: "unknown", change: "-3" }]);
});

test("a balance that no bill explains is told with what is missing", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(5 * 60_000);
  const short = {
    ...desk.exchange,
    balance: async () => ({
      ...(await desk.exchange.balance()),
      equity: decimalOf("99990.5"),
      cash: decimalOf("99990.5"),
    }),
  };
  const { ledger } = await reconcileAccount(desk.store, short, desk.run(), [ETH_SWAP.id], desk.pause);
  expect(ledger?.entry).toMatchObject({ cash: "99990.5", gap: "-9.5" });
  const { modes } = await lookAtDesk(desk.db, "ethereum", () => ({ problem: "not asked" }));
  const shown = { at: desk.at(), equity: "99990.5", cash: "99990.5", unrealized: "0", gap: "-9.5" };
  expect(modes.map(({ mode, balance }) => [mode, balance])).toEqual([
    ["demo", shown],
    ["live", null],
  ]);
});
