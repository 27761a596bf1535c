import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { asFullBlock } from "#chain/block";
import { eventsOf } from "#chain/decode";
import { checkBlock } from "#chain/integrity";
import { labelBook } from "#chain/labels";
import { netBlock } from "#chain/net";
import { withStables } from "#chain/value";
import { blockPaths, plausibleWatch, readBlock } from "#testing/blocks";
import { decimalOf } from "#units/decimal";
import { idOf, type WalletId } from "#units/ids";
import { instantOf } from "#units/time";
import { median } from "./figures.ts";

/** The pure steps of a block, in milliseconds: the medians over blocks, for one size of the watch list. */
export interface ChainFigures {
  readonly watched: number;
  readonly blocks: number;
  readonly events: number;
  readonly parseMs: number;
  readonly integrityMs: number;
  readonly netMs: number;
  readonly decodeMs: number;
}

const labels = labelBook([]);
const prices = withStables(new Map([["ETH", { usd: decimalOf("1120.5"), source: "bench", openedAt: null }]]));

/** Returns the figures of the recorded mainnet blocks in `shared`: no database, no queue, one size of watch list after the other. */
export function chainFigures(shared: string): ChainFigures[] {
  const texts = blockPaths(shared).map((path) => gunzipSync(readFileSync(path)).toString("utf8"));
  const blocks = blockPaths(shared).map(readBlock);
  // The first pass warms the compiler and the caches, as a running desk's are.
  const [, ...figures] = [100, 100, 10_000, 100_000].map((size) => {
    const { wallets, watched } = plausibleWatch(blocks, size);
    const walletIds = new Map(wallets.map((address) => [address, idOf("wallet", "ethereum", address)]));
    const spans = texts.map((json) => timed(json, watched, walletIds));
    const middle = (pick: (span: (typeof spans)[number]) => number): number => median(spans.map(pick));
    return {
      watched: size,
      blocks: texts.length,
      events: spans.reduce((sum, { events }) => sum + events, 0),
      parseMs: middle(({ parse }) => parse),
      integrityMs: middle(({ integrity }) => integrity),
      netMs: middle(({ net }) => net),
      decodeMs: middle(({ decode }) => decode),
    };
  });
  return figures;
}

function timed(json: string, watched: Parameters<typeof netBlock>[1], walletIds: ReadonlyMap<string, WalletId>) {
  const t0 = performance.now();
  const raw = JSON.parse(json) as { block: { number: string; hash: string; parentHash: string }; receipts: unknown };
  const full = asFullBlock(raw.block, raw.receipts);
  const t1 = performance.now();
  checkBlock(full.block, full.receipts, { ...raw.block, number: Number(raw.block.number) });
  const t2 = performance.now();
  const moves = netBlock(full, watched);
  const t3 = performance.now();
  const context = {
    ...{ chain: "ethereum", block: full.block, observedAt: instantOf("2022-06-21T00:00:00.000Z") },
    ...{ labels, prices, walletIds, equity: new Map() },
  } as const;
  const events = eventsOf(moves, context).length;
  const t4 = performance.now();
  return { parse: t1 - t0, integrity: t2 - t1, net: t3 - t2, decode: t4 - t3, events };
}
