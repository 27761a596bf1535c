import fc from "fast-check";
import { expect, test } from "vitest";
import { big } from "#units/decimal";
import { instant } from "#units/time";
import { type Fill, once, signed, totalOf } from "./fill.ts";
import { heldFor, maxDrawdownOf, positionsOf, riskUsdOf, unrealizedOf } from "./position.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const SIZE = "0.1";
const at = (minutes: number) => instant(START + minutes * 60_000);

let serial = 0;
const fill = (side: "buy" | "sell", size: string, price: string, minutes = 0, fee = "0"): Fill => {
  serial += 1;
  return {
    tradeId: String(serial),
    orderId: "o",
    instrument: "ETH-USDT-SWAP",
    side,
    size,
    price,
    fee,
    feeAsset: "USDT",
    liquidity: "taker",
    filledAt: at(minutes),
  };
};

test("a long is opened, added to, reduced and closed", () => {
  const fills = [
    fill("buy", "10", "1000", 0, "0.5"),
    fill("buy", "10", "1100", 1, "0.55"),
    fill("sell", "5", "1200", 2, "0.3"),
  ];
  expect(positionsOf(fills, SIZE)).toMatchObject([
    {
      side: "long",
      contracts: "15",
      entryPrice: "1050",
      cost: "1575",
      realized: "75",
      exitPrice: "1200",
      closedAt: null,
      fees: { USDT: "1.35" },
    },
  ]);
  const [closed] = positionsOf([...fills, fill("sell", "15", "1000", 61)], SIZE);
  expect(closed).toMatchObject({
    contracts: "0",
    realized: "0",
    entryPrice: "1050",
    exitPrice: "1050",
    peakContracts: "20",
  });
  expect(heldFor(closed!, at(99))).toBe(61 * 60_000);
});

test("a short gains as the price falls", () => {
  const [short] = positionsOf([fill("sell", "10", "1000")], SIZE);
  expect(short).toMatchObject({ side: "short", contracts: "-10", entryPrice: "1000" });
  expect(unrealizedOf(short!, "990", SIZE)).toBe("10");
});

test("a flip is split in two, with its fee", () => {
  const flip = fill("sell", "30", "1100", 1, "3");
  const [long, short, ...more] = positionsOf([fill("buy", "10", "1000"), flip], SIZE);
  expect(more).toEqual([]);
  expect(long).toMatchObject({ closedAt: at(1), realized: "100", fees: { USDT: "1" } });
  expect(short).toMatchObject({ side: "short", contracts: "-20", openedBy: flip.tradeId, fees: { USDT: "2" } });
});

test("fees are kept by currency, and a rebate is negative", () => {
  const rebate = { ...fill("buy", "1", "1000"), fee: "-0.02", feeAsset: "OKB" };
  expect(positionsOf([fill("buy", "1", "1000", 0, "0.05"), rebate], SIZE)[0]?.fees).toEqual({
    USDT: "0.05",
    OKB: "-0.02",
  });
});

const fills = fc
  .array(
    fc.record({
      side: fc.constantFrom<"buy" | "sell">("buy", "sell"),
      lots: fc.integer({ min: 1, max: 700 }),
      cents: fc.integer({ min: 1, max: 9_000_000 }),
      fee: fc.integer({ min: -500, max: 5000 }),
      minutes: fc.integer({ min: 0, max: 30 }),
    }),
    { minLength: 1, maxLength: 25 },
  )
  .map((list) =>
    list.map(({ side, lots, cents, fee, minutes }) =>
      fill(side, String(lots / 10), String(cents / 100), minutes, String(fee / 1000)),
    ),
  );
const price = fc.integer({ min: 1, max: 9_000_000 }).map((cents) => String(cents / 100));
const funding = fc.integer({ min: -1000, max: 1000 }).map((n) => String(n / 100));

/** The signed contracts that fills leave. */
const netOf = (list: readonly Fill[]) =>
  once(list)
    .reduce((sum, one) => sum.plus(signed(one)), big(0))
    .toFixed();

test("what the fills bring in cash equals realized + unrealized − fees + funding, exactly", () => {
  fc.assert(
    fc.property(fills, price, funding, (list, mark, paid) => {
      // Equity by the venue's arithmetic: cash moved by each fill, and what is held at the mark.
      const cash = list.reduce((sum, f) => sum.minus(signed(f).times(SIZE).times(f.price)).minus(f.fee), big(paid));
      const equity = cash.plus(big(netOf(list)).times(SIZE).times(mark));
      const sum = positionsOf(list, SIZE).reduce(
        (total, position) =>
          total
            .plus(position.realized)
            .plus(unrealizedOf(position, mark, SIZE))
            .minus(position.fees.USDT ?? 0),
        big(paid),
      );
      expect(sum.toFixed()).toBe(equity.toFixed());
    }),
    { numRuns: 400 },
  );
});

test("the change of equity between two marks is exactly the change of unrealized", () => {
  fc.assert(
    fc.property(fills, price, price, (list, from, to) => {
      const last = positionsOf(list, SIZE).at(-1)!;
      const moved = big(unrealizedOf(last, to, SIZE)).minus(unrealizedOf(last, from, SIZE));
      expect(moved.toFixed()).toBe(big(last.contracts).times(SIZE).times(big(to).minus(from)).toFixed());
    }),
  );
});

test("shuffling and replaying fills changes nothing", () => {
  const shuffled = fills.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 })),
  );
  fc.assert(
    fc.property(shuffled, ([list, again]) => {
      expect(positionsOf(again, SIZE)).toEqual(positionsOf(list, SIZE));
      expect(netOf(again)).toBe(netOf(list));
      expect(totalOf(again)).toEqual(totalOf(list));
    }),
  );
});

test("signed fills add up to the position, only the last episode is open, and flat has no risk", () => {
  fc.assert(
    fc.property(fills, price, (list, stop) => {
      const episodes = positionsOf(list, SIZE);
      const last = episodes.at(-1)!;
      expect(last.contracts).toBe(netOf(list));
      for (const episode of episodes.slice(0, -1)) expect(episode).toMatchObject({ contracts: "0", cost: "0" });
      const risk = riskUsdOf(last, stop, SIZE, "15");
      expect(big(risk).eq(0)).toBe(big(last.contracts).eq(0));
      expect(big(risk).gte(0)).toBe(true);
    }),
  );
});

test("risk is the loss at the stop with the way out", () => {
  const [long] = positionsOf([fill("buy", "10", "1000")], SIZE);
  expect(riskUsdOf(long!, "980", SIZE, "15")).toBe("21.47"); // 20 + 980 · 0.0015
  expect(riskUsdOf(long!, "1100", SIZE, "15")).toBe("1.65"); // the stop locks a gain in: only the way out
  expect(riskUsdOf(long!, null, SIZE, "15")).toBe("1000");
});

test("the drawdown is the deepest fall from the highest equity, over the entry", () => {
  const [long] = positionsOf([fill("buy", "10", "1000", 0), fill("sell", "10", "1010", 9)], SIZE);
  const marks = [900, 1100, 1040, 1050].map((mark, i) => ({ at: at(i + 1), mark: String(mark) }));
  expect(maxDrawdownOf(long!, marks, SIZE)).toBe("0.1"); // −100 at 900; later 100 down to 10 at the exit is 90
  expect(maxDrawdownOf(long!, marks.slice(1), SIZE)).toBe("0.09");
  expect(
    maxDrawdownOf(
      long!,
      [
        { at: at(-1), mark: "1" },
        { at: at(10), mark: "1" },
      ],
      SIZE,
    ),
  ).toBe("0");
});
