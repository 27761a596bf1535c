import { verifyAudit } from "#db/audit";
import { maintainStorage } from "#db/server/maintenance";
import { log } from "#runtime/log";
import { measure } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";

/**
 * Makes partitions ahead, drops what retention let go, archives closed positions and refreshes daily performance. Walks
 * the audit log; the hash of its newest row is in the log line, so that a cut-off end shows against an older line.
 */
export const handler = schedule("maintain-storage", async ({ at }, { database }) => {
  const maintenance = await maintainStorage(database, at);
  const audit = await verifyAudit(database);
  measure("DefaultPartitionRows", maintenance.strayRows);
  measure("AuditChainBroken", audit.intact ? 0 : 1);
  log({ level: "info", message: "storage maintained", at, ...maintenance });
  if (audit.intact) log({ level: "info", message: "audit log intact", at, rows: audit.rows, head: audit.head });
  else log({ level: "error", message: `audit log broken: ${audit.reason}`, at, seq: audit.seq });
});
