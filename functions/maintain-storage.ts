import { verifyRecords } from "#db/records";
import { maintainStorage } from "#db/server/maintenance";
import { log } from "#runtime/log";
import { measure } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";

/** Of many faults the first say enough; `npm run audit -- verify` has them all. */
const TOLD = 20;

/**
 * Makes partitions ahead, drops what retention let go, archives closed positions and refreshes daily performance. Checks
 * the audit log and the trails of orders, also against the heads that the copy has, and keeps there where they stand.
 */
export const handler = schedule("maintain-storage", async ({ at }, { database, copy }) => {
  const maintenance = await maintainStorage(database, at);
  measure("DefaultPartitionRows", maintenance.strayRows);
  log({ level: "info", message: "storage maintained", at, ...maintenance });
  const kept = (await copy?.heads()) ?? [];
  const { faults, head } = await verifyRecords(database, at, kept);
  for (const fault of faults.slice(0, TOLD)) log({ level: "error", message: "records broken", at, ...fault });
  if (head !== null) {
    await copy?.keep(head);
    log({ level: "info", message: "records whole", compared: kept.length, ...head });
  }
  measure("AuditChainBroken", faults.length);
});
