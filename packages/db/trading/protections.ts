import { and, asc, eq, gte, isNull, or, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import type { Protection } from "#trading/protection/protection";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { protections } from "../schema.ts";

/** Selects the protections of an account that have not ended, and those that ended at or after `since`. */
export function protectionsOf(db: Db, { mode, venue }: Account, since: Instant) {
  const { endedAt, wantedAt, stopId } = protections;
  return drizzleOf(db)
    .select()
    .from(protections)
    .where(
      and(
        ...[eq(protections.tradingMode, mode), eq(protections.exchange, venue)],
        or(isNull(endedAt), gte(endedAt, since)),
      ),
    )
    .orderBy(asc(wantedAt), asc(stopId));
}

/** Returns a protection without its account. */
export const toProtection = ({ tradingMode: _, exchange: __, ...row }: typeof protections.$inferSelect): Protection =>
  row;

/** Returns the protections of an account that have not ended, and those that ended at or after `since`. */
export const readProtections = async (db: Db, account: Account, since: Instant): Promise<Protection[]> =>
  (await protectionsOf(db, account, since)).map(toProtection);

const excluded = (name: string) => sql.raw(`excluded.${name}`);

/** Stores how they are now, in one statement: compare-and-set on the version of each. */
export async function noteProtections(db: Db, { mode, venue }: Account, list: readonly Protection[]): Promise<void> {
  if (list.length === 0) return;
  const values = list.map((row) => ({ ...row, version: row.version + 1, tradingMode: mode, exchange: venue }));
  await drizzleOf(db)
    .insert(protections)
    .values(values)
    .onConflictDoUpdate({
      target: protections.stopId,
      set: {
        ...{ episode: excluded("episode"), trigger: excluded("trigger"), size: excluded("size") },
        ...{ status: excluded("status"), algoId: excluded("algo_id"), childOrderId: excluded("child_order_id") },
        ...{ reason: excluded("reason"), exposedAt: excluded("exposed_at"), liveAt: excluded("live_at") },
        ...{ endedAt: excluded("ended_at"), version: excluded("version") },
      },
      setWhere: sql`${protections.version} = excluded.version - 1
        AND (${protections.tradingMode}, ${protections.exchange}) = (excluded.trading_mode, excluded.exchange)`,
    });
}
