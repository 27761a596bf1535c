import { sql } from "drizzle-orm";
import type { RecordHead } from "#trading/record-head";
import { type Instant, instant, millis } from "#units/time";
import { verifyAudit } from "./audit.ts";
import type { Db } from "./client.ts";
import { drizzleOf } from "./drizzle.ts";
import { orderFaults, orderHead } from "./trading/order-records.ts";

/** One thing that is wrong with the desk's records. */
export interface RecordFault {
  readonly table: "audit_logs" | "order_events";
  /** Which row or order, in words: "row 12". */
  readonly where: string;
  readonly reason: string;
}

export interface RecordVerdict {
  /** By table; of the audit log the first alone. Empty = whole. */
  readonly faults: readonly RecordFault[];
  /** Where the records stand, to be kept elsewhere; null when something is wrong with them. */
  readonly head: RecordHead | null;
}

// An event's time is that of the message that led to it, and a queue keeps a message for four days (stacks/pipeline.ts).
const SETTLED_MS = 5 * 24 * 3_600_000;
// Below the five minutes of the function that does it.
const LONG = "240s";

/**
 * Checks the audit log and every order's events, alone and against heads that were `kept` elsewhere, in one snapshot.
 * Finds a row that was changed, removed or added out of turn; an order whose state its events do not tell; and against a
 * kept head an end that was cut off and a history that was rewritten with fresh hashes.
 */
export const verifyRecords = (db: Db, at: Instant, kept: readonly RecordHead[]): Promise<RecordVerdict> =>
  drizzleOf(db).transaction(
    async (snapshot) => {
      await snapshot.execute(sql`SELECT set_config('statement_timeout', ${LONG}, true)`);
      const audit = await verifyAudit(
        snapshot,
        kept.map((head) => head.audit),
      );
      const faults: RecordFault[] = audit.intact
        ? []
        : [{ table: "audit_logs", where: `row ${audit.seq}`, reason: audit.reason }];
      for (const { order, seq, reason } of await orderFaults(snapshot))
        faults.push({
          table: "order_events",
          where: seq === null ? `order ${order}` : `order ${order}, event ${seq}`,
          reason,
        });
      faults.push(...(await againstKept(snapshot, kept)));
      const orders = await orderHead(snapshot, instant(millis(at) - SETTLED_MS));
      const isWhole = audit.intact && faults.length === 0;
      return { faults, head: isWhole ? { at, audit: { rows: audit.rows, hash: audit.head }, orders } : null };
    },
    { isolationLevel: "repeatable read", accessMode: "read only" },
  );

/** Returns where the events of orders are no longer what a kept head says: of several heads the oldest alone. */
async function againstKept(db: Db, kept: readonly RecordHead[]): Promise<RecordFault[]> {
  for (const { at, orders } of [...kept].sort((a, b) => (a.at < b.at ? -1 : 1))) {
    const { events, hash } = await orderHead(db, orders.until);
    const where = `events up to ${orders.until}`;
    const reason = `${events} are there, ${orders.events} were when the head of ${at} was kept`;
    if (events !== orders.events) return [{ table: "order_events", where, reason }];
    if (hash !== orders.hash) return [{ table: "order_events", where, reason: `rewritten since the head of ${at}` }];
  }
  return [];
}
