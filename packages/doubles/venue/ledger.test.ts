import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { virtualClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { okxClient } from "#runtime/okx/client";
import { okxExchange } from "#runtime/okx/exchange";
import { ETH_SWAP } from "#testing/instruments";
import { paperAccess } from "#testing/paper-access";
import { type Big, big, type Decimal, decimalOf, text, ZERO } from "#units/decimal";
import { instant } from "#units/time";
import { applyFill, newAccount, type PaperOrder, unrealized } from "./account.ts";
import { type Book, type Listing, paperBook } from "./book.ts";
import { FUNDING_RULE, settleFunding } from "./funding.ts";
import { type Cause, SUBTYPES } from "./ledger.ts";
import { type PaperVenueConfig, paperVenue } from "./venue.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const HOUR = 3_600_000;
const BAR = 300;
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };

/** A price that stays where it is. */
const flat = Array.from({ length: 400 }, (_, i) => {
  const price = decimalOf("1000");
  const opened = instant(START + i * BAR * 1000);
  return { openedAt: opened, open: price, high: price, low: price, close: price, volume: decimalOf("10000") };
});
const source = { barSeconds: BAR, instruments: () => [instrumentRow(ETH_SWAP)], bars: () => flat };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function stage(config: Partial<PaperVenueConfig> = {}) {
  const clock = virtualClock(START + HOUR);
  const venue = await paperVenue({ clock, source, key: KEY, ...config });
  closing.push(venue.close);
  const access = paperAccess(venue.url, KEY);
  const exchange = okxExchange(access);
  const client = okxClient(access);
  client.options.fetchMarkets = { types: ["swap"] };
  client.has.fetchCurrencies = false;
  await exchange.now();
  const sync = () => {
    client.options.timeDifference = Date.now() - clock.now();
  };
  sync();
  let nth = 0;
  return {
    ...{ clock, venue, exchange, client },
    pass: (ms: number) => {
      clock.set(clock.now() + ms);
      sync();
    },
    trade: (side: "buy" | "sell", size: string) => {
      nth += 1;
      const fields = { instrument: ETH_SWAP.id, side, type: "market", size: decimalOf(size), price: null } as const;
      const expiresAt = instant(clock.now() + 4000);
      return exchange.submit({ ...fields, clientOrderId: `d${nth}`, reduceOnly: false, expiresAt });
    },
  };
}

test("every change of the balance is a bill, and the balance is their sum", async () => {
  const { venue, exchange, trade, pass } = await stage();
  await trade("buy", "30");
  pass(8 * HOUR);
  await trade("sell", "45");
  expect(venue.transfer(decimalOf("-9000"))).toMatchObject({ type: "1", subType: "12", balChg: "-9000" });
  expect(venue.transfer(decimalOf("500"))).toMatchObject({ type: "1", subType: "11", balChg: "500" });
  const { bills, cash, fills } = venue.state();
  expect(bills.map(({ type, subType }) => [type, subType])).toEqual([
    ...[
      ["2", "1"],
      ["8", "173"],
      ["2", "2"],
      ["1", "12"],
      ["1", "11"],
    ],
  ]);
  let balance = big(decimalOf("100000"));
  for (const bill of bills) {
    balance = balance.plus(bill.balChg);
    expect(bill.bal).toBe(text(balance));
  }
  expect(cash).toEqual({ USDT: text(balance) });
  // 30 contracts of 0.1 ETH at 1,000 pay 0.01 % for the eight hours.
  expect(bills[1]).toMatchObject({ instId: ETH_SWAP.id, balChg: "-0.3", pnl: "-0.3", ts: START + 8 * HOUR });
  expect(fills.map(({ billId, subType }) => [billId, subType])).toEqual([
    [bills[0]?.billId, "1"],
    [bills[2]?.billId, "2"],
  ]);
  const [position] = await exchange.positions();
  const { equity } = await exchange.balance();
  expect(equity).toBe(text(balance.plus(position?.unrealizedPnl ?? 0)));
  expect(() => venue.transfer(decimalOf("-1000000"))).toThrow(RangeError);
  expect(() => venue.transfer(ZERO)).toThrow(RangeError);
});

test("ccxt's own ledger and funding history read it", async () => {
  const { venue, client, trade, pass } = await stage();
  await trade("buy", "30");
  pass(8 * HOUR);
  venue.transfer(decimalOf("-9000"));
  await client.loadMarkets();
  const [opened, paid, moved] = venue.state().bills;
  const read = await client.fetchLedger("USDT", undefined, undefined, { type: "swap", instType: undefined });
  expect(read.map(({ id, type, amount, after }) => [id, type, amount, after])).toEqual([
    [opened?.billId, "trade", opened?.balChg, opened?.bal],
    [paid?.billId, "fee", "-0.3", paid?.bal],
  ]);
  const rows = await client.privateGetAccountBillsArchive({ type: "1" });
  expect(rows).toMatchObject({ data: [{ billId: moved?.billId, subType: "12", balChg: "-9000", instType: "" }] });
  const funding = await client.fetchFundingHistory("ETH/USDT:USDT");
  expect(funding).toMatchObject([{ id: paid?.billId, symbol: "ETH/USDT:USDT", code: "USDT", amount: "-0.3" }]);
});

test("bills are paged by their id, a hundred at a time, and forgotten after seven days but for the archive", async () => {
  const { venue, client, pass } = await stage();
  for (let i = 1; i <= 250; i += 1) venue.transfer(decimalOf(String(i)));
  const ask = async (path: "account/bills" | "account/bills-archive", query: Record<string, string> = {}) => {
    const call = path === "account/bills" ? client.privateGetAccountBills : client.privateGetAccountBillsArchive;
    const { data } = (await call.call(client, query)) as { data: { billId: string; balChg: string }[] };
    return data;
  };
  const first = await ask("account/bills");
  expect([first.length, first[0]?.balChg, first.at(-1)?.balChg]).toEqual([100, "250", "151"]);
  const next = await ask("account/bills", { after: first.at(-1)?.billId ?? "" });
  expect([next.length, next[0]?.balChg]).toEqual([100, "150"]);
  const newer = await ask("account/bills", { before: first[2]?.billId ?? "" });
  expect(newer.map(({ balChg }) => balChg)).toEqual(["250", "249"]);
  expect(new Set(venue.state().bills.map(({ billId }) => billId)).size).toBe(250);
  pass(8 * 24 * HOUR);
  expect(await ask("account/bills")).toEqual([]);
  expect((await ask("account/bills-archive")).length).toBe(100);
});

test("the venue lists the subtypes that it writes, and knows no other type", async () => {
  const { venue, clock } = await stage();
  const ask = async (path: string) => {
    const time = new Date(clock.now()).toISOString();
    const sign = createHmac("sha256", KEY.secret).update(`${time}GET${path}`).digest("base64");
    const signed = { "OK-ACCESS-KEY": KEY.apiKey, "OK-ACCESS-PASSPHRASE": KEY.passphrase, "OK-ACCESS-TIMESTAMP": time };
    const headers = { ...signed, "OK-ACCESS-SIGN": sign, "x-simulated-trading": "1" };
    return (await fetch(`${venue.url}${path}`, { headers })).json();
  };
  const { data } = (await ask("/api/v5/account/subtypes?type=5,8")) as { data: unknown };
  const of = (...list: string[]) => list.map((subType) => ({ subType, subTypeDesc: "" }));
  expect(data).toEqual([
    { type: "5", typeDesc: "", subTypeDetails: of("102", "103", "106", "107", "110", "111") },
    { type: "8", typeDesc: "", subTypeDetails: of("173", "174") },
  ]);
  expect(await ask("/api/v5/account/subtypes?type=99")).toMatchObject({ code: "51000" });
});

test("an account of the format before is taken over with its equity to the last digit; its position goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "paper-"));
  const file = join(folder, "account.json");
  const position = { instId: ETH_SWAP.id, contracts: "3", avgPx: "990", cTime: START, uTime: START, tradeId: "1" };
  const sums = { initial: "100000", cashflow: "-297", fees: "0.15", funding: "-0.02" };
  const kept = { fundedTo: START, leverage: {}, positions: [position], orders: [], fills: [], fundings: [] };
  writeFileSync(file, JSON.stringify({ format: "spyhop-paper/1", ...sums, ...kept }));
  const { venue, exchange } = await stage({ file });
  expect(venue.state()).toMatchObject({ cash: { USDT: "99999.83" }, bills: [], positions: [{ cost: "297" }] });
  expect((await exchange.balance()).equity).toBe("100002.83");
  rmSync(folder, { recursive: true });
});

const LISTING = paperBook(source, { halfSpreadBps: 1, liquidityShare: 0.1 }).listings.get(ETH_SWAP.id) as Listing;
const order = (side: "buy" | "sell", size: Decimal): PaperOrder => ({
  ...{ ordId: "1", clOrdId: "", instId: ETH_SWAP.id, side, ordType: "market", tdMode: "cross", sz: size, px: "" },
  ...{ reduceOnly: false, state: "live", accFillSz: ZERO, filledValue: ZERO, fee: ZERO, feeCcy: "USDT", pnl: ZERO },
  ...{
    tradeId: "",
    algoId: "",
    algoClOrdId: "",
    source: "",
    category: "normal",
    amendSource: "",
    cancelSource: "",
    attached: [],
    cTime: 1,
    uTime: 1,
  },
});
const execution = fc.record({
  side: fc.constantFrom("buy" as const, "sell" as const),
  size: fc.integer({ min: 1, max: 900 }).map((lots) => big(lots).div(100)),
  price: fc.integer({ min: 90_000, max: 110_000 }).map((ticks) => big(ticks).div(100)),
  cause: fc.constantFrom<Cause>("trade", "trade", "partial_liquidation", "liquidation", "adl"),
});

test("law: balance + unrealized is what the trades and the mark make it, for any executions by any cause", () => {
  fc.assert(
    fc.property(fc.array(execution, { maxLength: 40 }), (list) => {
      const state = newAccount(decimalOf("100000"));
      let equity: Big = big(100_000);
      let mark = big(1000);
      for (const [i, { side, size, price, cause }] of list.entries()) {
        const held = big(state.positions[0]?.contracts ?? ZERO);
        equity = equity
          .plus(held.times("0.1").times(price.minus(mark)))
          .minus(size.times("0.1").times(price).times("0.0005"));
        mark = price;
        const fill = {
          order: order(side, text(size)),
          size,
          price,
          execType: "T",
          feeRate: big(decimalOf("0.0005")),
          cause,
          now: i,
        };
        applyFill(state, LISTING, fill as Parameters<typeof applyFill>[2]);
        const [position] = state.positions;
        const profit = position ? unrealized(position, LISTING, mark) : big(0);
        expect(text(profit.plus(state.cash.USDT ?? 0))).toBe(text(equity));
        const { type, subType } = state.bills.at(-1) as (typeof state.bills)[number];
        expect(SUBTYPES.get(type)).toContain(subType);
      }
      const ids = state.bills.map(({ billId }) => BigInt(billId));
      expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] as bigint))).toBe(true);
    }),
  );
});

test("funding falls due once at each interval of its instrument, and a short receives what a long pays", () => {
  const state = newAccount(decimalOf("100000"));
  const book: Book = paperBook(source, { halfSpreadBps: 1, liquidityShare: 0.1 });
  const short = {
    order: order("sell", decimalOf("3")),
    size: big(3),
    price: big(1000),
    execType: "T",
    feeRate: big(0),
  };
  applyFill(state, LISTING, { ...short, now: START } as Parameters<typeof applyFill>[2]);
  const hourly = () => ({ ...FUNDING_RULE, hours: 1 });
  settleFunding(state, book, hourly, START);
  for (const at of [START + HOUR - 1, START + HOUR, START + HOUR, START + 3 * HOUR + 5])
    settleFunding(state, book, hourly, at);
  const paid = state.bills.filter(({ type }) => type === "8");
  expect(paid.map(({ ts, subType, balChg }) => [(ts - START) / HOUR, subType, balChg])).toEqual([
    [1, "174", "0.03"],
    [2, "174", "0.03"],
    [3, "174", "0.03"],
  ]);
});
