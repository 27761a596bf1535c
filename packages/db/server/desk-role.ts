import * as z from "zod";
import * as kind from "../shape.ts";
import { alone, type MigrationConnection } from "./migrate.ts";
import type { MigrationRun } from "./migration-run.ts";

/** The database role that the desk's functions log in with. */
export interface DeskRole {
  readonly name: string;
  /** It logs in with IAM tokens, and has no password: it is made when it is not there. */
  readonly iam: boolean;
}

/** The functions' role may not be given its limits by the role that migrates. The message has the SQL for one who may. */
export class DeskRoleError extends Error {
  override name = "DeskRoleError";
  readonly role: string;
  constructor(role: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.role = role;
  }
}

/**
 * What the server grants a statement, and an open transaction that does nothing. Kept with the role, since behind a
 * transaction pooler a session's own settings would go to whoever has the connection next. Below a request's ten seconds;
 * maintenance raises the first for itself (`patiently`). The second frees what a function holds that was ended in the middle.
 */
const LIMITS = { statement_timeout: "8s", idle_in_transaction_session_timeout: "30s" } as const;

/** Rows of these are added, never changed. */
const APPEND_ONLY = ["audit_logs", "order_events"];
/** These are for migrations alone. */
const READ_ONLY = ["schema_migrations", "time_series_policies"];

const Self = kind.shape("who migrates", { name: kind.text, database: kind.text });
const Role = kind.shape("a role", { name: kind.text });
const Table = kind.shape("tables to grant", { place: kind.text, name: kind.text });
const Schema = kind.shape("schema of the tables", { name: kind.text });
const Settings = kind.shape("settings of a role in a database", { settings: kind.built(z.array(z.string())) });

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * Gives the functions' role what it needs and no more: rows to read and write where it owns nothing, and the limits on
 * time. Null = the role that is connected, which owns the tables; so is a name that the server does not know, since a
 * pooler may have names of its own. Run after each migration; does nothing the second time.
 * @throws DeskRoleError when the role may not be changed from here.
 */
export async function prepareRole(connection: MigrationConnection, role: DeskRole | null): Promise<void> {
  await alone(connection, async (run) => {
    const [self] = await run.query(Self, "SELECT current_user::text AS name, current_database()::text AS database");
    if (!self) throw new TypeError("a SELECT of constants gives a row");
    const other = role !== null && role.name !== self.name && (await isThere(run, role)) ? role.name : null;
    if (other !== null) await grantRows(run, other);
    await limitTime(run, other ?? self.name, self.database);
  });
}

/** Returns whether the role exists; one that logs in with IAM tokens does from here on. */
async function isThere(run: MigrationRun, { name, iam }: DeskRole): Promise<boolean> {
  const found = await run.query(Role, "SELECT rolname::text AS name FROM pg_roles WHERE rolname = $1", [name]);
  if (!iam) return found.length > 0;
  if (found.length === 0) await run.exec(`CREATE ROLE ${quoted(name)} LOGIN`);
  // The role of RDS whose members log in with tokens. Source: RDS user guide, "Creating a database account using IAM".
  await run.exec(`GRANT rds_iam TO ${quoted(name)}`);
  return true;
}

async function grantRows(run: MigrationRun, name: string): Promise<void> {
  const to = quoted(name);
  // Partitions are reached through their table, and an extension's tables are not ours to grant.
  const tables = await run.query(
    Table,
    `SELECT format('%I.%I', n.nspname, c.relname) AS place, c.relname::text AS name FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
       AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
     ORDER BY c.relname`,
  );
  const rights = (table: string): string => {
    if (READ_ONLY.includes(table)) return "SELECT";
    return APPEND_ONLY.includes(table) ? "SELECT, INSERT" : "SELECT, INSERT, UPDATE, DELETE";
  };
  const [schema] = await run.query(Schema, "SELECT quote_ident(current_schema()) AS name");
  const grants = tables.map((table) => `GRANT ${rights(table.name)} ON ${table.place} TO ${to}`);
  await run.exec([`GRANT USAGE ON SCHEMA ${schema?.name} TO ${to}`, ...grants].join(";\n"));
}

/** Sets the limits that are not set yet, so that one may also be set by hand, by who has the right. */
async function limitTime(run: MigrationRun, name: string, database: string): Promise<void> {
  const [set] = await run.query(
    Settings,
    `SELECT array_to_json(setconfig) AS settings FROM pg_db_role_setting
     WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = $1)
       AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [name],
  );
  const settings = set?.settings ?? [];
  const missing = Object.entries(LIMITS)
    .filter(([limit, value]) => !settings.includes(`${limit}=${value}`))
    .map(
      ([limit, value]) => `ALTER ROLE ${quoted(name)} IN DATABASE ${quoted(database)} SET ${limit} = ${literal(value)}`,
    );
  if (missing.length === 0) return;
  try {
    await run.exec(missing.join(";\n"));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "42501")) throw error;
    const told = `the role that migrates may not limit the time of ${name}. As one who may: ${missing.join("; ")};`;
    throw new DeskRoleError(name, `${told} then run the migration again.`, { cause: error });
  }
}
