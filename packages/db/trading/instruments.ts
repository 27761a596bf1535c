import { asc, inArray, sql } from "drizzle-orm";
import type { Instrument, ListedInstrument } from "#trading/instrument";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { instruments } from "../schema.ts";

/** Stores what the venue lists, as of `at`. An older reading never replaces a newer one. */
export async function upsertInstruments(
  db: Db,
  listed: readonly Instrument[],
  source: string,
  at: Instant,
): Promise<void> {
  if (listed.length === 0) return;
  const excluded = (name: string) => sql.raw(`excluded.${name}`);
  await drizzleOf(db)
    .insert(instruments)
    .values(listed.map((instrument) => ({ ...instrument, source, updatedAt: at })))
    .onConflictDoUpdate({
      target: instruments.id,
      set: {
        asset: excluded("asset"),
        contractSize: excluded("contract_size"),
        lotSize: excluded("lot_size"),
        minSize: excluded("min_size"),
        tickSize: excluded("tick_size"),
        maxLeverage: excluded("max_leverage"),
        source: excluded("source"),
        updatedAt: excluded("updated_at"),
      },
      setWhere: sql`${instruments.updatedAt} <= excluded.updated_at`,
    });
}

/** Selects every stored instrument, sorted by id. */
export function allInstruments(db: Db) {
  const { id, asset, contractSize, lotSize, minSize, tickSize, maxLeverage, updatedAt } = instruments;
  return drizzleOf(db)
    .select({ id, asset, contractSize, lotSize, minSize, tickSize, maxLeverage, updatedAt })
    .from(instruments)
    .orderBy(asc(instruments.id))
    .$dynamic();
}

/** Returns the stored instruments among `ids`, sorted by id. */
export const listedInstruments = async (db: Db, ids: readonly string[]): Promise<ListedInstrument[]> =>
  ids.length === 0 ? [] : allInstruments(db).where(inArray(instruments.id, [...ids]));
