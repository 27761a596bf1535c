import * as z from "zod";
import { type RecordedBlock, recordedBlock } from "#recording/blocks";
import type { Recording } from "#recording/recording";
import { sha256 } from "#units/ids";
import { bloomOf } from "./tiny-recording.ts";

const Log = z.looseObject({ address: z.string(), topics: z.array(z.string()) });
const Forkable = z.object({
  block: z.looseObject({ hash: z.string(), transactions: z.array(z.looseObject({ hash: z.string() })) }),
  receipts: z.array(z.looseObject({ logs: z.array(Log), logsBloom: z.string() })),
});

export interface ForkOptions {
  /** Names the branch: another name gives other hashes. */
  readonly name: string;
  /** The first block that differs. */
  readonly from: number;
  /** The branch's last block; absent: as far as the recording goes. */
  readonly to?: number;
  /** Whether the branch leaves out that transaction; absent: every second one. */
  readonly drop?: (transactionHash: string, index: number) => boolean;
}

/**
 * Returns a branch of a recording from `from` on, one block for each of its blocks: the same times, other hashes, each
 * linked to the one before, without the dropped transactions. Log indexes, blooms and block hashes are made to fit, so it
 * passes the same integrity checks as the recording; hashes are not those of the headers.
 */
export function forkRecording(recording: Recording, options: ForkOptions): RecordedBlock[] {
  const { name, from, to = recording.manifest.toBlock, drop = (_, index) => index % 2 === 1 } = options;
  const branch: RecordedBlock[] = [];
  for (let number = from; number <= to; number += 1) {
    const original = recording.blockAt(number);
    const { block, receipts } = Forkable.parse(JSON.parse(original.line));
    const hash = `0x${sha256(`fork ${name} ${original.hash}`)}`;
    const parentHash = branch.at(-1)?.hash ?? original.parentHash;
    const kept = block.transactions.flatMap(({ hash: transaction }, index) =>
      drop(transaction, index) ? [] : [index],
    );
    let logIndex = 0;
    const keptReceipts = kept.map((place, index) => ({
      ...receipts[place],
      blockHash: hash,
      transactionIndex: `0x${index.toString(16)}`,
      logs: (receipts[place]?.logs ?? []).map((log) => ({
        ...log,
        blockHash: hash,
        transactionIndex: `0x${index.toString(16)}`,
        logIndex: `0x${(logIndex++).toString(16)}`,
      })),
    }));
    const transactions = kept.map((place, index) => ({
      ...block.transactions[place],
      blockHash: hash,
      transactionIndex: `0x${index.toString(16)}`,
    }));
    const held = keptReceipts.flatMap(({ logs }) => logs.flatMap((log) => [log.address, ...log.topics]));
    const forked = { ...block, hash, parentHash, transactions, logsBloom: bloomOf([...new Set(held)]) };
    const header = { number, hash, parentHash, timestamp: original.timestamp };
    branch.push(recordedBlock(header, Buffer.from(JSON.stringify(forked)), Buffer.from(JSON.stringify(keptReceipts))));
  }
  return branch;
}
