import fc from "fast-check";
import { expect, test } from "vitest";
import { assetOf, Candle, STABLES, swapOf } from "./candle.ts";

test("an asset and its swap are each other's", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Z0-9]{1,12}$/), (asset) => {
      expect(assetOf(swapOf(asset))).toBe(asset);
    }),
  );
});

test.each([
  ["ETH", "ETH-USDT-SWAP"],
  ["1INCH", "1INCH-USDT-SWAP"],
  ["USDT", "USDT-USDT-SWAP"],
])("the swap of %s is %s", (asset, instrument) => {
  expect(swapOf(asset)).toBe(instrument);
  expect(assetOf(instrument)).toBe(asset);
});

test.each([
  "",
  "ETH",
  "ETH-USDT",
  "ETH-USD-SWAP",
  "ETH-USDC-SWAP",
  "-USDT-SWAP",
  "eth-USDT-SWAP",
  "ETH-USDT-SWAP ",
  " ETH-USDT-SWAP",
  "ETH-USDT-SWAP\n",
  "ETH-USDT-SWAP-USDT-SWAP",
  "ETH-USDT-220624",
])("%j is no USDT swap, and is named", (instrument) => {
  expect(() => assetOf(instrument)).toThrow(new RangeError(`not a USDT perpetual swap: ${instrument}`));
});

test("a stablecoin is no target, and a bar is read whole or not at all", () => {
  expect(STABLES).toEqual(["USDC", "USDT", "DAI"]);
  const prices = { open: "1.5", high: "2", low: "1", close: "1.7", volume: "0" };
  const bar = { openedAt: "2022-06-21T00:00:00.000Z", ...prices };
  expect(Candle.parse(bar)).toEqual(bar);
  for (const [name, wrong] of [
    ["openedAt", "2022-06-21"],
    ["close", "1e3"],
    ["volume", undefined],
  ]) {
    expect(Candle.safeParse({ ...bar, [name as string]: wrong }).success).toBe(false);
  }
});
