import { describe, expect, test } from "vitest";
import {
  blockOf,
  log,
  POOL,
  ROUTER,
  type Sent,
  transfer,
  USDC,
  WALLET,
  withdrawal,
  word,
} from "#testing/one-transaction";
import { type Decimal, decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instantOf } from "#units/time";
import { eventsOf } from "./decode.ts";
import { balanceQuestions, holdingsOf } from "./equity.ts";
import { ChainEvent, qualityOf } from "./event.ts";
import { type Label, labelBook } from "./labels.ts";
import { netBlock } from "./net.ts";
import { pricesAt } from "./price.ts";
import { NATIVE, WETH, ZERO_ADDRESS } from "./tokens.ts";
import { COW_NATIVE, COW_SETTLEMENT, TOPIC } from "./topics.ts";
import { watchSet } from "./touch.ts";
import { wordOf } from "./transfers.ts";
import { sizeFraction } from "./value.ts";

const USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7";
const LINK = "0x514910771af9ca656af840dff83e8264ecf986ca";
const STETH = "0xae7ab96520de3a18e5e111b5eaab095312d7fe84";
const UNKNOWN = `0x${"e5".repeat(20)}`;
const EXCHANGE = `0x${"be".repeat(20)}`;
const FRIEND = `0x${"f7".repeat(20)}`;
const V3_POOL = "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640"; // USDC/WETH 0.05 %
const AAVE = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2";
const ETHER = 10n ** 18n;
const DOLLAR = 10n ** 6n;

const labels: Label[] = [
  { address: EXCHANGE, kind: "exchange", name: "Some exchange", source: "list", date: "2022-01-01" },
];
const at = instantOf("2022-06-21T02:31:04.000Z"); // of the generated block
const bar = (instrument: string, close: Decimal, closedAt: Instant) => ({
  instrument,
  close,
  closedAt,
  openedAt: instantOf("2022-06-21T02:25:00.000Z"),
});
const prices = pricesAt([bar("ETH-USDT-SWAP", decimalOf("1000"), instantOf("2022-06-21T02:30:00.000Z"))], at);

const decode = (sent: Sent, book = labels, equity = new Map<string, Decimal | null>()) =>
  eventsOf(netBlock(blockOf(sent), watchSet([WALLET])), {
    chain: "ethereum",
    block: blockOf(sent).block,
    observedAt: instantOf("2022-06-21T02:32:00.000Z"),
    labels: labelBook(book),
    prices,
    walletIds: new Map([[WALLET, idOf("wallet", "ethereum", WALLET)]]),
    equity,
  });
const told = (sent: Sent, book = labels) =>
  decode(sent, book).map((e) => [e.type, e.asset, e.direction, e.amount, e.notionalUsd, e.venue]);

const swapLog = (pool: string, index: number) =>
  log(pool, [TOPIC.v3Swap, wordOf(ROUTER), wordOf(ROUTER)], `0x${word(1n).repeat(5)}`, index);
const given = (token: string, amount: bigint, index: number, to = POOL) => transfer(token, WALLET, to, amount, index);
const got = (token: string, amount: bigint, index: number, from = POOL) => transfer(token, from, WALLET, amount, index);

describe("swaps", () => {
  test("money for ether in a proven pool", () => {
    const logs = [given(USDC, 5000n * DOLLAR, 0, V3_POOL), got(WETH, 5n * ETHER, 1, V3_POOL), swapLog(V3_POOL, 2)];
    const [event, ...more] = decode({ logs });
    expect(more).toEqual([]);
    expect(event).toMatchObject({ type: "swap", asset: "ETH", direction: 1, amount: "5", notionalUsd: "5000.00" });
    expect(event).toMatchObject({ venue: "uniswap_v3", counterparty: V3_POOL, logIndex: 1, tokenAddress: WETH });
    const { block } = blockOf({ logs });
    const place = [block.hash, block.transactions[0]!.hash, 1] as const;
    expect(event?.id).toBe(idOf("event", "ethereum", ...place, idOf("wallet", "ethereum", WALLET)));
    expect(event?.evidence.price).toMatchObject({ of: "ETH", usd: "1000", source: "ETH-USDT-SWAP" });
    expect(ChainEvent.parse(event)).toEqual(event);
    expect(qualityOf(event!.evidence)).toBe(1);
  });
  test("two risky legs are two events; an unpriced one is worth what the other was", () => {
    const logs = [given(LINK, 700n * ETHER, 0), got(WETH, 5n * ETHER, 1), swapLog(POOL, 2)];
    expect(told({ logs })).toEqual([
      ["swap", "LINK", -1, "700", "5000.00", "v3_fork"],
      ["swap", "ETH", 1, "5", "5000.00", "v3_fork"],
    ]);
    expect(decode({ logs })[0]?.evidence.price?.of).toBe("ETH");
    expect(decode({ logs })[0]?.evidence.quality.decode).toBe(0.9);
  });
  test("both unpriced stays null", () => {
    const logs = [given(LINK, 700n * ETHER, 0), got("0x1f9840a85d5af5bf1d1762f925bdaddc4201f984", ETHER, 1)];
    expect(told({ logs }).map((row) => row[4])).toEqual([null, null]);
  });
  test("money for money has no direction; a dust leg does not disturb", () => {
    const logs = [given(USDC, 1000n * DOLLAR, 0), got(USDT, 999n * DOLLAR, 1), got(WETH, ETHER / 1000n, 2)];
    expect(told({ logs })).toEqual([["swap", "USDT", 0, "999", "999.00", null]]);
    expect(decode({ logs })[0]?.evidence.dust).toMatchObject([{ asset: "ETH", amount: "0.001" }]);
  });
  test("ether paid out after a sale is inferred, at lower quality", () => {
    const logs = [given(USDC, 5000n * DOLLAR, 0), swapLog(POOL, 1), withdrawal(ROUTER, 5n * ETHER, 2)];
    const [event] = decode({ logs });
    expect(event).toMatchObject({
      type: "swap",
      asset: "ETH",
      direction: 1,
      amount: "5",
      logIndex: -1,
      tokenAddress: NATIVE,
    });
    expect(event?.evidence.quality.decode).toBe(0.72);
    expect(event?.evidence.legs[0]).toMatchObject({ source: "unwrap-inferred", logIndexes: [2] });
  });
  test("a CoW order's owner is not its sender", () => {
    const data = `0x${word(BigInt(USDC))}${word(BigInt(COW_NATIVE))}${word(5000n * DOLLAR)}${word(5n * ETHER)}${word(0n)}`;
    const logs = [
      given(USDC, 5000n * DOLLAR, 0, COW_SETTLEMENT),
      log(COW_SETTLEMENT, [TOPIC.cowTrade, wordOf(WALLET)], data, 1),
    ];
    expect(told({ from: FRIEND, to: COW_SETTLEMENT, logs })).toEqual([["swap", "ETH", 1, "5", "5000.00", "cow"]]);
  });
  test("staked ether for ether changes no exposure", () => {
    expect(told({ logs: [given(STETH, ETHER, 0), got(WETH, ETHER, 1)] }).map((row) => row[2])).toEqual([0, 0]);
  });
});

describe("what others can fake", () => {
  test("an unknown token against ether counts only with a pool, in a transaction of the wallet itself", () => {
    const logs = [given(WETH, ETHER, 0), got(UNKNOWN, 10n ** 30n, 1)];
    expect(told({ logs })).toEqual([["complex", "ETH", 0, "1", "1000.00", null]]);
    expect(told({ logs: [...logs, swapLog(POOL, 2)] })).toEqual([["swap", "ETH", -1, "1", "1000.00", "v3_fork"]]);
    expect(decode({ logs: [...logs, swapLog(POOL, 2)] })[0]?.evidence.quality.decode).toBe(0.5);
    const bait = [given(UNKNOWN, 10n ** 30n, 0), got(WETH, ETHER, 1), swapLog(POOL, 2)];
    expect(told({ from: FRIEND, logs: bait }).map((row) => [row[0], row[2]])).toEqual([["complex", 0]]);
  });
  test("fake tokens, zero transfers and unasked-for cents give no event", () => {
    expect(decode({ from: FRIEND, logs: [got(UNKNOWN, 5n, 0), given(UNKNOWN, 5n, 1, FRIEND)] })).toEqual([]);
    expect(decode({ from: FRIEND, logs: [given(USDC, 0n, 0, FRIEND)] })).toEqual([]);
    expect(decode({ from: FRIEND, logs: [got(USDC, DOLLAR / 2n, 0, FRIEND)] })).toEqual([]);
    expect(decode({ from: FRIEND, logs: [got(USDC, 2n * DOLLAR, 0, FRIEND)] })).toHaveLength(1);
  });
  test("an airdropped token beside a swap does not hide it", () => {
    const logs = [given(USDC, 5000n * DOLLAR, 0), got(WETH, 5n * ETHER, 1), got(UNKNOWN, 9n, 2), swapLog(POOL, 3)];
    expect(told({ logs }).map((row) => row.slice(0, 3))).toEqual([["swap", "ETH", 1]]);
  });
});

describe("labels and markers", () => {
  test("deposits and withdrawals by label; a label younger than the event is trusted less", () => {
    expect(told({ to: EXCHANGE, value: 2n * ETHER, input: "0x" })).toEqual([
      ["cex_deposit", "ETH", -1, "2", "2000.00", "Some exchange"],
    ]);
    expect(told({ from: EXCHANGE, logs: [got(USDC, 50n * DOLLAR, 0, EXCHANGE)] })).toEqual([
      ["cex_withdrawal", "USDC", 1, "50", "50.00", "Some exchange"],
    ]);
    const young = labels.map((label) => ({ ...label, date: "2023-01-01" }));
    expect(decode({ to: EXCHANGE, value: ETHER }, young)[0]?.evidence.quality).toEqual({ decode: 1, label: 0.9 });
  });
  test("a watched exchange's own moves are plain transfers", () => {
    const own: Label[] = [...labels, { address: WALLET, kind: "exchange", name: "Hot", source: "list", date: null }];
    expect(told({ to: EXCHANGE, value: ETHER, input: "0x" }, own).map((row) => row[0])).toEqual(["transfer_out"]);
  });
  test("transfers, mints and what calls a contract", () => {
    expect(told({ to: FRIEND, value: ETHER, input: "0x" }).map((row) => row[0])).toEqual(["transfer_out"]);
    expect(told({ to: FRIEND, value: ETHER, input: "0x1234" }).map((row) => [row[0], row[2]])).toEqual([
      ["complex", 0],
    ]);
    expect(told({ from: FRIEND, logs: [got(USDC, 9n * DOLLAR, 0, ZERO_ADDRESS)] }).map((row) => row[0])).toEqual([
      "mint_burn",
    ]);
    expect(told({ logs: [given(USDC, 9n * DOLLAR, 0), swapLog(POOL, 1)] }).map((row) => [row[0], row[2]])).toEqual([
      ["complex", 0],
    ]);
  });
  test("staking, lending, liquidity and wrapping are not swaps", () => {
    const stake = { to: STETH, value: ETHER, logs: [got(STETH, ETHER - 1n, 0, ZERO_ADDRESS)] };
    expect(told(stake)).toEqual([["stake", "ETH", -1, "1", "1000.00", "stETH"]]);
    const supply = log(AAVE, [TOPIC.aaveSupply, wordOf(USDC), wordOf(WALLET)], "0x", 2);
    const lend = [given(USDC, 9n * DOLLAR, 0, UNKNOWN), got(UNKNOWN, 9n * DOLLAR, 1, ZERO_ADDRESS), supply];
    expect(told({ to: AAVE, logs: lend })).toEqual([["lend", "USDC", -1, "9", "9.00", "Aave v3"]]);
    const fake = lend.map((one) => (one === supply ? { ...one, address: UNKNOWN } : one));
    expect(told({ logs: fake }).map((row) => row[0])).toEqual(["complex"]);
    const mint = log(UNKNOWN, [TOPIC.v2Mint, wordOf(ROUTER)], "0x", 3);
    const added = [
      given(USDC, 9n * DOLLAR, 0, UNKNOWN),
      given(WETH, ETHER, 1, UNKNOWN),
      got(UNKNOWN, 5n, 2, ZERO_ADDRESS),
      mint,
    ];
    expect(told({ logs: added }).map((row) => row.slice(0, 3))).toEqual([["liquidity_add", "ETH", -1]]);
    expect(told({ to: WETH, logs: [withdrawal(WALLET, 3n * ETHER, 4)] })).toEqual([
      ["wrap", "ETH", 0, "3", "3000.00", "weth"],
    ]);
  });
  test("three ways at once is complex: moved, with no direction", () => {
    const logs = [
      given(USDC, 500n * DOLLAR, 0),
      given(USDT, 500n * DOLLAR, 1),
      got(WETH, ETHER, 2),
      got(LINK, ETHER, 3),
    ];
    expect(told({ logs }).map((row) => row.slice(0, 3))).toEqual([
      ["complex", "ETH", 0],
      ["complex", "LINK", 0],
    ]);
  });
});

test("prices are known closes, not older than two hours; stablecoins are at par", () => {
  expect([
    ...pricesAt([bar("ETH-USDT-SWAP", decimalOf("1"), instantOf("2022-06-21T00:31:03.000Z"))], at).keys(),
  ]).toEqual(["USDC", "USDT", "DAI"]);
  expect(pricesAt([bar("BTC-USDT-SWAP", decimalOf("1"), at)], at).get("BTC")?.usd).toBe("1");
  expect(pricesAt([bar("BTC-USDT-SWAP", decimalOf("1"), instantOf("2022-06-21T02:31:04.001Z"))], at).has("BTC")).toBe(
    false,
  );
});

test("equity is known only when every priced balance is; the fraction follows", () => {
  const questions = balanceQuestions([WALLET, WALLET], 7, prices);
  expect(questions.filter((question) => question.token === NATIVE).map((question) => question.block)).toEqual([7, 6]);
  const answers = questions.map((question) =>
    question.token === USDC ? 500n * DOLLAR : question.token === NATIVE ? 3n * ETHER : 0n,
  );
  const all = holdingsOf(questions, answers, 7, prices);
  expect([all.equity.get(WALLET), all.native.get(WALLET)]).toEqual([
    "3500.00",
    { before: 3n * ETHER, after: 3n * ETHER },
  ]);
  const gap = holdingsOf(
    questions,
    answers.map((answer, i) => (questions[i]?.token === USDT ? null : answer)),
    7,
    prices,
  );
  expect(gap.equity.get(WALLET)).toBeNull();
  expect(balanceQuestions([WALLET], 0, prices)).toEqual([]);
  expect(
    decode({ to: FRIEND, value: ETHER, input: "0x" }, labels, new Map([[WALLET, decimalOf("4000.00")]]))[0]
      ?.sizeFraction,
  ).toBe("0.250000");
  expect([
    sizeFraction(decimalOf("5"), null),
    sizeFraction(null, decimalOf("5")),
    sizeFraction(decimalOf("5"), decimalOf("0.00")),
  ]).toEqual([null, null, null]);
});
