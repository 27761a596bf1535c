import { asc, desc, gt, inArray, sql } from "drizzle-orm";
import { hashOf, type Json } from "#trading/canonical-json";
import type { RecordHead } from "#trading/record-head";
import type { Instant } from "#units/time";
import type { Db } from "./client.ts";
import { drizzleOf } from "./drizzle.ts";
import { auditLogs } from "./schema.ts";

/** One thing that happened. The id comes from what happened, so that a repeated report of it is known. */
export interface AuditEntry {
  readonly id: string;
  /** Time of the work. */
  readonly at: Instant;
  readonly action: string;
  readonly entityType: string;
  readonly entityId: string;
  readonly newValue: Json;
  /** The trace of the work that led to it, or null. */
  readonly traceId: string | null;
}

export type AuditVerdict =
  /** `head` is the hash of the newest row: kept elsewhere, it shows later whether the end was cut off. */
  | { readonly intact: true; readonly rows: number; readonly head: string }
  | {
      readonly intact: false;
      /** The row; of a chain that was rewritten the newest whose kept hash was another. */
      readonly seq: number;
      readonly reason: "row missing" | "row changed" | "link broken" | "end cut off" | `rewritten after row ${number}`;
    };

type Row = typeof auditLogs.$inferSelect;

const FIRST = "0".repeat(64);
const PAGE = 1000;
// Any constant serves; it only has to be the same in every process that appends.
const LOCK = sql`SELECT pg_advisory_xact_lock(7303421900113058)`;

/**
 * Appends entries to the audit log and returns how many were new: one that is there already, by id, is left alone. Each
 * row hashes the one before it. One writer at a time. Within a call entries are chained by time and id; between calls in
 * the order of arrival, so `seq` and the hashes are serial numbers, not part of a replay's digest.
 */
export async function appendAudit(db: Db, entries: readonly AuditEntry[]): Promise<number> {
  if (entries.length === 0) return 0;
  return drizzleOf(db).transaction(async (tx) => {
    await tx.execute(LOCK);
    const ids = entries.map((entry) => entry.id);
    const known = await tx.select({ id: auditLogs.id }).from(auditLogs).where(inArray(auditLogs.id, ids));
    const seen = new Set(known.map(({ id }) => id));
    const byId = new Map(entries.filter((entry) => !seen.has(entry.id)).map((entry) => [entry.id, entry]));
    const fresh = [...byId.values()].sort((a, b) => (`${a.at} ${a.id}` < `${b.at} ${b.id}` ? -1 : 1));
    if (fresh.length === 0) return 0;
    const [last] = await tx
      .select({ seq: auditLogs.seq, hash: auditLogs.hash })
      .from(auditLogs)
      .orderBy(desc(auditLogs.seq))
      .limit(1);
    let { seq, hash } = last ?? { seq: 0, hash: FIRST };
    const chained = fresh.map(({ at, ...entry }) => {
      seq += 1;
      const row = { ...NOBODY, ...entry, timestamp: at, seq, prevHash: hash };
      hash = hashOfRow(row);
      return { ...row, hash };
    });
    await tx.insert(auditLogs).values(chained);
    return chained.length;
  });
}

/** Columns that no writer fills yet. They are hashed too, so that filling one in afterwards shows. */
const NOBODY = { userId: null, oldValue: null, ipAddress: null, userAgent: null } as const;

const hashOfRow = ({ newValue, oldValue, ...row }: Omit<Row, "hash">): string =>
  hashOf({ ...row, newValue: newValue as Json, oldValue: oldValue as Json }); // what jsonb returns is JSON

/**
 * Walks the whole log from its first row and returns whether every row is there, unchanged and linked to the one before;
 * else the first place where it is not. `kept` are heads of earlier days, from where nobody could change them: against
 * them it shows too that the end was cut off, and that the chain was rewritten with fresh hashes (and after which row at
 * the earliest: the last one at which a kept hash is right). A head of another log's is a rewritten chain.
 */
export async function verifyAudit(db: Db, kept: readonly RecordHead["audit"][] = []): Promise<AuditVerdict> {
  const heads = kept.filter(({ rows }) => rows > 0).sort((a, b) => a.rows - b.rows);
  let seq = 0;
  let head = FIRST;
  let proven = 0;
  for (;;) {
    const page = await drizzleOf(db)
      .select()
      .from(auditLogs)
      .where(gt(auditLogs.seq, seq))
      .orderBy(asc(auditLogs.seq))
      .limit(PAGE);
    for (const { hash, ...row } of page) {
      if (row.seq !== seq + 1) return { intact: false, seq: seq + 1, reason: "row missing" };
      if (row.prevHash !== head) return { intact: false, seq: row.seq, reason: "link broken" };
      if (hashOfRow(row) !== hash) return { intact: false, seq: row.seq, reason: "row changed" };
      seq = row.seq;
      head = hash;
      for (; heads[0]?.rows === seq; heads.shift()) {
        if (heads[0].hash !== head) return { intact: false, seq, reason: `rewritten after row ${proven}` };
        proven = seq;
      }
    }
    if (page.length === PAGE) continue;
    return heads.some(({ rows }) => rows > seq)
      ? { intact: false, seq: seq + 1, reason: "end cut off" }
      : { intact: true, rows: seq, head };
  }
}
