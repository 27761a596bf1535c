import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { orderLines } from "#db/reading/order-lines";
import { positionLines } from "#db/reading/position-lines";
import { bills, orderEvents, orderFills, positions } from "#db/schema";
import { result } from "#reporting/phrase";
import { deskTests } from "#testing/desk-tests";
import { quietDesk } from "#testing/quiet-desk";
import { POLICY } from "#trading/plans/policy";
import { big, decimalOf } from "#units/decimal";

// Fees in another currency than USDT, against the paper venue, over HTTP, through ccxt.

const tests = deskTests();
const OKB = { ccy: "OKB", price: decimalOf("50") };

/** A desk whose account pays its fees in OKB, and has ten of them. */
async function stage(isHidden = false) {
  const desk = await quietDesk(tests.db);
  tests.closeAfter(desk.venue.close);
  desk.venue.transfer(decimalOf("10"), "OKB");
  desk.venue.chargeIn({ ...OKB, isHidden });
  await desk.reconcile();
  desk.pass(60_000);
  const lines = async () => ({
    order: (await orderLines(desk.db, sql`true`, sql`o.decided_at`))[0],
    position: (await positionLines(desk.db, POLICY, sql`true`))[0],
  });
  return { ...desk, lines };
}

test("F11: a fee in OKB is kept in OKB, counts in USDT at the index of the fill's minute, and the identity holds", async () => {
  const desk = await stage();
  const before = await desk.exchange.balance();
  await desk.trade("buy", "250");
  const found = await desk.reconcile();
  expect(found).toMatchObject({ failures: [], unvalued: [], tripped: null, ledger: { entry: { gap: "0" } } });
  const [fill] = await desk.db.select().from(orderFills);
  expect(fill).toMatchObject({ feeAsset: "OKB", feePrice: "50" });
  // 5 bps of the notional is in OKB what it would be in USDT, over its price; none of it left the USDT.
  const notional = big(fill?.size ?? 0)
    .times(ETH_SIZE)
    .times(fill?.price ?? 0);
  const paid = notional.times("0.0005");
  expect(
    big(fill?.fee ?? 0)
      .times(50)
      .toFixed(),
  ).toBe(paid.toFixed());
  const { cash } = await desk.exchange.balance();
  expect(cash).toBe(before.cash);
  expect(await desk.db.select().from(positions)).toMatchObject([{ feesPaid: paid.toFixed(), feesUnvalued: false }]);
  const asset = sql`asset = 'OKB' AND type = '2'`;
  expect(await desk.db.select().from(bills).where(asset)).toMatchObject([{ change: `-${fill?.fee}`, kind: "trade" }]);
  const { order, position } = await desk.lines();
  expect(order).toMatchObject({ feesUsd: paid.toFixed(), feesUnvalued: false });
  expect(position).toMatchObject({ feesUsd: paid.toFixed(), feesUnvalued: false });
  // What it came to is what the account has less of, OKB at their price.
  desk.pass(60_000);
  await desk.trade("sell", "250");
  await desk.reconcile();
  const after = await desk.exchange.balance();
  const held = big(desk.venue.state().cash.OKB ?? 0).minus(10);
  const change = big(after.equity).minus(before.equity).plus(held.times(50));
  expect((await desk.lines()).position?.netUsd).toBe(change.toFixed());
});

const ETH_SIZE = "0.1";

test("F11: a fee that nobody prices is told and never a 0; what depends on it is not known, until its price is", async () => {
  const desk = await stage(true);
  await desk.trade("buy", "250");
  const found = await desk.reconcile();
  const [fill] = await desk.db.select().from(orderFills);
  const { fee, exchangeTradeId: tradeId } = fill ?? {};
  expect(found).toMatchObject({ failures: [], unvalued: [{ tradeId, fee, feeAsset: "OKB" }], tripped: null });
  const detail = sql`detail ? 'fee_unvalued'`;
  expect(await desk.db.select().from(orderEvents).where(detail)).toMatchObject([
    { toStatus: "filled", detail: { fee_unvalued: { OKB: fee } } },
  ]);
  const lines = await desk.lines();
  expect(lines).toMatchObject({ order: { feesUnvalued: true }, position: { feesUnvalued: true, netUsd: null } });
  expect(lines.position && result(lines.position)).toContain("fees 0.00 and one that has no price");
  desk.pass(60_000);
  await desk.trade("sell", "250");
  await desk.reconcile();
  // The venue's index has it now: the position is over, and its row is mended all the same.
  desk.venue.chargeIn(OKB);
  desk.pass(60_000);
  expect(await desk.reconcile()).toMatchObject({ failures: [], unvalued: [], ledger: { entry: { gap: "0" } } });
  const mended = await desk.lines();
  const fees = big(fee ?? 0).times(50);
  expect(mended.order).toMatchObject({ feesUsd: fees.toFixed(), feesUnvalued: false });
  expect(mended.position).toMatchObject({ feesUnvalued: false, netUsd: expect.any(String) });
});

test("a venue that does not answer for a price keeps nothing from being booked: the next run asks again", async () => {
  const desk = await stage();
  await desk.trade("buy", "250");
  desk.venue.faults.set({ path: "market/index-candles", act: { kind: "reset-before" } });
  const found = await desk.reconcile();
  expect(found.failures).toMatchObject([{ part: "fee prices", instrument: "ETH-USDT-SWAP" }]);
  expect(found.unvalued).toHaveLength(1);
  expect(await desk.db.select().from(positions)).toMatchObject([{ contracts: "250", feesUnvalued: true }]);
  desk.pass(60_000);
  expect(await desk.reconcile()).toMatchObject({ failures: [], unvalued: [] });
  expect(await desk.db.select().from(positions)).toMatchObject([{ feesUnvalued: false }]);
});
