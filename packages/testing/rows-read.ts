import type { Drizzle } from "#db/drizzle";
import { listOf } from "#db/rows";
import { anyRows } from "./any-rows.ts";

/** A database that says what its raw statements read. */
export interface ReadMeter {
  readonly db: Drizzle;
  /** Returns how many rows of each table (of a partition or a hypertable's chunk: its table's) were read since it was asked last, those dropped by a filter too. */
  rowsRead(): Readonly<Record<string, number>>;
}

/** A node of a plan that was carried out. Source: PostgreSQL documentation, "Using EXPLAIN". */
interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly Plans?: readonly PlanNode[];
}

type Statement = Parameters<typeof anyRows>[1];

/** Returns the table of each partition and chunk: both inherit from it. Source: PostgreSQL documentation, "pg_inherits". */
async function parentsIn(db: Drizzle): Promise<ReadonlyMap<string, string>> {
  const found = await db.execute(
    `SELECT child.relname AS part, parent.relname AS "table" FROM pg_inherits i
        JOIN pg_class child ON child.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
        WHERE child.relkind IN ('r', 'p')`,
  );
  const list = listOf(found) as readonly Record<string, unknown>[];
  return new Map(list.map(({ part, table }) => [String(part), String(table)]));
}

/**
 * Returns a handle of `db` that asks for the plan of every raw statement before it runs it. `explain` makes of a statement one that
 * carries it out and returns the plan: EXPLAIN (ANALYZE, FORMAT JSON). A transaction's statements are not counted.
 */
export function readMeter(db: Drizzle, explain: (statement: Statement) => Statement): ReadMeter {
  let read: Record<string, number> = {};
  let parents: ReadonlyMap<string, string> = new Map();
  const count = (node: PlanNode): void => {
    // TimescaleDB's append of chunks bears the table's name and the rows of its children.
    const name = node["Node Type"] === "Custom Scan" ? undefined : node["Relation Name"];
    const table = name === undefined ? undefined : (parents.get(name) ?? name);
    const dropped = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
    if (table !== undefined)
      read[table] = (read[table] ?? 0) + Math.round((node["Actual Rows"] + dropped) * node["Actual Loops"]);
    for (const child of node.Plans ?? []) count(child);
  };
  const execute = async (statement: Statement) => {
    if (parents.size === 0) parents = await parentsIn(db);
    for (const row of await anyRows(db, explain(statement)))
      for (const { Plan } of row["QUERY PLAN"] as readonly { Plan: PlanNode }[]) count(Plan);
    return db.execute(statement);
  };
  return {
    db: new Proxy(db, {
      get: (target, name) => (name === "execute" ? execute : Reflect.get(target, name)),
    }),
    rowsRead: () => {
      const since = read;
      read = {};
      return since;
    },
  };
}
