import { rowsOf } from "../rows.ts";
import type { Shape } from "../shape.ts";

/** One open transaction on one session, as a driver gives it. */
export interface MigrationSession {
  /** Runs several statements at once, without parameters. */
  exec(statements: string): Promise<void>;
  /** Runs one statement. Its rows are as the server gives them, columns by name. */
  query(statement: string, parameters: readonly string[]): Promise<unknown[]>;
  /** Runs one statement outside of this transaction and of any other. The transaction stays open, and keeps its locks. */
  apart(statement: string): Promise<void>;
}

/** The same for this code: each statement says what it returns. */
export interface MigrationRun extends Pick<MigrationSession, "exec" | "apart"> {
  query<R extends Readonly<Record<string, unknown>>>(
    shape: Shape<R>,
    statement: string,
    parameters?: readonly string[],
  ): Promise<R[]>;
}

/** Returns a session whose rows are of the shapes that its statements declare. */
export const shaped = (session: MigrationSession): MigrationRun => ({
  exec: (statements) => session.exec(statements),
  apart: (statement) => session.apart(statement),
  query: async (shape, statement, parameters = []) => rowsOf(shape, await session.query(statement, parameters)),
});
