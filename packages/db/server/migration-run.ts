/** One open transaction on one session. */
export interface MigrationRun {
  /** Runs several statements at once, without parameters. */
  exec(statements: string): Promise<void>;
  query(statement: string, parameters: readonly string[]): Promise<Record<string, unknown>[]>;
}
