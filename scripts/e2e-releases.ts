import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connectPostgres } from "#db/server/connect";
import { createScratchDatabase } from "#db/server/scratch";
import { paperSecret } from "#doubles/venue/key";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { readEnv } from "#runtime/config";
import { named } from "#topology/names";
import { type Deployment, deployTo } from "./cloud/deployment.ts";
import { type Emulator, startEmulator } from "./cloud/emulator.ts";
import { hostCall } from "./cloud/host.ts";
import { queryApi } from "./cloud/query-api.ts";
import { ProgramError, run } from "./cloud/run.ts";

const command: Command = {
  usage: "npm run e2e:releases --",
  summary:
    "Deploys release after release to an AWS emulator on this machine: a bad migration, a rollback, a stack that is stuck and its recovery.",
  options: {
    database: {
      value: "URL",
      says: "postgres://… of a server on which a database may be made; otherwise TEST_DATABASE_URL",
    },
    directory: { value: "DIR", says: "where the emulator is kept", default: ".spyhop/releases" },
    verbose: { says: "show what the deploying host says" },
  },
  notes: ['It needs Python 3.10 or newer. docs/runbook.md, "Rollback", says what this proves.'],
};

/** The deployed releases did not do what the runbook says. */
class ReleaseError extends Error {
  override name = "ReleaseError";
}

function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new ReleaseError(what);
  process.stdout.write(`  ${what}\n`);
}

// Beside the project's own files, whose last is 0999 at most.
const EXPANDS = ["9001_notes.sql", "-- compatible_from: 0004\nCREATE TABLE notes (text TEXT NOT NULL);\n"] as const;
const BAD = ["9002_twins.sql", "-- compatible_from: 0004\nINSERT INTO notes SELECT 1 / 0;\n"] as const;
const MENDED = ["9002_twins.sql", "-- compatible_from: 0004\nINSERT INTO notes VALUES ('a'), ('a');\n"] as const;
const CONTRACTS = [
  "9003_contract.sql",
  "-- Says no release: none before this one may run.\nALTER TABLE notes ADD COLUMN of TEXT;\n",
] as const;
const unique = (columns: string): string =>
  `-- transaction: none\n\nDROP INDEX CONCURRENTLY IF EXISTS one_note;\n\nCREATE UNIQUE INDEX CONCURRENTLY one_note ON notes (${columns});\n`;
const TWICE = ["9004_one_note.sql", unique("text")] as const;
const ONCE = ["9004_one_note.sql", unique("text, of")] as const;

type File = readonly [name: string, sql: string];

/** Copies this code to a folder of its own and adds migrations to it, as another commit would. */
async function releaseOf(folder: string, files: readonly File[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  const parts = ["functions", "migrations", "packages", "scripts", "stacks", "dist", "recordings/sample"];
  const single = ["package.json", "package-lock.json", "cdk.json", "sst.config.ts", "tsconfig.json"];
  for (const part of [...parts, ...single]) await cp(part, join(folder, part), { recursive: true });
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
  for (const [name, sql] of files)
    for (const at of ["migrations", "dist/functions/migrate-schema/migrations"])
      await writeFile(join(folder, at, name), sql);
  return folder;
}

interface Site {
  readonly emulator: Emulator;
  readonly deployment: Deployment;
  readonly target: string;
  readonly scratch: string;
  readonly url: string;
  readonly say: ((text: string) => void) | undefined;
}

/** Deploys a release from its own folder; returns what the host said when it failed, else null. */
function deployed(site: Site, folder: string): Promise<string | null> {
  const files = { target: site.target, assembly: join(folder, "cdk.out") };
  const { args, env } = hostCall("cdk", "deploy", "dev", files, ["--require-approval", "never", "--concurrency", "4"]);
  return failureOf(site, folder, args, env);
}

/** Runs the project's own command in a release's folder, as a person does. */
const commanded = (site: Site, folder: string, ...args: string[]): Promise<string | null> =>
  failureOf(site, folder, [
    ...["--disable-warning=ExperimentalWarning", "scripts/deploy.ts", "--stage", "dev", "--target", site.target],
    ...args,
  ]);

async function failureOf(
  { emulator, say }: Site,
  cwd: string,
  args: readonly string[],
  own: Readonly<Record<string, string>> = {},
): Promise<string | null> {
  let said = "";
  const hear = (text: string): void => {
    said += text;
    say?.(text);
  };
  try {
    await run(process.execPath, args, { cwd, say: hear, env: { ...own, ...emulator.env, CI: "true", NO_COLOR: "1" } });
    return null;
  } catch (error) {
    if (error instanceof ProgramError) return said;
    throw error;
  }
}

async function statusOf({ emulator }: Site): Promise<string> {
  const xml = await queryApi(emulator, "cloudformation", "DescribeStacks", { StackName: named("dev", "release") });
  return /<StackStatus>([^<]*)</.exec(xml)?.[1] ?? "missing";
}

/** Returns which of the added files ran, by the database's own register. */
async function registered({ url }: Site): Promise<string> {
  const { migrations, close } = connectPostgres(url);
  try {
    const rows = await migrations.transaction((session) =>
      session.query("SELECT name FROM schema_migrations WHERE name > '9' ORDER BY name", []),
    );
    return rows.map((row) => String((row as { name: unknown }).name)).join(" ");
  } finally {
    await close();
  }
}

/** Whether the deployed functions answer, and one of them reads and writes as its own role. */
async function isWell({ deployment }: Site): Promise<boolean> {
  const { ok } = await deployment.get("/api/bias");
  return ok;
}

async function prove(site: Site): Promise<void> {
  const at = (name: string): string => join(site.scratch, name);
  const before = await releaseOf(at("before"), []);
  process.stdout.write("two new migrations, the second bad\n");
  const failure = await deployed(site, await releaseOf(at("bad"), [EXPANDS, BAD]));
  expect(failure?.includes("9002_twins.sql") === true, "the deploy fails, and names the file");
  expect((await statusOf(site)) === "UPDATE_ROLLBACK_COMPLETE", "the release is taken back by itself");
  expect((await registered(site)) === "", "neither file was kept");
  expect(await isWell(site), "the release before goes on");

  process.stdout.write("the second mended, then a rollback\n");
  expect((await deployed(site, await releaseOf(at("mended"), [EXPANDS, MENDED]))) === null, "both run");
  expect((await deployed(site, before)) === null, "the release before is deployed over the newer schema");
  const reply = JSON.stringify(await site.deployment.invoke("migrate-schema", {}));
  expect(reply === '{"ran":[],"newer":["9001_notes.sql","9002_twins.sql"]}', `its migrations say ${reply}`);
  expect(await isWell(site), "it goes on");

  process.stdout.write("a file that leaves no older release, and one after it that fails\n");
  const files = [EXPANDS, MENDED, CONTRACTS];
  const stuck = await releaseOf(at("stuck"), [...files, TWICE]);
  expect((await deployed(site, stuck)) !== null, "the deploy fails");
  expect((await statusOf(site)) === "UPDATE_ROLLBACK_FAILED", "and so does the way back: the stack is stuck");
  const release = await releaseOf(at("recovers"), [...files, ONCE]);
  expect((await deployed(site, release)) !== null, "a deploy of the mended release is refused");
  const asked = await commanded(site, release, "--recover");
  expect(asked?.includes("leaves as it is: ") === true, "deploy -- --recover says what it would do");
  expect((await statusOf(site)) === "UPDATE_ROLLBACK_FAILED", "and does nothing unless somebody agrees");
  expect((await commanded(site, release, "--recover", "--yes")) === null, "deploy -- --recover --yes deploys it");
  expect((await statusOf(site)) === "UPDATE_COMPLETE", "the stack is whole");
  expect((await registered(site)).endsWith("9003_contract.sql 9004_one_note.sql"), "every file ran");
  expect(await isWell(site), "the desk goes on");
}

async function main(given: Arguments): Promise<void> {
  const server = given.text("database") ?? readEnv("TEST_DATABASE_URL");
  if (server === null) throw new UsageError("name a database server: --database or TEST_DATABASE_URL");
  const say = given.flag("verbose") ? (text: string): void => void process.stderr.write(text) : undefined;
  const scratch = await mkdtemp(join(tmpdir(), "spyhop-releases-"));
  const closers: (() => Promise<unknown>)[] = [() => rm(scratch, { recursive: true, force: true })];
  try {
    await run(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/bundle.ts"]);
    const database = await createScratchDatabase(server);
    closers.push(database.drop);
    const emulator = await startEmulator(join(given.need("directory"), "ministack"));
    closers.push(emulator.down);
    const directory = join(scratch, "deployment");
    const deployment = await deployTo({
      ...{ emulator, directory, host: "cdk", schedules: false, settings: {} },
      secrets: {
        database: { url: database.url },
        rpc: { urls: ["http://127.0.0.1:1"] }, // no chain: nothing here follows one
        exchange: JSON.parse(paperSecret()) as unknown,
      },
      ...(say === undefined ? {} : { say }),
    });
    await prove({ emulator, deployment, scratch, say, url: database.url, target: join(directory, "target.json") });
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

await runCommand(command, main);
