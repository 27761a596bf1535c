import { randomBytes } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { sql } from "drizzle-orm";
import postgres from "postgres";
import { afterEach, expect, test } from "vitest";
import { MIGRATIONS, pgliteMigrations } from "#local/postgres/embedded-postgres";
import { readEnv } from "#runtime/config";
import { anyRows } from "#testing/any-rows";
import { type ServerDatabase, serverDatabase } from "#testing/database";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { appendAudit, verifyAudit } from "../audit.ts";
import { drizzleOf } from "../drizzle.ts";
import { connectPostgres, type PostgresConnection } from "./connect.ts";
import { prepareRole } from "./desk-role.ts";
import { digest } from "./digest.ts";
import { maintainStorage } from "./maintenance.ts";
import { migrate } from "./migrate.ts";
import { readMigrations } from "./migration.ts";
import { patiently } from "./patience.ts";

const server = readEnv("TEST_DATABASE_URL");
const onServer = test.skipIf(server === null);
const closings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

const as = (url: string, name: string): string => {
  const changed = new URL(url);
  changed.username = name;
  return changed.href;
};

/** A database of an owner who is no superuser, and a role that owns nothing in it. */
async function desk() {
  const { url, drop } = (await serverDatabase({ direct: true })) as ServerDatabase;
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  const suffix = randomBytes(6).toString("hex");
  const [owner, role] = [`owner_${suffix}`, `desk_${suffix}`];
  await admin.unsafe(`CREATE ROLE ${owner} LOGIN CREATEROLE`);
  await admin.unsafe(`CREATE ROLE ${role} LOGIN`);
  // From PostgreSQL 16 on, changing a role that one has not made takes this too.
  await admin.unsafe(`GRANT ${role} TO ${owner} WITH ADMIN OPTION`);
  const database = new URL(url).pathname.slice(1);
  await admin.unsafe(`ALTER DATABASE ${database} OWNER TO ${owner}`);
  closings.push(async () => {
    await admin.end();
    await drop();
    const again = postgres(server ?? "", { max: 1, onnotice: () => {} });
    await again.unsafe(`DROP ROLE ${owner}, ${role}`);
    await again.end();
  });
  const open = (name: string) => {
    const connection = connectPostgres(as(url, name));
    closings.push(connection.close);
    return connection;
  };
  return { admin, owner: open(owner), role, open };
}

test("an embedded database gives a role its rows and its limits, and no more; the second time nothing is left to do", async () => {
  const client = await PGlite.create();
  closings.push(() => client.close());
  const connection = pgliteMigrations(client);
  await migrate(connection, await readMigrations(MIGRATIONS));
  await client.exec("CREATE ROLE functions");
  for (let times = 0; times < 2; times++) await prepareRole(connection, { name: "functions", iam: false });
  const { rows } = await client.query(`SELECT array_to_string(setconfig, ' ') AS set,
      has_table_privilege('functions', 'events', 'DELETE') AS events,
      has_table_privilege('functions', 'audit_logs', 'UPDATE') AS audits,
      has_table_privilege('functions', 'schema_migrations', 'INSERT') AS migrations
    FROM pg_db_role_setting WHERE setrole = 'functions'::regrole`);
  expect(rows).toEqual([
    {
      set: "statement_timeout=8s idle_in_transaction_session_timeout=30s",
      ...{ events: true, audits: false, migrations: false },
    },
  ]);
});

const nameOf = async ({ db }: PostgresConnection): Promise<unknown> =>
  (await anyRows(db, sql`SELECT current_user::text AS name`))[0]?.name;
const settingOf = async ({ db }: PostgresConnection, name: string): Promise<unknown> =>
  (await anyRows(db, sql`SELECT current_setting(${name}) AS value`))[0]?.value;

const at = instantOf("2026-03-02T00:00:00.000Z");
const entry = {
  id: idOf("audit", 1),
  at,
  action: "x",
  entityType: "x",
  entityId: idOf("x", 1),
  newValue: {},
  traceId: null,
};
const refused = { cause: { code: "42501" } };

onServer("the functions' role does its work, owns nothing, and cannot rewrite the audit log", async () => {
  const { owner, role, open } = await desk();
  await migrate(owner.migrations, await readMigrations(MIGRATIONS));
  await prepareRole(owner.migrations, { name: role, iam: false });
  await prepareRole(owner.migrations, { name: role, iam: false });
  const { db } = open(role);
  expect(await appendAudit(db, [entry])).toBe(1);
  expect(await verifyAudit(db)).toMatchObject({ intact: true, rows: 1 });
  expect(await maintainStorage(db, at)).toMatchObject({ strayRows: 0 });
  expect((await digest(db)).tables.audit_logs?.rows).toBe(1);
  for (const statement of [
    sql`UPDATE audit_logs SET action = 'y'`,
    sql`DELETE FROM order_events`,
    sql`TRUNCATE audit_logs`,
    sql`ALTER TABLE audit_logs DISABLE TRIGGER USER`,
    sql`UPDATE schema_migrations SET sha256 = ''`,
    sql`CREATE TABLE mine (n int)`,
  ])
    await expect(drizzleOf(db).execute(statement)).rejects.toMatchObject(refused);
});

onServer(
  "a statement of the role ends after eight seconds, maintenance's later; what it leaves open ends too",
  async () => {
    const { owner, role, open } = await desk();
    await migrate(owner.migrations, []);
    await prepareRole(owner.migrations, { name: role, iam: false });
    const limited = open(role);
    expect(await settingOf(limited, "statement_timeout")).toBe("8s");
    expect(await settingOf(limited, "idle_in_transaction_session_timeout")).toBe("30s");
    const maintenance = patiently(limited.db, (tx) => settingOf({ ...limited, db: tx }, "statement_timeout"));
    expect(await maintenance).toBe("4min");
    expect(await settingOf(limited, "statement_timeout")).toBe("8s");
    expect(await settingOf(owner, "statement_timeout")).toBe("0"); // a person's own role is not limited
  },
);

onServer("a role that logs in with tokens is made, as a member of RDS's role for that; twice the same", async () => {
  const { admin, owner } = await desk();
  const self = await nameOf(owner);
  await admin`DO $$ BEGIN CREATE ROLE rds_iam; EXCEPTION WHEN duplicate_object THEN NULL; END $$`; // RDS has it
  await admin.unsafe(`GRANT rds_iam TO ${self} WITH ADMIN OPTION`);
  const name = `iam_${randomBytes(6).toString("hex")}`;
  closings.push(async () => void (await admin.unsafe(`DROP OWNED BY ${name}; DROP ROLE ${name}`)));
  await migrate(owner.migrations, []);
  await prepareRole(owner.migrations, { name, iam: true });
  await prepareRole(owner.migrations, { name, iam: true });
  const [found] = await admin`
    SELECT rolcanlogin AS login, rolpassword IS NULL AS "noPassword", pg_has_role(oid, 'rds_iam', 'MEMBER') AS iam
    FROM pg_authid WHERE rolname = ${name}`;
  expect(found).toEqual({ login: true, noPassword: true, iam: true });
});

onServer("a role that may not be limited from here: the SQL for one who may", async () => {
  const { admin, owner, role } = await desk();
  await admin.unsafe(`ALTER ROLE ${await nameOf(owner)} NOCREATEROLE`);
  await migrate(owner.migrations, []);
  const refusal = await prepareRole(owner.migrations, { name: role, iam: false }).then(
    () => null,
    (error: Error) => error,
  );
  expect(refusal?.name).toBe("DeskRoleError");
  const [told] = /ALTER ROLE .*;/.exec(refusal?.message ?? "") ?? [""];
  await admin.unsafe(told);
  await prepareRole(owner.migrations, { name: role, iam: false });
});
