import { expect, test } from "vitest";
import { type Decimal, decimalOf } from "#units/decimal";
import { instant, instantOf, millis } from "#units/time";
import { POLICY } from "../plans/policy.ts";
import { type ClaimLook, objectionOf, sizeNow, sweepOf } from "./claim-look.ts";

const DECIDED = instantOf("2022-06-21T03:00:00.000Z");

test.each([
  ["ioc", 29, "wait"],
  ["ioc", 30, "resend"],
  ["ioc", 89, "resend"],
  ["ioc", 90, "wait"],
  ["ioc", 120, "wait"],
  ["ioc", 121, "void"],
  ["stop", 30, "wait"],
  ["stop", 120, "wait"],
  ["stop", 121, "void"],
  ["take_profit", 121, "void"],
] as const)("an approved %s that nobody claimed for %i s: %s", (type, seconds, act) => {
  const at = instant(millis(DECIDED) + seconds * 1000);
  expect(sweepOf({ type, decidedAt: DECIDED }, at, POLICY)).toBe(act);
});

const after = (ms: number) => instant(millis(DECIDED) + ms);
type Order = Parameters<typeof objectionOf>[0];
const opens: Order = {
  ...{ type: "ioc", side: "buy", size: decimalOf("10"), price: decimalOf("1010"), reduceOnly: false },
  ...{ stopLoss: decimalOf("980"), decidedAt: DECIDED },
};
const sells: Order = { ...opens, side: "sell", price: decimalOf("990"), stopLoss: decimalOf("1020") };
const closes: Order = { ...sells, type: "market", price: null, reduceOnly: true, stopLoss: null };
type Look = Partial<Omit<ClaimLook, "quote">> & { readonly quote?: Partial<ClaimLook["quote"]> | null };
/** The market is where it was at the decision, and allows 980 to 1020. */
const said = (order: Order, { quote = {}, ...over }: Look = {}, at = 1000) => {
  const market = { bid: decimalOf("999"), ask: decimalOf("1001"), mark: decimalOf("1000"), at: after(at) };
  const look = { priceLimit: { buy: decimalOf("1020"), sell: decimalOf("980") }, decidedMark: decimalOf("1000") };
  const asked = { ...look, held: null, quote: quote === null ? null : { ...market, ...quote } };
  return objectionOf(order, { now: after(at), ...asked, ...over }, POLICY);
};
const d = decimalOf;

test.each<[string, Order, Look, string | null]>([
  ["as it was decided", opens, {}, null],
  ["a sale as it was decided", sells, {}, null],
  ["a quote of ten seconds", opens, { quote: { at: after(-9000) } }, null],
  ["an older quote", opens, { quote: { at: after(-9001) } }, "the quote is 10 s old"],
  ["a quote ahead", opens, { quote: { at: after(3000) } }, null],
  ["a quote farther ahead", opens, { quote: { at: after(3501) } }, "the quote is 3 s in the future"],
  ["nobody bids", opens, { quote: { bid: d("0") } }, "a side of the book has no price: 0 bid, 1001 asked"],
  ["nobody asks", opens, { quote: { ask: d("0") } }, "a side of the book has no price: 999 bid, 0 asked"],
  ["a crossed book", opens, { quote: { bid: d("1002") } }, "the quote is crossed: 1002 bid, 1001 asked"],
  ["no mark", opens, { quote: { mark: d("0") } }, "the mark is 0"],
  ["the mark at the stop", opens, { quote: { mark: d("980") } }, "the mark 980 is beyond the stop 980"],
  ["a short's mark at its stop", sells, { quote: { mark: d("1020") } }, "the mark 1020 is beyond the stop 1020"],
  ["half the way to the stop", opens, { quote: { mark: d("990") } }, null],
  ["half the way from the stop", opens, { quote: { mark: d("1010") } }, null],
  [
    "over half the way",
    opens,
    { quote: { mark: d("989.9") } },
    "the mark moved from 1000 to 989.9, over half the way to the stop",
  ],
  ["over half the way, by a mark that nobody kept", opens, { quote: { mark: d("989.9") }, decidedMark: null }, null],
  ["no stop was set", { ...opens, stopLoss: null }, { quote: { mark: d("500") } }, null],
  ["a price at the venue's limit", { ...opens, price: d("1020") }, {}, null],
  [
    "a price beyond it",
    { ...opens, price: d("1020.01") },
    {},
    "its price 1020.01 is outside the venue's limit, 980 to 1020",
  ],
  ["a sale's price at the limit", { ...sells, price: d("980") }, {}, null],
  [
    "a sale's price beyond it",
    { ...sells, price: d("979.99") },
    {},
    "its price 979.99 is outside the venue's limit, 980 to 1020",
  ],
  ["the venue has no limit", { ...opens, price: d("1030") }, { priceLimit: null }, null],
  ["no price is named", { ...opens, price: null }, {}, null],
  ["a close, whatever the market", closes, { held: d("10"), quote: { mark: d("0") } }, null],
  ["a close of what is not held", closes, { held: d("-1") }, "nothing is held to reduce"],
  ["a close where nobody asked what is held", closes, {}, null],
])("%s", (_, order, look, objection) => expect(said(order, look)).toBe(objection));

test("what waited too long is stale, but for a stop, which goes by its price", () => {
  expect([said(opens, {}, 120_000), said(opens, {}, 120_501)]).toEqual([null, "stale: decided 121 s ago"]);
  expect(said({ ...closes, type: "stop" }, { held: d("1") }, 900_000)).toBeNull();
  expect(said(opens, { quote: null, decidedMark: d("1") })).toBeNull();
});

test.each<[string, string, "buy" | "sell", string, Decimal | null, string | null]>([
  ["a stop closes all that is held", "stop", "sell", "12", null, "12"],
  ["up to the most of one order", "stop", "sell", "12", d("11"), "11"],
  ["which may be all", "stop", "sell", "11", d("11"), "11"],
  ["a short's too", "stop", "buy", "-12", null, "12"],
  ["a close what was decided", "market", "sell", "12", d("11"), "10"],
  ["and no more than there is", "market", "sell", "9", null, "9"],
  ["nothing on the other side", "market", "buy", "9", null, null],
  ["nothing where nothing is held", "stop", "sell", "0", null, null],
])("%s", (_, type, side, held, most, size) => expect(sizeNow({ type, side, size: d("10") }, d(held), most)).toBe(size));
