import { maintainStorage } from "#db/maintenance";
import { log } from "#runtime/log";
import { schedule } from "#runtime/schedule";

/** Makes partitions ahead, drops what retention let go, archives closed positions and refreshes daily performance. */
export const handler = schedule("maintain-storage", async ({ at }, { database }) => {
  log({ level: "info", message: "storage maintained", at, ...(await maintainStorage(database, at)) });
});
