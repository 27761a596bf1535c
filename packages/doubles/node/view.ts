import type { RecordedBlock, RecordedHeader } from "#recording/blocks";
import type { Recording } from "#recording/recording";

/**
 * From `sinceMs` on, the node follows another branch: its blocks replace the recording's from the first one's number on.
 * No blocks = back to the recording's own chain (a node that flaps). The latest fork that began counts.
 */
export interface Fork {
  readonly sinceMs: number;
  /** Ascending and contiguous; the first one's parent is a block of the recording. */
  readonly blocks: readonly RecordedBlock[];
}

/** What a node would know of the chain at one instant. */
export interface ChainView {
  /** Newest block's number; the number before the recording's first block when there is none yet. */
  readonly head: number;
  readonly safe: number;
  readonly finalized: number;
  readonly headerAt: (number: number) => RecordedHeader | undefined;
  readonly blockAt: (number: number) => RecordedBlock | undefined;
  /** Blocks of abandoned branches stay known by hash, as on a real node. */
  readonly blockOf: (hash: string) => RecordedBlock | undefined;
  /** Whether the block of that number is the recording's own: only for those are balances known. */
  readonly isRecorded: (number: number) => boolean;
}

// After the last block nothing pushes finality on but time: one block per Ethereum slot.
const SLOT_MS = 12_000;

/** Returns the newest of ascending `headers` whose timestamp is not after `nowMs`, or undefined. */
function newest<H extends RecordedHeader>(headers: readonly H[], nowMs: number): H | undefined {
  let [low, high] = [0, headers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((headers[middle]?.timestamp ?? 0) * 1000 <= nowMs) low = middle + 1;
    else high = middle;
  }
  return headers[low - 1];
}

/**
 * Returns a function from an instant (and how many blocks the node lags) to what the node knows then. A block exists once
 * its timestamp is not after that instant. `safe` and `finalized` trail the head by the manifest's lags, not below the
 * first block; once the chain has ended they advance one block per 12 s up to its head.
 */
export function chainViews(recording: Recording, forks: readonly Fork[] = []) {
  const { manifest, headers } = recording;
  const first = manifest.fromBlock;
  const numberOf = new Map(headers.map(({ hash, number }) => [hash, number]));
  const forked = new Map(forks.flatMap((fork) => fork.blocks.map((block) => [block.hash, { fork, block }] as const)));
  const bySince = [...forks].sort((a, b) => a.sinceMs - b.sinceMs);

  return (nowMs: number, lag = 0): ChainView => {
    const branch = bySince.findLast((fork) => fork.sinceMs <= nowMs)?.blocks ?? [];
    const branchFrom = branch[0]?.number ?? Number.POSITIVE_INFINITY;
    const base = Math.min(newest(headers, nowMs)?.number ?? first - 1, branchFrom - 1);
    const top = newest(branch, nowMs)?.number ?? base;
    const head = Math.max(first - 1, top - lag);
    const end = branch.at(-1) ?? headers.at(-1);
    const sinceEnd = end && top === end.number ? Math.floor((nowMs - end.timestamp * 1000) / SLOT_MS) : 0;
    const trailing = (blocks: number) => Math.min(head, Math.max(first, head - blocks + sinceEnd));

    const visible = (number: number) => number >= first && number <= head;
    const onBranch = (number: number) => branch[number - branchFrom];
    const blockAt = (number: number) => {
      if (!visible(number)) return undefined;
      return number < branchFrom ? recording.blockAt(number) : onBranch(number);
    };
    const headerAt = (number: number) => {
      if (!visible(number)) return undefined;
      return number < branchFrom ? headers[number - first] : onBranch(number);
    };
    const blockOf = (hash: string) => {
      const side = forked.get(hash);
      if (side) return side.fork.sinceMs <= nowMs && side.block.timestamp * 1000 <= nowMs ? side.block : undefined;
      const number = numberOf.get(hash);
      const header = number === undefined ? undefined : headers[number - first];
      return header && header.timestamp * 1000 <= nowMs ? recording.blockAt(header.number) : undefined;
    };
    return {
      head,
      safe: trailing(manifest.finality.safeLag),
      finalized: trailing(manifest.finality.finalizedLag),
      headerAt,
      blockAt,
      blockOf,
      isRecorded: (number) => visible(number) && number < branchFrom,
    };
  };
}
