import { verifyRecords } from "#db/records";
import { maintainStorage } from "#db/server/maintenance";
import { log } from "#runtime/log";
import { measure } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";

/** Of many faults the first say enough; `npm run audit -- verify` has them all. */
const TOLD = 20;

/**
 * Makes partitions ahead, drops what retention let go, archives closed positions and refreshes daily performance. Checks
 * the audit log and the trails of orders; where they stand is in the log line.
 */
export const handler = schedule("maintain-storage", async ({ at }, { database }) => {
  const maintenance = await maintainStorage(database, at);
  measure("DefaultPartitionRows", maintenance.strayRows);
  log({ level: "info", message: "storage maintained", at, ...maintenance });
  const { faults, head } = await verifyRecords(database, at, []);
  measure("AuditChainBroken", faults.length);
  if (head !== null) log({ level: "info", message: "records whole", ...head });
  for (const fault of faults.slice(0, TOLD)) log({ level: "error", message: "records broken", at, ...fault });
});
