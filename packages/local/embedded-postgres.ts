import type { PGlite } from "@electric-sql/pglite";
import type { MigrationConnection } from "#db/migrate";

/** Returns the connection that `migrate` runs on in PGlite. */
export const pgliteMigrations = (client: PGlite): MigrationConnection => ({
  transaction: (work) =>
    client.transaction((session) =>
      work({
        exec: async (statements) => void (await session.exec(statements)),
        query: async (statement, parameters) =>
          (await session.query<Record<string, unknown>>(statement, [...parameters])).rows,
      }),
    ),
});
