/** Prints how long parsing, integrity, netting and decoding take per recorded mainnet block. `npx node scripts/bench-chain.ts` */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { asFullBlock } from "#chain/block";
import { eventsOf } from "#chain/decode";
import { checkBlock } from "#chain/integrity";
import { labelBook } from "#chain/labels";
import { netBlock } from "#chain/net";
import { withStables } from "#chain/value";
import { blockPaths, plausibleWatch, readBlock, sharedFolder } from "#testing/blocks";
import { idOf } from "#units/ids";

const shared = sharedFolder();
if (!shared) throw new Error("no recorded blocks beside the repository: ../shared/data is missing");
const texts = blockPaths(shared).map((path) => gunzipSync(readFileSync(path)).toString("utf8"));
const blocks = blockPaths(shared).map(readBlock);
const labels = labelBook([]);
const prices = withStables(new Map([["ETH", { usd: "1120.5", source: "bench", openedAt: null }]]));

const median = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
const shown = (times: readonly number[]): string =>
  `mean ${(times.reduce((a, b) => a + b, 0) / times.length).toFixed(2)} ms, median ${median(times).toFixed(2)} ms, max ${Math.max(...times).toFixed(2)} ms`;

// The first pass warms the compiler and the caches, as a running desk's are.
for (const size of [100, 100, 10_000, 100_000]) {
  const { wallets, watched } = plausibleWatch(blocks, size);
  const walletIds = new Map(wallets.map((address) => [address, idOf("wallet", "ethereum", address)]));
  const spans = {
    parse: [] as number[],
    integrity: [] as number[],
    net: [] as number[],
    decode: [] as number[],
    total: [] as number[],
  };
  let events = 0;
  for (const json of texts) {
    const t0 = performance.now();
    const raw = JSON.parse(json) as { block: { number: string; hash: string; parentHash: string }; receipts: unknown };
    const full = asFullBlock(raw.block, raw.receipts);
    const t1 = performance.now();
    checkBlock(full.block, full.receipts, { ...raw.block, number: Number(raw.block.number) });
    const t2 = performance.now();
    const moves = netBlock(full, watched);
    const t3 = performance.now();
    events += eventsOf(moves, {
      chain: "ethereum",
      block: full.block,
      observedAt: "2022-06-21T00:00:00.000Z",
      labels,
      prices,
      walletIds,
      equity: new Map(),
    }).length;
    const t4 = performance.now();
    spans.parse.push(t1 - t0);
    spans.integrity.push(t2 - t1);
    spans.net.push(t3 - t2);
    spans.decode.push(t4 - t3);
    spans.total.push(t4 - t0);
  }
  console.log(`${texts.length} blocks, ${size} watched wallets, ${events} events`);
  for (const [name, times] of Object.entries(spans)) console.log(`  ${name.padEnd(9)} ${shown(times)}`);
}
