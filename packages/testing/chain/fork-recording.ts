import { asFullBlock } from "#chain/block";
import { type RecordedBlock, recordedBlock } from "#recording/blocks";
import type { Recording } from "#recording/recording";
import { word } from "./generated-block.ts";
import { sealed } from "./sealed-block.ts";

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
 * Returns a branch of a recording from `from` on, one block for each of its blocks: the same times, another state root, each
 * linked to the one before, without the dropped transactions. Log indexes, gas, blooms, roots and hashes are computed again,
 * so it passes the same proofs as the recording does.
 */
export function forkRecording(recording: Recording, options: ForkOptions): RecordedBlock[] {
  const { name, from, to = recording.manifest.toBlock, drop = (_, index) => index % 2 === 1 } = options;
  const branch: RecordedBlock[] = [];
  for (let number = from; number <= to; number += 1) {
    const original = recording.blockAt(number);
    const { blockJson, receiptsJson } = original;
    const full = asFullBlock(JSON.parse(blockJson.toString("utf8")), JSON.parse(receiptsJson.toString("utf8")));
    const parentHash = branch.at(-1)?.hash ?? original.parentHash;
    const stays = (_: unknown, index: number): boolean => !drop(full.block.transactions[index]?.hash ?? "", index);
    const changed = { parentHash, stateRoot: word("fork", name, original.hash) };
    const transactions = full.block.transactions.filter(stays);
    const { block, receipts } = sealed({ ...full.block, ...changed, transactions }, full.receipts.filter(stays));
    const header = { number, hash: block.hash, parentHash, timestamp: original.timestamp };
    branch.push(recordedBlock(header, Buffer.from(JSON.stringify(block)), Buffer.from(JSON.stringify(receipts))));
  }
  return branch;
}
