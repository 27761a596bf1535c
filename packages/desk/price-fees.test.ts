import { expect, test } from "vitest";
import { START } from "#testing/hand/desk";
import type { UnvaluedFee } from "#trading/positions/fee";
import type { VenueFill } from "#trading/venue";
import { type Decimal, decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { askedOnce, feePrices } from "./price-fees.ts";

const fill = (tradeId: string, feeAsset: string, seconds = 0, fee = "0.01") =>
  ({ tradeId, feeAsset, fee: decimalOf(fee), filledAt: instant(START + seconds * 1000) }) as VenueFill & UnvaluedFee;

/** Prices of a currency, and what was asked. */
function index(prices: Readonly<Record<string, Decimal | null>>) {
  const asked: string[] = [];
  const ask = async (asset: string, at: string) => {
    asked.push(`${asset} ${at}`);
    const price = prices[asset];
    if (price === undefined) throw new Error("no answer");
    return price;
  };
  return { ask, asked };
}

test("a fee in another currency has the index of its minute; one in USDT, or of nothing, needs none", async () => {
  const { ask, asked } = index({ OKB: decimalOf("40"), XYZ: null });
  const fills = [fill("1", "USDT"), fill("2", "OKB", 61), fill("3", "OKB", 0, "0"), fill("4", "XYZ")];
  expect(await feePrices(ask, fills, [fill("5", "OKB", 119), fill("2", "OKB", 61)])).toEqual([
    { tradeId: "2", price: "40" },
    { tradeId: "5", price: "40" },
  ]);
  const minute = instant(START + 60_000);
  expect(asked).toEqual([`OKB ${minute}`, `XYZ ${instant(START)}`, `OKB ${minute}`]);
});

test("each currency and minute is asked for once, also where there is no price; a question that failed is asked again", async () => {
  const { ask, asked } = index({ OKB: decimalOf("40"), XYZ: null });
  const once = askedOnce(ask);
  const [now, later] = [instant(START), instant(START + 60_000)];
  expect([await once("OKB", now), await once("OKB", now), await once("OKB", later)]).toEqual(["40", "40", "40"]);
  expect([await once("XYZ", now), await once("XYZ", now)]).toEqual([null, null]);
  await expect(once("NO", now)).rejects.toThrow("no answer");
  await expect(once("NO", now)).rejects.toThrow("no answer");
  expect(asked.map((question) => question.split(" ")[0])).toEqual(["OKB", "OKB", "XYZ", "NO", "NO"]);
});
