import { sql } from "drizzle-orm";
import * as z from "zod";
import { type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { rows } from "../rows.ts";
import * as kind from "../shape.ts";
import { patiently } from "./patience.ts";

const Maintained = kind.shape("maintained tables", { made: kind.int, dropped: kind.built(z.array(z.string())) });
const Archived = kind.shape("archived positions", { count: kind.int });
const PrunedContributions = kind.shape("pruned contributions", { count: kind.int });
const PrunedRefs = kind.shape("pruned event refs", { count: kind.int });
const Stray = kind.shape("stray rows", { count: kind.int });

/** What one run of maintenance did. */
export interface Maintenance {
  /** Partitions made ahead; always 0 on TimescaleDB, which makes chunks itself. */
  readonly made: number;
  /** Names of the partitions or chunks that were dropped, ascending by table. */
  readonly dropped: readonly string[];
  readonly archivedPositions: number;
  readonly prunedContributions: number;
  readonly prunedEventRefs: number;
  /** Rows that still have no partition of their own: they are of a time that nothing was made for. */
  readonly strayRows: number;
}

const DAY = 86_400_000;
/** Closed positions move to the archive after this. Performance counts both. */
const POSITION_DAYS = 30;
/** As long as `events` are kept: after that nothing can show what a contribution or a registry row was about. */
const EVENT_DAYS = 90;
const BATCH = 10_000;

const before = (at: Instant, days: number): Instant => instant(millis(at) - days * DAY);

/**
 * Makes the partitions that rows around `at` will need and drops what retention has let go, whole chunks at a time. Call
 * it before the first row of a replay too. Does nothing while another session does it.
 */
export async function maintainPartitions(db: Db, at: Instant): Promise<Pick<Maintenance, "made" | "dropped">> {
  const tables = await patiently(db, (tx) =>
    rows(
      tx,
      Maintained,
      sql`SELECT made, to_jsonb(dropped) AS dropped FROM app_ts_maintain(${at}) ORDER BY table_name`,
    ),
  );
  return {
    made: tables.reduce((sum, table) => sum + table.made, 0),
    dropped: tables.flatMap((table) => table.dropped),
  };
}

/** Moves positions that closed before `limit` to the archive and returns how many. */
async function archivePositions(db: Db, limit: Instant): Promise<number> {
  const [row] = await rows(db, Archived, sql`SELECT app_archive_positions(${limit})::int AS count`);
  return row?.count ?? 0;
}

/** Deletes contributions from before `limit`, whose decayed weight is long nothing, and returns how many. */
async function pruneContributions(db: Db, limit: Instant): Promise<number> {
  const [row] = await rows(
    db,
    PrunedContributions,
    sql`WITH gone AS (DELETE FROM bias_contributions WHERE at < ${limit} RETURNING 1)
        SELECT count(*)::int AS count FROM gone`,
  );
  return row?.count ?? 0;
}

/** Deletes registry rows from before `limit` whose event is gone and that nothing refers to; returns how many. */
async function pruneEventRefs(db: Db, limit: Instant): Promise<number> {
  let total = 0;
  for (;;) {
    const [row] = await patiently(db, (tx) =>
      rows(tx, PrunedRefs, sql`SELECT app_prune_event_refs(${limit}, ${BATCH})::int AS count`),
    );
    total += row?.count ?? 0;
    if ((row?.count ?? 0) < BATCH) return total;
  }
}

/** Brings `daily_performance` up to date. Readers go on meanwhile. */
async function refreshPerformance(db: Db): Promise<void> {
  await drizzleOf(db).execute(sql`SELECT app_refresh_performance()`);
}

/** Returns how many rows are in the default partitions; 0 on hypertables. */
async function countStrayRows(db: Db): Promise<number> {
  const [row] = await rows(db, Stray, sql`SELECT app_stray_rows()::int AS count`);
  return row?.count ?? 0;
}

/** Does the whole of the daily maintenance as of `at`. Done twice it finds nothing more to do. */
export async function maintainStorage(db: Db, at: Instant): Promise<Maintenance> {
  const partitions = await maintainPartitions(db, at);
  const archivedPositions = await patiently(db, (tx) => archivePositions(tx, before(at, POSITION_DAYS)));
  const prunedContributions = await patiently(db, (tx) => pruneContributions(tx, before(at, EVENT_DAYS)));
  const prunedEventRefs = await pruneEventRefs(db, before(at, EVENT_DAYS));
  await patiently(db, refreshPerformance);
  const strayRows = await patiently(db, countStrayRows);
  return { ...partitions, archivedPositions, prunedContributions, prunedEventRefs, strayRows };
}
