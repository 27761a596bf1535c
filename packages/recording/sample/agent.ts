import type { Call, Side } from "./calls.ts";
import type { Market } from "./market.ts";
import type { Pool } from "./pools.ts";

/** What an agent sees when a block is about to be made. */
export interface Moment {
  /** The block's time, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly market: Market;
  /** As after the block before, moved by what was already ordered for this one. */
  readonly pools: readonly Pool[];
  /** Returns what a watched wallet held after the block before. */
  held(wallet: string, side: Side): bigint;
}

/** Returns what an agent sends in the next block. */
export type Agent = (moment: Moment) => Call[];
