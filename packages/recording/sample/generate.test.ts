import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Interface } from "ethers";
import { expect, test } from "vitest";
import { instantOf, millis } from "#units/time";
import { writeRecording } from "../writer.ts";
import { anvilProgram, startAnvil } from "./anvil.ts";
import { castOf } from "./cast.ts";
import { checkSample } from "./check.ts";
import { erc20Code, LINK, TOKENS, USDC, WETH } from "./contracts.ts";
import { generateSample } from "./generate.ts";
import { prepareChain } from "./genesis.ts";
import { simulateMarket } from "./market.ts";
import { areaUnderCurve } from "./planted.ts";
import { priceIn } from "./pools.ts";
import { sampleContent } from "./sample-recording.ts";

const START = millis(instantOf("2026-03-02T22:30:00.000Z"));
const hasNode = anvilProgram() !== null;
const onNode = test.skipIf(!hasNode);
const suffix = hasNode ? "" : " (skipped: anvil is not installed for this platform)";

function filesOf(dir: string): Record<string, string> {
  const paths = readdirSync(dir, { recursive: true, encoding: "utf8", withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    paths
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(dir.length), readFileSync(path, "base64")]),
  );
}

onNode(`two runs with one seed write the same bytes, another seed others${suffix}`, async () => {
  const root = mkdtempSync(join(tmpdir(), "spyhop-sample-"));
  try {
    const made = async (name: string, seed: string) => {
      const sample = await generateSample({ seed, slots: 25, startMs: START });
      await writeRecording(join(root, name), sampleContent(sample, seed));
      return filesOf(join(root, name));
    };
    const [first, second, other] = [await made("a", "1"), await made("b", "1"), await made("c", "2")];
    expect(Object.keys(first).length).toBeGreaterThan(10);
    expect(second).toEqual(first);
    expect(other["/manifest.json"]).not.toBe(first["/manifest.json"]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

onNode(`a stopped generation leaves no node behind${suffix}`, async () => {
  const stop = () => {
    throw new Error("stopped here");
  };
  await expect(generateSample({ seed: "1", slots: 5, startMs: START, progress: stop })).rejects.toThrow("stopped here");
});

onNode(`tokens name themselves, and pools begin at the market's prices${suffix}`, async () => {
  const erc20 = new Interface(["function symbol() view returns (string)", "function decimals() view returns (uint8)"]);
  const node = await startAnvil({ chainId: 31_337, genesisSeconds: START / 1000 - 600 });
  try {
    const market = simulateMarket("1", START - 600_000, START + 600_000);
    const pools = await prepareChain(node, castOf("1"), market, START);
    for (const token of TOKENS) {
      const read = async (name: "symbol" | "decimals") => {
        const answer = await node.call(
          "eth_call",
          { to: token.address, data: erc20.encodeFunctionData(name) },
          "latest",
        );
        return String(erc20.decodeFunctionResult(name, String(answer))[0]);
      };
      expect([await read("symbol"), await read("decimals")]).toEqual([token.symbol, String(token.decimals)]);
    }
    const usd = ({ asset }: (typeof TOKENS)[number]) => (asset === "USD" ? 1 : market.price(asset, START));
    for (const pool of pools) {
      expect(priceIn(pool) / (usd(pool.token0) / usd(pool.token1))).toBeCloseTo(1, 1);
      expect(pool.depthUsd).toBeGreaterThanOrEqual(40e6);
    }
    // The pair of USDC and WETH, where it stands on mainnet.
    expect(pools[0]?.address).toBe("0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc");
  } finally {
    await node.stop();
  }
});

test("the cast gives nothing away: neutral labels, whoever is informed", () => {
  const { whales, watchlist, labels } = castOf("1");
  expect(whales.map(({ label }) => label)).toEqual(watchlist.slice(0, 18).map(({ label }) => label));
  expect(watchlist.every(({ label, tags }) => /^(whale|wallet) \d\d$/.test(label) && tags.length === 1)).toBe(true);
  const watched = new Set(watchlist.map(({ address }) => address));
  expect(watched.size).toBe(watchlist.length);
  expect(labels.some(({ address }) => watched.has(address))).toBe(false);
  const known = (seed: string) =>
    castOf(seed)
      .whales.map(({ horizon }) => horizon)
      .join();
  expect(known("1")).not.toBe(known("2"));
});

test("the check finds a whale that knows the next hour, and not one that tosses a coin", () => {
  const market = simulateMarket("check", START - 8 * 86_400_000, START + 2 * 86_400_000);
  const assets = ["AAVE", "BTC", "ETH", "LINK", "UNI"];
  const whales = [
    { address: "0x01", label: "whale 01", horizon: "1h" as const, hitRate: 1 },
    { address: "0x02", label: "whale 02", horizon: null, hitRate: 0.5 },
  ];
  const bets = Array.from({ length: 40 }, (_, index) => {
    const asset = assets[index % 5] ?? "ETH";
    const atMs = START + Math.floor(index / 5) * 3_600_000;
    const coming = market.edge(asset, atMs, 3_600_000) > 0 ? 1 : -1;
    const coin = index % 3 === 0 ? 1 : -1;
    return whales.map(({ address }, which) => ({
      wallet: address,
      asset,
      direction: (which === 0 ? coming : coin) as 1 | -1,
      atMs,
      block: index,
    }));
  }).flat();
  const { rows, auc } = checkSample(whales, bets, market);
  expect(rows[0]?.results["1h"].clusters).toBe(40);
  expect(rows[0]?.results["1h"].t).toBeGreaterThan(4);
  expect(Math.abs(rows[1]?.results["1h"].t ?? 9)).toBeLessThan(2.5);
  expect(auc["1h"]).toBe(1);
});

test("the area under the curve counts ties half", () => {
  expect(areaUnderCurve([2, 1], [1, 0])).toBe(0.875);
  expect(areaUnderCurve([], [1])).toBe(0.5);
});

test("an ERC-20 keeps its program: only three dispatcher entries differ, and code follows behind it", () => {
  const [usdc, link] = [erc20Code(USDC), erc20Code(LINK)];
  expect(usdc.length).toBe(link.length);
  expect(usdc.slice(0, 5000)).toBe(link.slice(0, 5000));
  expect(() => erc20Code({ name: WETH.name, symbol: WETH.symbol, decimals: 18 })).not.toThrow();
});
