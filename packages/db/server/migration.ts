import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** One migration file. Files are numbered, and never edited after they ran anywhere. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** The four digits that its name begins with. A release's schema number is that of its last file. */
  readonly number: number;
  /** The schema number of the oldest release that may run with what this file leaves; null = none older than its own. */
  readonly compatibleFrom: number | null;
  /** False for a file that the server refuses inside a transaction: it runs by itself, after all others. */
  readonly inTransaction: boolean;
}

/** A migration file's name or head cannot be read. Nothing was run. */
export class MalformedMigrationError extends Error {
  override name = "MalformedMigrationError";
  readonly migration: string;
  constructor(migration: string, problem: string) {
    super(`${migration} ${problem}. docs/runbook.md, "Changing the schema", says what a file's head holds.`);
    this.migration = migration;
  }
}

/** What the head of a file may say, one a line: "-- compatible_from: 0005", "-- transaction: none". */
const SAYING = /^-- *(compatible_from|transaction): *(.*?) *$/;

/** Returns a migration from its name ("0006_index.sql") and its text. @throws MalformedMigrationError */
export function migrationOf(name: string, sql: string): Migration {
  const number = Number(/^(\d{4})_\w+\.sql$/.exec(name)?.[1]);
  if (Number.isNaN(number)) throw new MalformedMigrationError(name, "has no name like 0006_what_it_does.sql");
  const lines = sql.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("--"));
  const said = new Map(lines.slice(0, end < 0 ? lines.length : end).flatMap((line) => sayingOf(line)));
  const from = said.get("compatible_from");
  if (from !== undefined && !(/^\d{4}$/.test(from) && Number(from) >= 1 && Number(from) <= number))
    throw new MalformedMigrationError(name, `says compatible_from: ${from}, not four digits up to its own`);
  const transaction = said.get("transaction");
  if (transaction !== undefined && transaction !== "none")
    throw new MalformedMigrationError(name, `says transaction: ${transaction}; the one thing to say is none`);
  return {
    ...{ name, sql, number },
    compatibleFrom: from === undefined ? null : Number(from),
    inTransaction: transaction === undefined,
  };
}

function sayingOf(line: string): [string, string][] {
  const [, key, value] = SAYING.exec(line) ?? [];
  return key === undefined || value === undefined ? [] : [[key, value]];
}

/** Returns the migrations of a folder in the order of their numbers. @throws MalformedMigrationError */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const files = await Promise.all(
    names.map(async (name) => migrationOf(name, await readFile(join(folder, name), "utf8"))),
  );
  const twice = files.find(({ number }, i) => number === files[i - 1]?.number);
  if (twice) throw new MalformedMigrationError(twice.name, "has the number of another file");
  return files;
}

/**
 * Returns the statements of a file that runs outside of a transaction. Empty lines part them: the server takes several at
 * once as one transaction.
 */
export const statementsOf = ({ sql }: Migration): string[] =>
  sql.split(/\n\s*\n/).filter((part) => part.split("\n").some((line) => line.trim() !== "" && !line.startsWith("--")));
