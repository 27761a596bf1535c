import type { Move } from "./net.ts";
import { poolVenue } from "./pools.ts";
import { COW_SETTLEMENT } from "./topics.ts";

/** A contract that emitted a Swap or a Trade in the transaction. */
export interface Venue {
  /** "uniswap_v2", "uniswap_v3", "sushiswap", "cow"; "v2_fork", "v3_fork" where no known factory made the pool. */
  readonly name: string;
  readonly address: string;
  readonly logIndex: number;
  /** Whether the address proves the name. */
  readonly proven: boolean;
}

/** Returns the venues of a move's transaction, in log order. A CoW trade counts for its owner only. */
export function venuesOf({ marks, wallet }: Move): Venue[] {
  const pools = marks.swaps.map(({ kind, pool, logIndex }): Venue => {
    const around = marks.transfers.filter((t) => !t.nft && (t.from === pool || t.to === pool)).map((t) => t.token);
    const name = poolVenue(kind, pool, around);
    return { name: name ?? `${kind}_fork`, address: pool, logIndex, proven: name !== null };
  });
  const [trade] = marks.trades.filter((one) => one.owner === wallet);
  if (trade) return [{ name: "cow", address: COW_SETTLEMENT, logIndex: trade.logIndex, proven: true }];
  return pools;
}

/** Returns the names of venues, each once, sorted and joined by "+", at most 50 characters; null for none. */
export function venueNames(venues: readonly Venue[]): string | null {
  const names = [...new Set(venues.map((venue) => venue.name))].sort().join("+");
  return names === "" ? null : names.slice(0, 50);
}
