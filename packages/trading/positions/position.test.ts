import fc from "fast-check";
import { expect, test } from "vitest";
import { big, type Decimal, decimalOf, text } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { type Fill, once, signed, totalOf } from "./fill.ts";
import { heldFor, maxDrawdownOf, positionsOf, riskUsdOf, tradedContracts, unrealizedOf } from "./position.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const SIZE = decimalOf("0.1");
const at = (minutes: number) => instant(START + minutes * 60_000);

let serial = 0;
const fill = (side: "buy" | "sell", size: Decimal, price: Decimal, minutes = 0, fee = decimalOf("0")): Fill => {
  serial += 1;
  return {
    tradeId: String(serial),
    orderId: idOf("order", "o"),
    instrument: "ETH-USDT-SWAP",
    side,
    size,
    price,
    fee,
    feeAsset: "USDT",
    feePrice: null,
    liquidity: "taker",
    filledAt: at(minutes),
  };
};

test("a long is opened, added to, reduced and closed", () => {
  const fills = [
    fill("buy", decimalOf("10"), decimalOf("1000"), 0, decimalOf("0.5")),
    fill("buy", decimalOf("10"), decimalOf("1100"), 1, decimalOf("0.55")),
    fill("sell", decimalOf("5"), decimalOf("1200"), 2, decimalOf("0.3")),
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
  const [closed] = positionsOf([...fills, fill("sell", decimalOf("15"), decimalOf("1000"), 61)], SIZE);
  expect(closed).toMatchObject({
    contracts: "0",
    realized: "0",
    entryPrice: "1050",
    exitPrice: "1050",
    peakContracts: "20",
  });
  expect(heldFor(closed!, at(99))).toBe(61 * 60_000);
});

test("a position whose fill the venue's clock dates after the run is held for no time, not for less", () => {
  const [open] = positionsOf([fill("buy", decimalOf("10"), decimalOf("1000"), 5)], SIZE);
  expect([heldFor(open!, at(4)), heldFor(open!, at(6))]).toEqual([0, 60_000]);
});

test("a short gains as the price falls", () => {
  const [short] = positionsOf([fill("sell", decimalOf("10"), decimalOf("1000"))], SIZE);
  expect(short).toMatchObject({ side: "short", contracts: "-10", entryPrice: "1000" });
  expect(unrealizedOf(short!, decimalOf("990"), SIZE)).toBe("10");
});

test("what was traded counts all that was opened, also what was added back", () => {
  const long = [
    fill("buy", decimalOf("10"), decimalOf("1000")),
    fill("sell", decimalOf("4"), decimalOf("1100"), 1),
    fill("buy", decimalOf("6"), decimalOf("1050"), 2),
    fill("sell", decimalOf("15"), decimalOf("1200"), 3),
  ];
  const [first, flipped] = positionsOf(long, SIZE);
  expect(first && [tradedContracts(first), first.peakContracts]).toEqual(["16", "12"]);
  expect(flipped && [tradedContracts(flipped), flipped.side]).toEqual(["3", "short"]);
});

test("a flip is split in two, with its fee", () => {
  const flip = fill("sell", decimalOf("30"), decimalOf("1100"), 1, decimalOf("3"));
  const [long, short, ...more] = positionsOf([fill("buy", decimalOf("10"), decimalOf("1000")), flip], SIZE);
  expect(more).toEqual([]);
  expect(long).toMatchObject({ closedAt: at(1), realized: "100", fees: { USDT: "1" } });
  expect(short).toMatchObject({ side: "short", contracts: "-20", openedBy: flip.tradeId, fees: { USDT: "2" } });
});

test("fees are kept by currency, and a rebate is negative", () => {
  const rebate = { ...fill("buy", decimalOf("1"), decimalOf("1000")), fee: decimalOf("-0.02"), feeAsset: "OKB" };
  expect(
    positionsOf([fill("buy", decimalOf("1"), decimalOf("1000"), 0, decimalOf("0.05")), rebate], SIZE)[0]?.fees,
  ).toEqual({
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
      fill(side, decimalOf(String(lots / 10)), decimalOf(String(cents / 100)), minutes, decimalOf(String(fee / 1000))),
    ),
  );
const price = fc.integer({ min: 1, max: 9_000_000 }).map((cents) => String(cents / 100));
const funding = fc.integer({ min: -1000, max: 1000 }).map((n) => String(n / 100));

/** The signed contracts that fills leave. */
const netOf = (list: readonly Fill[]) => text(once(list).reduce((sum, one) => sum.plus(signed(one)), big(0)));

test("what the fills bring in cash equals realized + unrealized − fees + funding, exactly", () => {
  fc.assert(
    fc.property(fills, price, funding, (list, mark, paid) => {
      // Equity by the venue's arithmetic: cash moved by each fill, and what is held at the mark.
      const cash = list.reduce(
        (sum, f) => sum.minus(signed(f).times(SIZE).times(f.price)).minus(f.fee),
        big(decimalOf(paid)),
      );
      const equity = cash.plus(big(netOf(list)).times(SIZE).times(mark));
      const sum = positionsOf(list, SIZE).reduce(
        (total, position) =>
          total
            .plus(position.realized)
            .plus(unrealizedOf(position, decimalOf(mark), SIZE))
            .minus(position.fees.USDT ?? 0),
        big(decimalOf(paid)),
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
      const moved = big(unrealizedOf(last, decimalOf(to), SIZE)).minus(unrealizedOf(last, decimalOf(from), SIZE));
      expect(moved.toFixed()).toBe(
        big(last.contracts)
          .times(SIZE)
          .times(big(decimalOf(to)).minus(from))
          .toFixed(),
      );
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
      const risk = riskUsdOf(last, decimalOf(stop), SIZE, decimalOf("15"));
      expect(big(risk).eq(0)).toBe(big(last.contracts).eq(0));
      expect(big(risk).gte(0)).toBe(true);
    }),
  );
});

test("risk is the loss at the stop with the way out", () => {
  const [long] = positionsOf([fill("buy", decimalOf("10"), decimalOf("1000"))], SIZE);
  expect(riskUsdOf(long!, decimalOf("980"), SIZE, decimalOf("15"))).toBe("21.47"); // 20 + 980 · 0.0015
  expect(riskUsdOf(long!, decimalOf("1100"), SIZE, decimalOf("15"))).toBe("1.65"); // the stop locks a gain in: only the way out
  expect(riskUsdOf(long!, null, SIZE, decimalOf("15"))).toBe("1000");
});

test("the drawdown is the deepest fall from the highest equity, over the entry", () => {
  const [long] = positionsOf(
    [fill("buy", decimalOf("10"), decimalOf("1000"), 0), fill("sell", decimalOf("10"), decimalOf("1010"), 9)],
    SIZE,
  );
  const marks = [900, 1100, 1040, 1050].map((mark, i) => ({ at: at(i + 1), mark: decimalOf(String(mark)) }));
  expect(maxDrawdownOf(long!, marks, SIZE)).toBe("0.1"); // −100 at 900; later 100 down to 10 at the exit is 90
  expect(maxDrawdownOf(long!, marks.slice(1), SIZE)).toBe("0.09");
  expect(
    maxDrawdownOf(
      long!,
      [
        { at: at(-1), mark: decimalOf("1") },
        { at: at(10), mark: decimalOf("1") },
      ],
      SIZE,
    ),
  ).toBe("0");
});
