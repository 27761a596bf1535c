import fc from "fast-check";
import { expect, test } from "vitest";
import { big, decimalOf, fixed, text } from "#units/decimal";
import { instant } from "#units/time";
import { BILL_KINDS, type Bill, billKind } from "./bill.ts";
import { entryOf, inUnits, type LedgerBase, unitsAfter } from "./ledger.ts";

const AT = instant(Date.parse("2026-03-02T00:00:00.000Z"));
const ZERO = decimalOf("0");

const bill = (nth: number, change: string, rest: Partial<Bill> = {}): Bill => ({
  ...{ billId: String(nth), type: "2", subType: "1", asset: "USDT", instrument: null, at: AT },
  ...{ change: decimalOf(change), balance: ZERO, pnl: ZERO, fee: ZERO, venueOrderId: null, tradeId: null },
  ...rest,
});
const balance = (equity: string, unrealized = "0") => ({
  equity: decimalOf(equity),
  cash: text(big(decimalOf(equity)).minus(decimalOf(unrealized))),
});
const BASE: LedgerBase = {
  agreed: { cash: decimalOf("1000"), billId: "1" },
  last: { billId: "1", units: decimalOf("1") },
};

test("the first balance is taken as it is, up to the bill that says that it left as much", () => {
  const none: LedgerBase = { agreed: null, last: null };
  const entry = { cash: "995", unrealized: "5", units: "1", gap: "0" };
  expect(entryOf(none, balance("1000", "5"), [])).toEqual({ ...entry, billId: null });
  const bills = [bill(3, "1", { balance: decimalOf("994") }), bill(4, "1", { balance: decimalOf("995") })];
  const later = bill(5, "-3", { balance: decimalOf("992") });
  expect(entryOf(none, balance("1000", "5"), [...bills, later])).toEqual({ ...entry, billId: "4" });
});

test("a balance that a bill does not explain says by how much, until a bill does", () => {
  const missing = entryOf(BASE, balance("980", "-5"), [bill(2, "-10")]);
  expect(missing).toEqual({ cash: "985", unrealized: "-5", billId: "2", units: "1", gap: "-5" });
  const shown = entryOf({ ...BASE, last: missing }, balance("980", "-5"), [bill(2, "-10"), bill(3, "-5")]);
  expect(shown).toMatchObject({ billId: "3", gap: "0" });
});

test("bills in another currency explain nothing of equity", () => {
  const entry = entryOf(BASE, balance("1000"), [bill(2, "-0.002", { asset: "OKB" })]);
  expect(entry).toMatchObject({ gap: "0", cash: "1000" });
});

test("F12: a transfer is no result: equity a unit is the same before and after it", () => {
  const out = bill(2, "-90", { type: "1", subType: "12" });
  expect(entryOf(BASE, balance("910"), [out])).toMatchObject({ units: "0.91", gap: "0" });
  // A loss of 1 % beside it is one of 1 % still.
  const lost = entryOf(BASE, balance("900"), [out, bill(3, "-10")]);
  const left = big(decimalOf("900")).div(
    inUnits({ equity: decimalOf("1000"), units: decimalOf("1"), gap: null }, lost.units),
  );
  expect(fixed(left, 8)).toBe("0.99000000");
  // Shown before the balance has it: it is counted with the balance that does.
  const early = entryOf(BASE, balance("1000"), [out]);
  expect(early).toMatchObject({ units: "1", billId: "1", gap: "0" });
  expect(entryOf({ agreed: early, last: early }, balance("910"), [out])).toMatchObject({ units: "0.91", billId: "2" });
});

test("an account that was emptied keeps its units: there is no price to issue others at", () => {
  expect(unitsAfter(decimalOf("1"), ZERO, big(-1000))).toBe("1");
  expect(unitsAfter(decimalOf("1"), decimalOf("500"), big(500))).toBe("1");
});

const cents = (most: number) => fc.integer({ min: -most, max: most }).map((n) => text(big(n).div(100)));
const change = fc.record({
  amount: cents(90_000).filter((amount) => amount !== "0"),
  isTransfer: fc.boolean(),
  asset: fc.constantFrom("USDT", "USDT", "OKB"),
});

test("law: equity's change is the bills, the change of what is unrealized and the gap, to the last digit", () => {
  const looks = fc.array(fc.record({ bills: fc.array(change, { maxLength: 4 }), upl: cents(5000), off: cents(3) }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(looks, (runs) => {
      let cash = big(100_000);
      let nth = 0;
      let base: LedgerBase = { agreed: null, last: null };
      const all: Bill[] = [];
      for (const { bills, upl, off } of runs) {
        for (const { amount, isTransfer, asset } of bills) {
          nth += 1;
          if (asset === "USDT") cash = cash.plus(amount);
          const of = isTransfer ? { type: "1", subType: "11" } : {};
          all.push(bill(nth, amount, { ...of, asset, balance: text(cash) }));
        }
        const unrealized = upl;
        const isOff = base.agreed !== null && off !== "0";
        const equity = text(cash.plus(unrealized).plus(isOff ? off : 0));
        const after = base.agreed?.billId ?? null;
        const known = all.filter(({ billId }) => after === null || BigInt(billId) > BigInt(after));
        const entry = entryOf(base, { equity, cash: text(big(equity).minus(unrealized)) }, known);
        if (base.agreed !== null) {
          const counted = known.filter(
            ({ billId, asset }) => asset === "USDT" && BigInt(billId) <= BigInt(entry.billId ?? 0),
          );
          const sum = counted.reduce((total, one) => total.plus(one.change), big(base.agreed.cash));
          expect(text(sum.plus(unrealized).plus(entry.gap))).toBe(equity);
          expect(
            big(entry.gap)
              .abs()
              .lte(off === "0" ? 0 : big(off).abs()),
          ).toBe(true);
        }
        base = { agreed: entry.gap === "0" ? entry : base.agreed, last: entry };
      }
    }),
  );
});

test("law: whatever is transferred, equity a unit moves by results alone", () => {
  const step = fc.record({ result: fc.integer({ min: -40, max: 60 }), moved: fc.integer({ min: -60, max: 200 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      let equity = big(1000);
      let units = decimalOf("1");
      let price = big(1000);
      for (const { result, moved } of steps) {
        const before = equity
          .times(100 + result)
          .div(100)
          .round(8);
        const flow = before.times(moved).div(100).round(8);
        price = price.times(before).div(equity);
        equity = before.plus(flow);
        units = unitsAfter(units, text(equity), flow);
        const off = equity.div(units).div(price).minus(1).abs();
        expect(off.lt(1e-9)).toBe(true);
      }
    }),
  );
});

test("what a bill is goes by its subtype; one that is not listed is unknown", () => {
  const kinds = ["1", "2", "12", "103", "107", "127", "173", "174", "324", "9999", ""].map(billKind);
  expect(kinds).toEqual([
    ...["trade", "trade", "transfer", "liquidation", "liquidation", "adl", "funding", "funding", "moved"],
    ...["unknown", "unknown"],
  ]);
  const found = new Set(Array.from({ length: 400 }, (_, i) => billKind(String(i))));
  expect([...found].sort()).toEqual([...BILL_KINDS].sort());
});
