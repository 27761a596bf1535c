import { asFullBlock, type FullBlock, headerOf } from "#chain/block";
import type { ChainNode } from "#chain/node";
import { generatedChain } from "./generated-block.ts";
import { NOBODY, tinyPlan } from "./tiny-recording.ts";

/**
 * Returns generated blocks 1 to `head`, one each 12 s from `start` (seconds), each of two transfers: of `branch` above
 * `fork`, of "main" up to it. The first one's parent is nobody's.
 */
export function tinyChain(start: number, head: number, branch = "main", fork = 0): FullBlock[] {
  const numbers = Array.from({ length: head }, (_, i) => i + 1);
  const plans = numbers.map((number) => tinyPlan(number, start + number * 12, 2, number > fork ? branch : "main"));
  return generatedChain(plans, NOBODY).map(({ block, receipts }) => asFullBlock(block, receipts));
}

/**
 * Returns a node that serves whatever `chain` returns at the time; its last block is the head. Of `abandoned` it still has the
 * whole blocks, by hash alone, as nodes do.
 */
export function chainNode(
  chain: () => readonly FullBlock[],
  finalized: () => number = () => 0,
  abandoned: () => readonly FullBlock[] = () => [],
): ChainNode {
  const header: ChainNode["header"] = async (want) => {
    const found = chain().find(({ block }) =>
      typeof want === "number" ? Number(block.number) === want : block.hash === want,
    );
    return found ? headerOf(found.block) : null;
  };
  return {
    heads: async () => {
      const number = finalized();
      const final = { number, hash: chain()[number - 1]?.block.hash ?? NOBODY };
      return { latest: headerOf(chain().at(-1)?.block), safe: final, finalized: final };
    },
    header,
    headers: async (from, count) => Promise.all(Array.from({ length: count }, (_, i) => header(from + i))),
    blockWithReceipts: async ({ hash }) =>
      [...chain(), ...abandoned()].find(({ block }) => block.hash === hash) ?? null,
    balances: async (requests) => requests.map(() => null),
    confirms: async () => true,
  };
}
