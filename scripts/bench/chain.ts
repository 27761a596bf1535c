import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { asFullBlock } from "#chain/block";
import { eventsOf } from "#chain/decode";
import { checkBlock } from "#chain/integrity";
import { labelBook } from "#chain/labels";
import { netBlock } from "#chain/net";
import { withStables } from "#chain/value";
import { blockPaths, plausibleWatch, readBlock } from "#testing/chain/blocks";
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
  /** Of every root and hash. */
  readonly fullMs: number;
  /** Of header, places and blooms alone. */
  readonly linkedMs: number;
  /** CPU of the full proof of 230 transactions with their receipts, over all blocks. */
  readonly full230CpuMs: number;
  /** Parse, proof, net and decode with the full proof, as a multiple of the same without any. */
  readonly ratio: number;
  readonly netMs: number;
  readonly decodeMs: number;
}

const labels = labelBook([]);
const prices = withStables(new Map([["ETH", { usd: decimalOf("1120.5"), source: "bench", openedAt: null }]]));

/** Returns the figures of the recorded mainnet blocks in `shared`: no database, no queue, one size of watch list after the other. */
export function chainFigures(shared: string): ChainFigures[] {
  // Two of the recorded blocks come without their withdrawals, which a proof needs.
  const paths = blockPaths(shared).filter((path) => {
    const { block } = readBlock(path);
    return !block.withdrawalsRoot || block.withdrawals;
  });
  const texts = paths.map((path) => gunzipSync(readFileSync(path)).toString("utf8"));
  const blocks = paths.map(readBlock);
  // The first pass warms the compiler and the caches, as a running desk's are.
  const [, ...figures] = [100, 100, 10_000, 100_000].map((size) => {
    const { wallets, watched } = plausibleWatch(blocks, size);
    const walletIds = new Map(wallets.map((address) => [address, idOf("wallet", "ethereum", address)]));
    const spans = texts.map((json) => timed(json, watched, walletIds));
    const middle = (pick: (span: (typeof spans)[number]) => number): number => median(spans.map(pick));
    const sum = (pick: (span: (typeof spans)[number]) => number): number =>
      spans.reduce((total, span) => total + pick(span), 0);
    return {
      watched: size,
      blocks: texts.length,
      events: spans.reduce((sum, { events }) => sum + events, 0),
      parseMs: middle(({ parse }) => parse),
      fullMs: middle(({ full }) => full),
      linkedMs: middle(({ linked }) => linked),
      full230CpuMs: (230 * sum(({ fullCpu }) => fullCpu)) / sum(({ transactions }) => transactions),
      ratio: 1 + sum(({ full }) => full) / sum(({ parse, net, decode }) => parse + net + decode),
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
  const expected = { ...raw.block, number: Number(raw.block.number) };
  const before = process.cpuUsage();
  checkBlock(full.block, full.receipts, expected);
  const t2 = performance.now();
  const { user, system } = process.cpuUsage(before);
  checkBlock(full.block, full.receipts, expected, { verify: "linked", unsigned: false });
  const linkedAt = performance.now();
  const moves = netBlock(full, watched);
  const t3 = performance.now();
  const context = {
    ...{ chain: "ethereum", block: full.block, observedAt: instantOf("2022-06-21T00:00:00.000Z") },
    ...{ labels, prices, walletIds, equity: new Map() },
  } as const;
  const events = eventsOf(moves, context).length;
  const t4 = performance.now();
  const transactions = full.block.transactions.length;
  const proof = { full: t2 - t1, linked: linkedAt - t2, fullCpu: (user + system) / 1000 };
  return { parse: t1 - t0, ...proof, net: t3 - linkedAt, decode: t4 - t3, events, transactions };
}
