import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { bills, orderFills, tradingControl } from "#db/schema";
import type { Tier } from "#doubles/venue/tiers";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { type PaperDesk, type PaperDeskOptions, paperDesk } from "#testing/paper-desk";
import { openingFault } from "#trading/plans/lane";
import { POLICY } from "#trading/plans/policy";
import { big, decimalOf, text } from "#units/decimal";
import type { Reconciled } from "./reconcile-account.ts";

// What the venue takes for want of margin, by the way of the price alone, over HTTP, through ccxt.

const tests = deskTests();

/** Tiers of 100 contracts each, of 0.5 %, 0.8 % and 1 %. */
const TIERS = [5, 8, 10].map((thousandths, i): Tier => {
  const maintenance = big(thousandths).div(1000);
  const size = { minSize: big(100 * i), maxSize: big(100 * (i + 1)) };
  return { tier: i + 1, ...size, maintenance, initial: maintenance.times(2), maxLeverage: big(50) };
});

/**
 * A desk that is long 250 contracts, 25,003 USDT, with its stop at 994, whose account is then left with `equity` alone.
 * The price stands at 1,000 for ten minutes and then goes to `to`.
 */
async function leftWith(equity: number, to: number, options: PaperDeskOptions = {}) {
  const desk = await paperDesk(tests.db, { ...options, after: (bar) => (bar < 1 ? 1000 : to) });
  tests.closeAfter(desk.close);
  await desk.trade("0.9");
  await desk.minutes(2);
  const { equity: before } = await desk.exchange.balance();
  desk.venue.transfer(text(big(equity).minus(before)));
  return desk;
}

/** Runs once a minute until the price has gone its way; each run must explain the balance to the last digit. */
async function passed(desk: PaperDesk): Promise<Reconciled> {
  const runs: Reconciled[] = [];
  for (let minute = 0; minute < 9; minute += 1) {
    desk.pass(1);
    runs.push(await desk.reconcile());
  }
  expect(runs.map(({ ledger }) => ledger?.entry.gap)).toEqual(Array.from({ length: 9 }, () => "0"));
  expect(runs.flatMap(({ failures, breaks }) => [...failures, ...breaks])).toEqual([]);
  const { positions } = desk.venue.state();
  const held = (await desk.positions()).filter(({ closedAt }) => closedAt === null);
  expect(held.map(({ contracts }) => contracts)).toEqual(positions.map(({ contracts }) => contracts));
  const told = runs.filter(({ foreign }) => foreign.length > 0);
  expect(told.length).toBe(1); // once, not once a minute
  return told[0] as Reconciled;
}

const control = async () =>
  (await tests.db.select().from(tradingControl).where(eq(tradingControl.tradingMode, "demo")))[0];

test("F7: a position that the fall of the price takes whole is booked with its cause, and its stop goes with it", async () => {
  const desk = await leftWith(200, 990);
  const found = await passed(desk);
  // By hand: 203.25 + 25 (p − 1,000.13) = 0.0055 · 25 p at 997.5, before the stop.
  expect(found.foreign).toMatchObject([{ cause: "liquidation", side: "sell", size: "250", orderId: null }]);
  expect(found.tripped).toMatchObject({ state: "HALTED", reason: "drawdown 1" });
  expect(found.ledger?.entry).toMatchObject({ cash: "0", unrealized: "0" });
  expect(found.ledger?.unknown).toEqual([]);
  const kinds = await tests.db.select().from(bills).orderBy(bills.billId);
  expect(kinds.map(({ kind, subType }) => `${kind} ${subType}`)).toEqual([
    ...["trade 1", "transfer 12", "liquidation 107", "liquidation 111"],
  ]);
  expect(desk.venue.state().algos.filter(({ state }) => state === "live")).toEqual([]);
  const [row] = await desk.positions();
  const [record] = desk.venue.state().records;
  expect(row?.realizedPnl).toBe(record?.pnl);
  expect(row?.feesPaid).toBe(text(big(record?.fee ?? 0).neg()));
});

test("F7: a position in the third tier is made smaller; what is left keeps its stop, and nothing is opened for an hour", async () => {
  const loose = { maxDailyLoss: decimalOf("0.9"), maxDrawdown: decimalOf("0.95") };
  const desk = await leftWith(350, 995.5, { policy: loose, venue: { book: { tiers: () => TIERS } } });
  const found = await passed(desk);
  // By hand: 353.25 + 25 (p − 1,000.13) = 0.0105 · 25 p at 996.46; at 0.0055 it would do.
  expect(found.foreign).toMatchObject([{ cause: "liquidation", side: "sell", size: "150" }]);
  const reason = `${ETH_SWAP.id}: liquidation, sell 150 contracts`;
  expect(found.tripped).toMatchObject({ state: "REDUCING", lifts: [], reason });
  expect(await control()).toMatchObject({ state: "REDUCING", reason });
  const [fill] = (await tests.db.select().from(orderFills)).filter(({ cause }) => cause !== null);
  expect(fill).toMatchObject({ size: "150", cause: "liquidation" });
  const { positions, algos } = desk.venue.state();
  expect(positions).toMatchObject([{ contracts: "100" }]);
  const live = algos.filter(({ state }) => state === "live");
  expect(live.filter(({ sl }) => sl !== null)).toMatchObject([{ sz: "", reduceOnly: true }]);
  const legs = live.filter(({ sl }) => sl === null).reduce((sum, { sz }) => sum.plus(sz === "" ? 0 : sz), big(0));
  expect(legs.lte(100)).toBe(true);
  const lane = { mode: "demo", venue: "paper", at: desk.at(), asset: "ETH", instrument: ETH_SWAP.id } as const;
  const asked = { ...lane, barSeconds: 300, eventIds: [], timeframe: "4h", biasAt: desk.at(), earlier: 1 } as const;
  const facts = await desk.store.laneFacts({ ...asked, candlesFrom: desk.at() });
  expect(openingFault(facts, desk.at(), POLICY)).toBe("the venue closed some of it by itself within 3600 s");
});
