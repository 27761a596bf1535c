import type { FullBlock, Header } from "./block.ts";
import type { Expected } from "./integrity.ts";
import type { Heads } from "./reorg.ts";
import type { WatchSet } from "./touch.ts";

/** A balance at the end of a block. `token` is "native" or a contract's address. */
export interface BalanceRequest {
  readonly address: string;
  readonly token: string;
  readonly block: number;
}

/** Who asks for a block: it decides how the block is proven. */
export interface Asker {
  /** Whose transactions must be signed by their senders. */
  readonly watched: WatchSet;
  /** When the desk saw the head that led to the block, in seconds since the epoch. */
  readonly seenAt: number;
}

/**
 * The one port to Ethereum: what the desk asks of a node. Every method throws when no provider can be reached.
 * Implementation: runtime/node, over JSON-RPC.
 */
export interface ChainNode {
  /**
   * Returns the newest, the safe and the finalized block. A node that knows no safe or finalized block says number 0.
   * A node whose newest block is older than `since` (seconds since the epoch) hangs behind or is stuck, so the next one is
   * asked; when all are, the newest of their blocks counts, since the chain itself may stand still.
   */
  heads(since?: number): Promise<Heads>;
  /** Returns the header of a number or a hash, or null when no provider has it. */
  header(want: number | string): Promise<Header | null>;
  /** Returns the headers of `count` numbers from `from` on, in order, from one provider; null where it has none. */
  headers(from: number, count: number): Promise<(Header | null)[]>;
  /**
   * Returns a block by hash with all its receipts, proven (`checkBlock`, `checkSenders`, `proofFor`; in full where no asker
   * is named); null when no provider has it: it was replaced, or is not there even after several seconds, in which it is
   * asked for again. A provider whose answer fails a check is passed over.
   * @throws IntegrityError, ShapeError when every provider's answer fails.
   */
  blockWithReceipts(expected: Expected, asker?: Asker): Promise<FullBlock | null>;
  /** Returns balances in base units, in order; null where the node cannot tell (pruned state, no contract), never 0 instead. */
  balances(requests: readonly BalanceRequest[]): Promise<(bigint | null)[]>;
  /** Returns whether a second provider has the same hash at a number; true when there is no second one that answers. */
  confirms(number: number, hash: string): Promise<boolean>;
}
