// Makes an empty, migrated database in the folder of its first argument, as a process of its own (see embedded-postgres.ts).
import { PGlite } from "@electric-sql/pglite";
import { migrate } from "#db/server/migrate";
import { readMigrations } from "#db/server/migration";
import { MIGRATIONS, pgliteMigrations } from "./embedded-postgres.ts";
import { SMALL } from "./embedded-settings.ts";

const [, , folder] = process.argv;
if (folder === undefined) throw new RangeError("no folder");
// Its input ends with the process that asked for it: then the folder is the next one's to make, and is left alone.
process.stdin.once("end", () => process.exit(1)).resume();
const client = await PGlite.create(folder, SMALL);
await migrate(pgliteMigrations(client), await readMigrations(MIGRATIONS));
await client.close();
process.stdin.destroy();
