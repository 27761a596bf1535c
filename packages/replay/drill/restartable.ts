import { spawn } from "node:child_process";
import { cp, rm } from "node:fs/promises";
import { connectPostgres } from "#db/server/connect";
import { migrate } from "#db/server/migrate";
import { readMigrations } from "#db/server/migration";
import { type Embedded, MIGRATIONS, openEmbedded } from "#local/postgres/embedded-postgres";
import type { Restartable } from "./database.ts";

/** The command that restarts the server failed. */
export class RestartError extends Error {
  override name = "RestartError";
}

export interface RestartableDatabase extends Restartable {
  readonly vacuum: Embedded["vacuum"];
  readonly close: () => Promise<void>;
}

/**
 * Opens an embedded database that can be restarted. Every odd restart is a crash: the next one opens what was on the disk
 * at that moment, without a shutdown, and recovers. Every even one closes the folder and opens it again.
 */
export async function restartableFolder(folder: string): Promise<RestartableDatabase> {
  let at = folder;
  let open: Embedded = await openEmbedded(at);
  let restarts = 0;
  return {
    isServer: false,
    current: () => open.db,
    vacuum: (extent) => open.vacuum(extent),
    close: () => open.close(),
    restart: async () => {
      restarts += 1;
      const isCrash = restarts % 2 === 1;
      const next = isCrash ? `${folder}-${restarts}` : at;
      if (isCrash) await cp(at, next, { recursive: true });
      await open.close();
      if (isCrash) await rm(at, { recursive: true, force: true });
      open = await openEmbedded(next);
      at = next;
    },
  };
}

/**
 * Opens the empty database at `url` on a server and migrates it. `command` restarts the server and returns when it takes
 * connections again. @throws RestartError when it fails; the errors of `migrate`.
 */
export async function restartableServer(url: string, command: string): Promise<RestartableDatabase> {
  const { db, migrations, close } = connectPostgres(url);
  await migrate(migrations, await readMigrations(MIGRATIONS));
  return {
    isServer: true,
    current: () => db,
    vacuum: async () => {}, // a server does it by itself
    close,
    restart: () =>
      new Promise((resolve, reject) => {
        const child = spawn(command, { shell: true, stdio: ["ignore", "ignore", "inherit"] });
        child.once("error", reject);
        child.once("exit", (code) =>
          code === 0 ? resolve() : reject(new RestartError(`"${command}" ended with ${code}`)),
        );
      }),
  };
}
