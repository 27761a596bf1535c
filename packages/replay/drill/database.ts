import type { Db } from "#db/client";
import type { FaultPlan } from "./plan.ts";

/** A database that can be taken away in the middle of the work, and comes back. */
export interface Restartable {
  /** The open database of now. */
  readonly current: () => Db;
  /** Restarts it. Connections and transactions of before are lost when it returns. */
  readonly restart: () => Promise<void>;
  /** It is a server, which goes down under open transactions: the driver itself finds out. */
  readonly isServer: boolean;
}

/** The connection ended under a statement, as a server's restart ends it. */
export class ConnectionLostError extends Error {
  override name = "ConnectionLostError";
  readonly code = "CONNECTION_CLOSED";
}

// What drizzle's sessions have in common, for PGlite and for postgres.js. The statements of every query and transaction
// go through these two; there is no public hook that sees both ends of one.
interface Prepared {
  execute(...values: unknown[]): Promise<unknown>;
  all(...values: unknown[]): Promise<unknown>;
}
interface Session {
  prepareQuery(...query: unknown[]): Prepared;
  transaction(work: (tx: Db) => Promise<unknown>, ...config: unknown[]): Promise<unknown>;
}
const sessionOf = (db: Db): Session => (db as unknown as { readonly session: Session }).session;

/** Returns `db` with another session; what it builds goes there. */
const withSession = (db: Db, session: Session): Db =>
  Object.assign(Object.create(Object.getPrototypeOf(db) as object), db, { session }) as Db;

/**
 * Returns a database whose every statement, begin and commit is a wait of the plan's current invocation, before and after
 * it: an invocation can end between a commit and what follows. When the plan says so the database is restarted under it.
 */
export function disturbedDatabase(database: Restartable, plan: Pick<FaultPlan, "pass" | "breaksNow">): Db {
  const before = async (inTransaction: boolean): Promise<void> => {
    if (await plan.breaksNow(inTransaction)) {
      if (!inTransaction || database.isServer) await database.restart();
      if (database.isServer) return;
      throw new ConnectionLostError("the database was restarted");
    }
    await plan.pass("database", inTransaction);
  };
  const hooked = (session: () => Session, inTransaction: boolean): Session => {
    const own = Object.create(session()) as Session;
    own.prepareQuery = (...query) => {
      const prepared = session().prepareQuery(...query);
      for (const verb of ["execute", "all"] as const) {
        const real = prepared[verb].bind(prepared);
        prepared[verb] = async (...values: unknown[]) => {
          await before(inTransaction);
          const result = await real(...values);
          await plan.pass("database", inTransaction);
          return result;
        };
      }
      return prepared;
    };
    own.transaction = async (work, ...config) => {
      await before(inTransaction);
      let result: unknown;
      try {
        result = await session().transaction(
          (tx) => {
            const inner = sessionOf(tx);
            return work(
              withSession(
                tx,
                hooked(() => inner, true),
              ),
            );
          },
          ...config,
        );
      } catch (error) {
        // An embedded database runs in this process: it can go only when its transaction has ended.
        if (!inTransaction && error instanceof ConnectionLostError) await database.restart();
        throw error;
      }
      await plan.pass("database", inTransaction);
      return result;
    };
    return own;
  };
  return withSession(
    database.current(),
    hooked(() => sessionOf(database.current()), false),
  );
}
