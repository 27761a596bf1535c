import { asc, eq, sql } from "drizzle-orm";
import type { Db } from "./client.ts";
import { labels } from "./schema.ts";

/** One label: who an address is, said by whom and when. `address` is lower-case. */
export interface LabelRow {
  readonly address: string;
  /** exchange, bridge, fund, router, mev, … */
  readonly kind: string;
  readonly name: string;
  readonly source: string;
  /** The day the source said so, as YYYY-MM-DD. */
  readonly date: string;
}

const PAGE = 5000;

/** Writes labels; a label of the same address and kind is replaced. Returns nothing; idempotent. */
export async function upsertLabels(db: Db, chain: string, rows: readonly LabelRow[]): Promise<void> {
  const unique = [...new Map(rows.map((row) => [`${row.address} ${row.kind}`, row])).values()];
  for (let i = 0; i < unique.length; i += PAGE) {
    const page = unique.slice(i, i + PAGE);
    const column = (pick: (row: LabelRow) => string) => sql.param(page.map(pick));
    await db.execute(sql`
      INSERT INTO labels (chain, address, kind, name, source, labelled_on)
      SELECT ${chain}, * FROM unnest(
        ${column((row) => row.address)}::text[], ${column((row) => row.kind)}::text[], ${column((row) => row.name)}::text[],
        ${column((row) => row.source)}::text[], ${column((row) => row.date)}::date[])
      ON CONFLICT (chain, address, kind) DO UPDATE
      SET name = excluded.name, source = excluded.source, labelled_on = excluded.labelled_on`);
  }
}

/** Returns every label of a chain, by address and kind. A few tens of thousands at most: read once per process. */
export const allLabels = (db: Db, chain: string): Promise<LabelRow[]> =>
  db
    .select({
      address: labels.address,
      kind: labels.kind,
      name: labels.name,
      source: labels.source,
      date: labels.labelledOn,
    })
    .from(labels)
    .where(eq(labels.chain, chain))
    .orderBy(asc(labels.address), asc(labels.kind));
