import { sql } from "drizzle-orm";
import * as z from "zod";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { rows } from "../rows.ts";
import * as kind from "../shape.ts";

/** [address, kind, name, source, date]. */
const PackedLabel = z.tuple([z.string(), z.string(), z.string(), z.string(), z.iso.date()]);
const AllLabels = kind.shape("labels", { packed: kind.orNull(kind.built(z.array(PackedLabel))) });

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
export async function upsertLabels(db: Db, chain: string, list: readonly LabelRow[]): Promise<void> {
  const unique = [...new Map(list.map((row) => [`${row.address} ${row.kind}`, row])).values()];
  for (let i = 0; i < unique.length; i += PAGE) {
    const page = unique.slice(i, i + PAGE);
    const column = (pick: (row: LabelRow) => string) => sql.param(page.map(pick));
    await drizzleOf(db).execute(sql`
      INSERT INTO labels (chain, address, kind, name, source, labelled_on)
      SELECT ${chain}, * FROM unnest(
        ${column((row) => row.address)}::text[], ${column((row) => row.kind)}::text[], ${column((row) => row.name)}::text[],
        ${column((row) => row.source)}::text[], ${column((row) => row.date)}::date[])
      ON CONFLICT (chain, address, kind) DO UPDATE
      SET name = excluded.name, source = excluded.source, labelled_on = excluded.labelled_on`);
  }
}

/** Returns every label of a chain, by address and kind. A few tens of thousands at most: read once per process. */
export async function allLabels(db: Db, chain: string): Promise<LabelRow[]> {
  // One row of JSON: thousands of rows of five columns cost more to carry than to read.
  const [row] = await rows(
    db,
    AllLabels,
    sql`SELECT json_agg(json_build_array(address, kind, name, source, labelled_on::text) ORDER BY address, kind) AS packed
        FROM labels WHERE chain = ${chain}`,
  );
  return (row?.packed ?? []).map(([address, kind, name, source, date]) => ({ address, kind, name, source, date }));
}
