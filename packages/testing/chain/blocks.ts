import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { asFullBlock, type FullBlock } from "#chain/block";
import { type WatchSet, watchSet } from "#chain/touch";

/** Returns where a part of the folder of recordings beside the repository would be. It is not part of the repository. */
export const sharedPath = (part: string): string => join(import.meta.dirname, "../../../../shared", part);

/** The folder of recorded mainnet blocks beside the repository, or null where it is absent. */
export const sharedFolder = (): string | null => {
  const folder = sharedPath("data");
  return existsSync(folder) ? folder : null;
};

/** Returns the paths of the recorded blocks, by number within a folder: the 32 consecutive ones first. */
export function blockPaths(shared: string): string[] {
  return ["run_15000000_15000031", "singles"].flatMap((part) => {
    const folder = join(shared, "blocks", part);
    const numbers = readdirSync(folder).map((name) => Number.parseInt(name, 10));
    return numbers.sort((a, b) => a - b).map((number) => join(folder, `${number}.json.gz`));
  });
}

/** Returns a gzipped JSON file. */
export const readGzip = (path: string): unknown => JSON.parse(gunzipSync(readFileSync(path)).toString("utf8"));

/** Returns a recorded block with its receipts, and beside it the internal ether transfers where the file has them. */
export function readBlock(path: string): FullBlock {
  const { block, receipts } = readGzip(path) as { block: unknown; receipts: unknown };
  return asFullBlock(block, receipts);
}

/**
 * Returns a watch list of `size` wallets: senders of `blocks` spread evenly from the busiest to the quietest, and
 * invented addresses when there are not enough.
 */
export function plausibleWatch(blocks: readonly FullBlock[], size: number): { wallets: string[]; watched: WatchSet } {
  const seen = new Map<string, number>();
  for (const { block } of blocks) {
    for (const { from } of block.transactions) seen.set(from, (seen.get(from) ?? 0) + 1);
  }
  const busiest = [...seen].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([address]) => address);
  const step = Math.max(1, busiest.length / size);
  const wallets = Array.from(
    { length: size },
    (_, i) => busiest[Math.floor(i * step)] ?? `0x${i.toString(16).padStart(40, "f")}`,
  );
  return { wallets, watched: watchSet(wallets) };
}
