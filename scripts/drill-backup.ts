import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyAudit } from "#db/audit";
import type { Db } from "#db/client";
import { connectPostgres, type PostgresConnection } from "#db/server/connect";
import { prepareRole } from "#db/server/desk-role";
import { type Digest, digest } from "#db/server/digest";
import { inventoryOf } from "#db/server/inventory";
import { migrate } from "#db/server/migrate";
import { type Migration, migrationOf, readMigrations } from "#db/server/migration";
import { createScratchDatabase } from "#db/server/scratch";
import { readControl } from "#db/trading/control";
import { heldContracts } from "#db/trading/lane-facts";
import { ordersAtVenue } from "#db/trading/orders";
import { openPositions } from "#db/trading/positions";
import type { PaperState } from "#doubles/venue/account";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { type Closer, closeAll } from "#host/closers";
import { openProgress } from "#host/progress";
import { MIGRATIONS } from "#local/postgres/embedded-postgres";
import { chosenRecording } from "#recording/chosen-recording";
import type { Recording } from "#recording/recording";
import { trustWallets } from "#replay/drill/trust";
import { runRecording } from "#replay/run-recording";
import { readEnv } from "#runtime/config";
import { big } from "#units/decimal";
import { instant } from "#units/time";
import { run } from "./cloud/run.ts";

const command: Command = {
  usage: "npm run drill:backup --",
  summary:
    "Replays a recording on a PostgreSQL server while its database is backed up, restored elsewhere, upgraded and restored too old, each while a position is held and an order is in flight.",
  options: {
    database: {
      value: "URL",
      says: "postgres://… of a server on which databases and a role may be made; otherwise TEST_DATABASE_URL",
    },
    programs: {
      value: "DIR",
      says: "where the server's pg_dump and pg_restore are; otherwise they are looked for in PATH",
    },
    slots: { value: "N", says: "12 s slots of the generated recording", default: "80" },
    settle: { value: "MINUTES", says: "how long the clock goes on after the last block", default: "5" },
  },
  notes: ['docs/runbook.md, "Backup and restore", says what must hold.'],
};

/** A backup, a restore or an upgrade lost something, doubled something or changed what the desk did. */
class BackupDrillError extends Error {
  override name = "BackupDrillError";
}

const ACCOUNT = { mode: "demo", venue: "paper" } as const;
const RECONCILE = "functions/reconcile-orders.handler";

/** An upgrade that adds, as the next release's: a column and a table in one transaction, an index by itself. */
const UPGRADE: readonly Migration[] = [
  migrationOf(
    "9001_notes.sql",
    "-- compatible_from: 0004\nALTER TABLE orders ADD COLUMN note TEXT;\nCREATE TABLE order_notes (order_id UUID PRIMARY KEY REFERENCES orders (id));",
  ),
  migrationOf(
    "9002_note_index.sql",
    "-- compatible_from: 0004\n-- transaction: none\n\nDROP INDEX CONCURRENTLY IF EXISTS orders_noted;\n\nCREATE INDEX CONCURRENTLY orders_noted ON orders (note) WHERE note IS NOT NULL;",
  ),
];

interface Asked {
  readonly server: string;
  /** The folder of pg_dump and pg_restore, or "" for PATH's. */
  readonly programs: string;
  readonly recording: Recording;
  readonly settleMs: number;
  readonly scratch: string;
  readonly role: string;
  readonly signal: AbortSignal;
  /** What is to be closed and dropped at the end. */
  readonly closers: Closer[];
}

/** One database of a desk on the server. */
interface Desk extends PostgresConnection {
  readonly url: string;
}

async function openDesk({ server, closers }: Asked): Promise<Desk> {
  const { url, drop } = await createScratchDatabase(server);
  closers.push(drop);
  const connection = connectPostgres(url, { sessions: 4 });
  closers.push(connection.close);
  return { ...connection, url };
}

/** Brings a database to this release, as a deploy does: the schema, then the functions' role. */
async function released({ migrations }: Desk, role: string): Promise<void> {
  await migrate(migrations, await readMigrations(MIGRATIONS));
  await prepareRole(migrations, { name: role, iam: false });
}

const exec = ({ migrations }: Desk, statements: string): Promise<void> =>
  migrations.transaction((session) => session.exec(statements));

const hasTimescale = async ({ migrations }: Desk): Promise<boolean> =>
  (await inventoryOf(migrations)).some((line) => line.startsWith("extension timescaledb "));

const program = ({ programs }: Asked, name: string): string => (programs === "" ? name : join(programs, name));

async function backup(asked: Asked, desk: Desk, file: string): Promise<void> {
  await run(program(asked, "pg_dump"), ["--format=custom", "--file", file, desk.url]);
}

/** Restores a backup into a new database and makes it ready for the desk. */
async function restored(asked: Asked, file: string, isTimescale: boolean): Promise<Desk> {
  const desk = await openDesk(asked);
  if (isTimescale) await exec(desk, "CREATE EXTENSION timescaledb");
  if (isTimescale) await exec(desk, "SELECT timescaledb_pre_restore()");
  await run(program(asked, "pg_restore"), ["--exit-on-error", "--dbname", desk.url, file]);
  if (isTimescale) await exec(desk, "SELECT timescaledb_post_restore()");
  await released(desk, asked.role);
  return desk;
}

/** Returns a database handle that leads to whichever one `current` names at the moment. */
const following = (current: () => Db): Db =>
  new Proxy({} as Db, {
    get: (_, name) => {
      const db = current();
      const value: unknown = Reflect.get(db, name);
      return typeof value === "function" ? (value.bind(db) as unknown) : value;
    },
  });

/** What happens to a desk's database just before a reconciliation that has a position and an order in flight. */
type Step = (desk: Desk) => Promise<Desk>;

interface Outcome {
  readonly digest: Digest;
  readonly venue: PaperState;
  readonly desk: Desk;
  readonly close: () => Promise<void>;
}

/** Replays the recording; each of `steps` takes one moment at which a position is held and an order is in flight. */
async function replayed(asked: Asked, name: string, steps: readonly Step[]): Promise<Outcome> {
  const { recording, settleMs, signal, scratch } = asked;
  let desk = await openDesk(asked);
  await released(desk, asked.role);
  const left = [...steps];
  const between = async (): Promise<void> => {
    if (left.length === 0) return;
    const isHeld = (await openPositions(desk.db, ACCOUNT)).length > 0;
    if (!isHeld || (await ordersAtVenue(desk.db, ACCOUNT.mode)).length === 0) return;
    desk = (await left.shift()?.(desk)) ?? desk;
  };
  const bar = openProgress(process.stderr, () => performance.now());
  const finished = await runRecording({
    ...{ recording, settleMs, signal, gitSha: "drill", directory: join(scratch, name) },
    progress: (step) => bar.update({ ...step, phase: name, events: null, lagSeconds: null }),
    prepare: (db) => trustWallets(db, recording.manifest.chain, instant((recording.headers[0]?.timestamp ?? 0) * 1000)),
    drill: {
      openDatabase: async () => ({ db: following(() => desk.db), vacuum: async () => {}, close: async () => {} }),
      edge: async (_place, url) => url,
      handler: (consumer, handler) =>
        consumer !== RECONCILE
          ? handler
          : async (event, context) => {
              await between();
              return handler(event, context);
            },
    },
  });
  bar.done();
  if (left.length > 0) throw new BackupDrillError(`${name}: ${left.length} moments did not come: give it more --slots`);
  return { digest: finished.digest, venue: finished.venue.state(), desk, close: finished.close };
}

/** Returns where the books differ from the venue's. */
async function bookProblems({ desk, venue }: Outcome): Promise<string[]> {
  const problems: string[] = [];
  for (const id of new Set(venue.fills.map(({ instId }) => instId))) {
    const held = await heldContracts(desk.db, ACCOUNT, id);
    const there = venue.positions.find(({ instId }) => instId === id)?.contracts ?? "0";
    if (!big(held).eq(there)) problems.push(`${id}: the books hold ${held}, the venue ${there}`);
  }
  return problems;
}

/** Returns what the venue or the audit log holds twice or not at all. */
async function doubleProblems({ desk, venue }: Outcome): Promise<string[]> {
  const ids = venue.orders.map(({ clOrdId }) => clOrdId);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  const audit = await verifyAudit(desk.db);
  return [
    ...twice.map((id) => `order ${id} is twice at the venue`),
    ...(audit.intact ? [] : [`the audit log breaks at ${audit.seq}: ${audit.reason}`]),
  ];
}

const fillsOf = ({ fills }: PaperState): string =>
  fills
    .map(({ tradeId, clOrdId, side, fillSz, fillPx }) => [tradeId, clOrdId, side, fillSz, fillPx].join(" "))
    .toSorted()
    .join("\n");

function differences(one: Outcome, other: Outcome): string[] {
  const tables = Object.entries(one.digest.tables).filter(
    ([name, { sha256 }]) => other.digest.tables[name]?.sha256 !== sha256,
  );
  return [
    ...tables.map(([name, { rows }]) => `table ${name}: ${rows} rows undisturbed, ${other.digest.tables[name]?.rows}`),
    ...(fillsOf(one.venue) === fillsOf(other.venue) ? [] : ["the venue's fills differ"]),
  ];
}

const lost = (before: readonly string[], after: readonly string[]): string[] => [
  ...before.filter((line) => !after.includes(line)).map((line) => `lost: ${line}`),
  ...after.filter((line) => !before.includes(line)).map((line) => `new: ${line}`),
];

function fail(what: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new BackupDrillError(`${what}\n${problems.join("\n")}`);
  process.stdout.write(`${what}: nothing lost, nothing doubled\n`);
}

/** Backs up, restores, and compares the two before the desk goes on in the new one. */
const moves =
  (asked: Asked): Step =>
  async (desk) => {
    const file = join(asked.scratch, "desk.dump");
    await backup(asked, desk, file);
    const next = await restored(asked, file, await hasTimescale(desk));
    const [before, after] = [await digest(desk.db), await digest(next.db)];
    const audits = [await verifyAudit(desk.db), await verifyAudit(next.db)].map((verdict) => JSON.stringify(verdict));
    fail("a backup restored into a new database, with a position and an order in flight", [
      ...lost(await inventoryOf(desk.migrations), await inventoryOf(next.migrations)),
      ...(before.digest === after.digest ? [] : ["the rows differ"]),
      ...(audits[0] === audits[1] ? [] : [`the audit log: ${audits.join(", now ")}`]),
    ]);
    await desk.close();
    return next;
  };

/** Upgrades under the desk, and lets the release before look at it. */
const upgrades: Step = async (desk) => {
  const files = await readMigrations(MIGRATIONS);
  const other = connectPostgres(desk.url); // as the deploy's function: another session than the desk's
  try {
    const { ran } = await migrate(other.migrations, [...files, ...UPGRADE]);
    const { newer } = await migrate(other.migrations, files);
    const names = UPGRADE.map(({ name }) => name).join(" ");
    fail("an upgrade between two reconciliations, with a position and an order in flight", [
      ...(ran.join(" ") === names ? [] : [`it ran ${ran.join(" ")}`]),
      ...(newer.join(" ") === names ? [] : [`the release before finds ${newer.join(" ")}`]),
    ]);
  } finally {
    await other.close();
  }
  return desk;
};

/** Two moments: at the first a backup is made, at the second the database is lost and that backup is all there is. */
const goesBack = (asked: Asked): readonly Step[] => {
  const file = join(asked.scratch, "old.dump");
  return [
    async (desk) => {
      await backup(asked, desk, file);
      return desk;
    },
    async (desk) => {
      const isTimescale = await hasTimescale(desk);
      await desk.close();
      return restored(asked, file, isTimescale);
    },
  ];
};

async function prove(asked: Asked): Promise<void> {
  const plain = await replayed(asked, "undisturbed", []);
  await plain.close();
  const moved = await replayed(asked, "moved", [moves(asked), upgrades]);
  fail(`the desk that went on in it (${moved.venue.orders.length} orders)`, [
    ...differences(plain, moved),
    ...(await bookProblems(moved)),
    ...(await doubleProblems(moved)),
  ]);
  await moved.close();
  const old = await replayed(asked, "old", goesBack(asked));
  const { state, reason } = await readControl(old.desk.db, ACCOUNT.mode);
  // What the desk did since is not in the books: it must take it from the venue, say it and open nothing more.
  const isSeen = state === "REDUCING" && /: an order of the desk's that its books do not have, /.test(reason);
  fail(`a desk with an older backup (${state}: ${reason})`, [
    ...(isSeen ? [] : ["it did not see that the venue is ahead of its books"]),
    ...(await bookProblems(old)),
    ...(await doubleProblems(old)),
  ]);
  await old.close();
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const server = given.text("database") ?? readEnv("TEST_DATABASE_URL");
  if (server === null) throw new UsageError("name a database server: --database or TEST_DATABASE_URL");
  const scratch = await mkdtemp(join(tmpdir(), "spyhop-backup-"));
  const role = `spyhop_drill_${randomUUID().slice(0, 8)}`;
  const admin = connectPostgres(server);
  const make = (statement: string): Promise<void> => admin.migrations.transaction((session) => session.exec(statement));
  const closers: Closer[] = [() => rm(scratch, { recursive: true, force: true }), admin.close];
  try {
    await make(`CREATE ROLE ${role} LOGIN`);
    closers.push(() => make(`DROP ROLE ${role}`));
    const recording = await chosenRecording(null, given.count("slots") ?? 0, scratch);
    const settleMs = (given.count("settle") ?? 0) * 60_000;
    const programs = given.text("programs") ?? "";
    await prove({ server, programs, recording, settleMs, scratch, role, signal, closers });
  } finally {
    await closeAll(closers);
  }
}

await runCommand(command, main);
