import { and, asc, eq, sql } from "drizzle-orm";
import { idOf } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "./client.ts";
import { wallets } from "./schema.ts";

/** A line of a watch list. */
export interface WatchedAddress {
  /** EVM addresses in any case; stored in lower case. */
  readonly address: string;
  readonly label: string | null;
  readonly tags: readonly string[];
}

export interface WatchedWallet extends WatchedAddress {
  readonly id: string;
  /** What is the first event since this time counts as first. */
  readonly watchedSince: Instant;
}

const BATCH = 1000;

/** Returns the wallet's id, the same on every machine. `address` as stored: lower case for EVM chains. */
export const walletIdOf = (chain: string, address: string): string => idOf("wallet", chain, address);

/**
 * Watches these addresses of a chain from `at` on. One that is watched already keeps its time and takes the new label and
 * tags; one that was dropped is watched anew from `at`. Others stay as they are. Of a repeated address the last line counts.
 */
export async function watchWallets(db: Db, chain: string, list: readonly WatchedAddress[], at: Instant): Promise<void> {
  const byAddress = new Map(list.map((line) => [canonical(line.address), line]));
  const values = [...byAddress].map(([address, { label, tags }]) => ({
    id: walletIdOf(chain, address),
    chain,
    address,
    label,
    tags: [...tags],
    firstSeenAt: at,
    watchedSince: at,
  }));
  for (let from = 0; from < values.length; from += BATCH)
    await db
      .insert(wallets)
      .values(values.slice(from, from + BATCH))
      .onConflictDoUpdate({
        target: [wallets.chain, wallets.address],
        set: {
          label: sql`excluded.label`,
          tags: sql`excluded.tags`,
          isActive: true,
          watchedSince: sql`CASE WHEN ${wallets.isActive} THEN ${wallets.watchedSince} ELSE excluded.watched_since END`,
        },
      });
}

// Base58 addresses (Solana, Bitcoin) mean different things in different case; hexadecimal ones do not.
const canonical = (address: string): string => (/^0x/i.test(address) ? address.toLowerCase() : address);

/** Returns the wallets that are watched on a chain, by address. */
export function watchedWallets(db: Db, chain: string): Promise<WatchedWallet[]> {
  return db
    .select({
      id: wallets.id,
      address: wallets.address,
      label: wallets.label,
      tags: wallets.tags,
      watchedSince: wallets.watchedSince,
    })
    .from(wallets)
    .where(and(eq(wallets.chain, chain), eq(wallets.isActive, true)))
    .orderBy(asc(wallets.address));
}
