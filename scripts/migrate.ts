import { resolve } from "node:path";
import { prepareRole } from "#db/server/desk-role";
import { type Migrated, migrate } from "#db/server/migrate";
import { readMigrations } from "#db/server/migration";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { MIGRATIONS, openEmbedded } from "#local/postgres/embedded-postgres";
import { onServer } from "#local/postgres/server-postgres";
import { readEnv } from "#runtime/config";

const command: Command = {
  usage: "npm run migrate --",
  summary: "Brings a database to the schema of this code. Forward only; safe to run twice, and by two at once.",
  options: {
    url: { value: "URL", says: "postgres://… of the server; otherwise DATABASE_URL" },
    directory: { value: "DIR", says: "an embedded database's folder, instead of a server" },
    list: { says: "print the migrations of this code and exit" },
  },
  notes: [
    "The URL must lead to the server itself, not to a pooler. With sslmode=verify-full its certificate is verified.",
    "A URL may hold a password; prefer DATABASE_URL, since a command line can be seen by other users.",
  ],
};

const migrateServer = (url: string): Promise<Migrated> =>
  onServer(url, async ({ migrations }) => {
    const migrated = await migrate(migrations, await readMigrations(MIGRATIONS));
    if (migrated.newer.length === 0) await prepareRole(migrations, null);
    return migrated;
  });

function told({ ran, newer }: Migrated): string {
  if (newer.length > 0) return `already newer, by ${newer.join(", ")}; this code may run with it`;
  return ran.length === 0 ? "up to date, nothing to run" : `ran ${ran.join(", ")}`;
}

async function main(given: Arguments): Promise<void> {
  if (given.flag("list")) {
    for (const { name } of await readMigrations(MIGRATIONS)) console.log(name);
    return;
  }
  const directory = given.text("directory");
  if (directory !== undefined) {
    const { close } = await openEmbedded(resolve(directory));
    await close();
    console.log(`${directory} has the schema of this code`);
    return;
  }
  const url = given.text("url") ?? readEnv("DATABASE_URL");
  if (url === null) throw new UsageError("name a database: --url, --directory or DATABASE_URL");
  console.log(told(await migrateServer(url)));
}

await runCommand(command, main);
