import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { type Decimal, decimalOf, ZERO } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { POLICY } from "../plans/policy.ts";
import type { Fill } from "./fill.ts";
import { positionsOf } from "./position.ts";
import { isSettled, type Marking, positionRow, type RowInput } from "./position-row.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const at = (minutes: number) => instant(START + minutes * 60_000);
const ACCOUNT = { mode: "demo", venue: "paper" } as const;

const fill = (tradeId: string, side: Fill["side"], size: Decimal, price: Decimal, minutes: number): Fill => ({
  ...{
    tradeId,
    orderId: idOf("order", tradeId),
    instrument: ETH_SWAP.id,
    side,
    size,
    price,
    fee: decimalOf("0.5"),
    feePrice: null,
    feeAsset: "USDT",
  },
  ...{ liquidity: "taker", filledAt: at(minutes) },
});
const OPENED = [
  fill("1", "buy", decimalOf("10"), decimalOf("1000"), 0),
  fill("2", "buy", decimalOf("10"), decimalOf("1100"), 1),
];
const CLOSED = [...OPENED, fill("3", "sell", decimalOf("20"), decimalOf("1200"), 60)];
const MARKING: Marking = {
  at: at(30),
  mark: decimalOf("1060"),
  equity: decimalOf("10000"),
  barSeconds: 300,
  measure: true,
};

const row = (fills: readonly Fill[], overrides: Partial<RowInput> = {}) => {
  const [episode] = positionsOf(fills, ETH_SWAP.contractSize);
  if (!episode) throw new TypeError("no episode");
  const facts = new Map([
    [idOf("order", "1"), { stopLoss: decimalOf("990"), walletId: idOf("wallet", "whale") }],
    [idOf("order", "2"), { stopLoss: decimalOf("1030"), walletId: idOf("wallet", "other") }],
    [idOf("order", "3"), { stopLoss: null, walletId: null }],
  ]);
  const common = { account: ACCOUNT, instrument: ETH_SWAP, episode, ordinal: 0, facts, funding: [], candles: null };
  return positionRow({ ...common, marking: MARKING, policy: POLICY, ...overrides });
};

test("an open position is valued at the mark; the newest stop rules, the first wallet signed", () => {
  expect(row(OPENED)).toMatchObject({
    ...{ side: "long", contracts: "20", size: "2", entryPrice: "1050", exitPrice: null, closedAt: null },
    ...{ unrealizedPnl: "20", realizedPnl: "0", feesPaid: "1", leverage: "0.21", holdingTime: "1800 seconds" },
    ...{ stopPrice: "1030", signalWalletId: idOf("wallet", "whale"), markPrice: "1060", maxDrawdown: null },
    // (1050 − 1030) · 2 at the stop and 15 bps of 2060 on the way out, over 10,000
    riskConsumed: "0.004309",
  });
});

test("a closed position holds nothing, risks nothing, and keeps the most that it held", () => {
  expect(row(CLOSED, { marking: { ...MARKING, at: at(60), mark: null }, candles: [] })).toMatchObject({
    ...{ contracts: "0", size: "2", exitPrice: "1200", closedAt: at(60), unrealizedPnl: "0", realizedPnl: "300" },
    ...{ riskConsumed: "0", leverage: "1", markPrice: null, holdingTime: "3600 seconds", feesPaid: "1.5" },
  });
});

test("a mark of the venue is none of a closed position's", () => {
  expect(row(CLOSED)).toMatchObject({ markPrice: null, unrealizedPnl: "0" });
});

test("without a mark it is valued at its entry, without equity it has no risk, and risk is capped", () => {
  expect(row(OPENED, { marking: { ...MARKING, mark: null } })).toMatchObject({ unrealizedPnl: "0", markPrice: null });
  expect(row(OPENED, { marking: { ...MARKING, equity: ZERO } })).toMatchObject({ riskConsumed: "0", leverage: "1" });
  expect(row(OPENED, { marking: { ...MARKING, equity: decimalOf("0.001") } }).riskConsumed).toBe("999");
  expect(row(OPENED, { facts: new Map() })).toMatchObject({
    stopPrice: null,
    riskConsumed: "0.21",
    signalWalletId: null,
  });
});

test("funding counts after the opening and up to the close, and what comes back is a plus", () => {
  const funding = [
    { at: at(0), amount: decimalOf("-9") }, // at the opening: of the episode before
    { at: at(30), amount: decimalOf("-1.25") },
    { at: at(60), amount: decimalOf("-0.5") },
    { at: at(61), amount: decimalOf("-7") },
  ];
  expect(row(CLOSED, { funding }).fundingPaid).toBe("1.75");
  expect(row(OPENED, { funding }).fundingPaid).toBe("8.75");
  expect(row(CLOSED, { funding: [{ at: at(30), amount: decimalOf("2") }] }).fundingPaid).toBe("-2");
  const even = [
    { at: at(10), amount: decimalOf("-3") },
    { at: at(20), amount: decimalOf("3") },
  ];
  expect(row(CLOSED, { funding: even }).fundingPaid).toBe("0");
  expect(row(CLOSED, { funding: even.toReversed() }).fundingPaid).toBe("0");
});

test("the drawdown runs along the closes of the bars, each at its end", () => {
  const bar = (minutes: number, close: Decimal) => ({
    ...{ openedAt: at(minutes), open: close, high: close, low: close, close, volume: decimalOf("1") },
  });
  const candles = [bar(0, decimalOf("1150")), bar(5, decimalOf("1000")), bar(10, decimalOf("1120"))];
  // from 2 · (1150 − 1050) − 1 down to 2 · (1000 − 1050) − 1, over an entry of 2,100
  expect(row(OPENED, { candles }).maxDrawdown).toBe("0.1429");
  expect(row(OPENED, { candles: [] }).maxDrawdown).toBe("0.0002");
});

test("a closed episode is settled once its row says what its fills say; an open one never is", () => {
  const [open, closed] = [OPENED, CLOSED].map((fills) => positionsOf(fills, ETH_SWAP.contractSize)[0]);
  if (!open || !closed) throw new TypeError("no episode");
  const { openedAt, closedAt, realizedPnl, feesPaid, feesUnvalued } = row(CLOSED);
  const stored = { openedAt, closedAt, realizedPnl, feesPaid, feesUnvalued };
  expect(isSettled(stored, closed)).toBe(true);
  expect(isSettled({ ...stored, realizedPnl: decimalOf("299") }, closed)).toBe(false);
  expect(isSettled({ ...stored, feesPaid: decimalOf("1") }, closed)).toBe(false);
  expect(isSettled({ ...stored, feesUnvalued: true }, closed)).toBe(false);
  expect(isSettled({ ...stored, closedAt: null }, closed)).toBe(false);
  expect(isSettled({ ...stored, openedAt: at(1) }, closed)).toBe(false);
  const begun = { openedAt, closedAt: null, realizedPnl: ZERO, feesPaid: decimalOf("1"), feesUnvalued };
  expect(isSettled(begun, open)).toBe(false);
});
