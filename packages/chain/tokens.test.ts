import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharedFolder } from "#testing/chain/blocks";
import { STABLES } from "#units/candle";
import { canonicalAddress } from "./checksum.ts";
import { labelBook, labelKind, PROTOCOLS } from "./labels.ts";
import { NATIVE, TOKENS, tokenAt, WETH } from "./tokens.ts";

test("addresses are lower case and stand once; money is what the desk calls stable", () => {
  expect(new Set(TOKENS.map((token) => token.address)).size).toBe(TOKENS.length);
  for (const { address } of TOKENS) expect(address === NATIVE || canonicalAddress(address) === address).toBe(true);
  expect(
    TOKENS.filter((token) => token.kind === "money")
      .map((token) => token.asset)
      .sort(),
  ).toEqual([...STABLES].sort());
  expect([tokenAt(NATIVE)?.asset, tokenAt(WETH)?.asset, tokenAt("0x00")]).toEqual(["ETH", "ETH", null]);
});

const shared = sharedFolder();
test.skipIf(!shared)("addresses, symbols and decimals agree with a public list (../shared/data)", () => {
  type Row = { address: string; symbol: string; decimals: number };
  const json = JSON.parse(readFileSync(join(shared ?? "", "labels/uniswap_default_tokens_mainnet.json"), "utf8")) as
    | Row[]
    | { tokens: Row[] };
  const list = new Map((Array.isArray(json) ? json : json.tokens).map((row) => [row.address.toLowerCase(), row]));
  const listed = TOKENS.flatMap((token) => {
    const row = list.get(token.address);
    return row ? [{ ...token, row }] : [];
  });
  expect(listed.length).toBeGreaterThan(25);
  for (const { symbol, decimals, row } of listed) expect([symbol, decimals]).toEqual([row.symbol, row.decimals]);
});

test("labels: first of a kind wins, words are understood, protocols stand behind", () => {
  const address = `0x${"12".repeat(20)}`;
  const label = (kind: string, name: string) => ({
    address,
    kind: labelKind(kind),
    name,
    source: "list",
    date: "2022-08-28",
  });
  const book = labelBook([
    label("cex", "One"),
    label("exchange", "Two"),
    label("MEV_Bot", "Bot"),
    label("who knows", "X"),
  ]);
  expect(book.as(address, "exchange")?.name).toBe("One");
  expect(book.of(address).map((one) => one.kind)).toEqual(["exchange", "mev", "other"]);
  expect(book.as(address, "bridge")).toBeNull();
  for (const { address: known } of PROTOCOLS) expect(canonicalAddress(known)).toBe(known);
  expect(book.as("0x00000000219ab540356cbb839cbe05303d7705fa", "staking")?.name).toBe("Beacon deposit");
});
