import { and, asc, eq, sql } from "drizzle-orm";
import { idOf, type WalletId } from "#units/ids";
import { storedId } from "#units/stored";
import type { Instant } from "#units/time";
import { insertion } from "../bulk.ts";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { rows } from "../rows.ts";
import { wallets } from "../schema.ts";
import * as kind from "../shape.ts";

const WatchedList = kind.shape("watched wallets", { list: kind.orNull(kind.text) });

/** A line of a watch list. */
export interface WatchedAddress {
  /** EVM addresses in any case; stored in lower case. */
  readonly address: string;
  readonly label: string | null;
  readonly tags: readonly string[];
}

export interface WatchedWallet extends WatchedAddress {
  readonly id: WalletId;
  /** What is the first event since this time counts as first. */
  readonly watchedSince: Instant;
}

const BATCH = 1000;

/** Returns the wallet's id, the same on every machine. `address` as stored: lower case for EVM chains. */
export const walletIdOf = (chain: string, address: string): WalletId => idOf("wallet", chain, address);

/**
 * Watches these addresses of a chain from `at` on. One that is watched already keeps its time and takes the new label and
 * tags; one that was dropped is watched again from `at`. Others stay as they are. Of a repeated address the last line counts.
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
    await drizzleOf(db).execute(sql`${insertion(wallets, values.slice(from, from + BATCH))}
      ON CONFLICT (chain, address) DO UPDATE SET label = excluded.label, tags = excluded.tags, is_active = true,
        watched_since = CASE WHEN wallets.is_active THEN wallets.watched_since ELSE excluded.watched_since END`);
}

// Base58 addresses (Solana, Bitcoin) mean different things in different case; hexadecimal ones do not.
const canonical = (address: string): string => (/^0x/i.test(address) ? address.toLowerCase() : address);

/** Returns the wallets that are watched on a chain, by address. */
export function watchedWallets(db: Db, chain: string): Promise<WatchedWallet[]> {
  return drizzleOf(db)
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

const known = new WeakMap<Db, { readonly text: string; readonly ids: ReadonlyMap<string, WalletId> }>();

/**
 * Returns the ids of the wallets that are watched on a chain, by address: what every block is searched for. It reads the
 * list each time, as one text, and returns the very map of before when it is the same, so that whoever derives from it can remember that.
 */
export async function watchedIds(db: Db, chain: string): Promise<ReadonlyMap<string, WalletId>> {
  const [row] = await rows(
    db,
    WatchedList,
    sql`SELECT string_agg(address || ' ' || id::text, ',') AS list FROM wallets WHERE chain = ${chain} AND is_active`,
  );
  const text = row?.list ?? "";
  const before = known.get(db);
  if (before?.text === text) return before.ids;
  const lines =
    text === ""
      ? []
      : text.split(",").map((line): [address: string, id: WalletId] => {
          const [address = "", id = ""] = line.split(" ");
          return [address, storedId<"wallet">(id)];
        });
  const ids = new Map(lines.sort(([one], [other]) => (one < other ? -1 : 1)));
  known.set(db, { text, ids });
  return ids;
}
