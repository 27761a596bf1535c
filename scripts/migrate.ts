import { resolve } from "node:path";
import { prepareRole } from "#db/server/desk-role";
import { migrate, readMigrations } from "#db/server/migrate";
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

const migrateServer = (url: string): Promise<readonly string[]> =>
  onServer(url, async ({ migrations }) => {
    const ran = await migrate(migrations, await readMigrations(MIGRATIONS));
    await prepareRole(migrations, null);
    return ran;
  });

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
  const ran = await migrateServer(url);
  console.log(ran.length === 0 ? "up to date, nothing to run" : `ran ${ran.join(", ")}`);
}

await runCommand(command, main);
