import * as kind from "../shape.ts";
import { alone, type MigrationConnection } from "./migrate.ts";

const Line = kind.shape("inventory of a schema", { line: kind.text });

// An extension brings its own, and PostgreSQL a trigger for each foreign key.
const OWN = (catalogue: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalogue}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

const INVENTORY = `WITH own AS (
  SELECT c.oid, c.relname, c.relkind, c.relacl, c.relispartition, c.relpartbound FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace AND ${OWN("pg_class", "c.oid")}
)
SELECT line FROM (
  SELECT format('relation %s %s rights %s', relkind, relname, relacl) AS line FROM own WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
  UNION ALL SELECT format('partition %s of %s %s', relname, inhparent::regclass, pg_get_expr(relpartbound, own.oid))
    FROM own JOIN pg_inherits ON inhrelid = own.oid WHERE relispartition AND relkind = 'r'
  UNION ALL SELECT format('index %s', pg_get_indexdef(own.oid)) FROM own WHERE relkind IN ('i', 'I')
  UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN own ON own.oid = conrelid
  UNION ALL SELECT format('trigger %s %s', tgenabled, pg_get_triggerdef(t.oid))
    FROM pg_trigger t JOIN own ON own.oid = tgrelid WHERE NOT tgisinternal AND ${OWN("pg_trigger", "t.oid")}
  UNION ALL SELECT format('function %s %s %s %s', p.oid::regprocedure, prosecdef, proconfig, md5(prosrc))
    FROM pg_proc p WHERE pronamespace = current_schema()::regnamespace AND ${OWN("pg_proc", "p.oid")}
  UNION ALL SELECT format('extension %s %s', extname, extversion) FROM pg_extension
  UNION ALL SELECT format('role %s in this database %s', setrole::regrole, setconfig)
    FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS lines ORDER BY line COLLATE "C"`;

/**
 * Returns what a database of the desk holds beside its rows, one a line, ascending: relations with the rights on them,
 * partitions, indexes, constraints, triggers, functions, extensions, and the limits of roles. Two databases with the same
 * lines and the same digest are the same to the desk. Chunks of TimescaleDB are not among them.
 */
export const inventoryOf = (connection: MigrationConnection): Promise<string[]> =>
  alone(connection, async (run) =>
    (await run.query(Line, INVENTORY)).map(({ line }) => line.replaceAll(WRITTEN_BACK, "")),
  );

// A check that was read from a backup is written with other casts and parentheses than the one that a migration made.
const WRITTEN_BACK = /::(character varying|text)(\[\])?|[()]/g;
