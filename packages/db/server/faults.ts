/**
 * What an error says of the connection: "lost" = it was gone, or went while a statement ran; "refused" = the server took
 * no such user or password. A statement of a lost connection may have been done.
 */
export type DatabaseFault = "lost" | "refused";

const LOST: ReadonlySet<string> = new Set([
  // postgres.js and Node. CONNECTION_ENDED and CONNECTION_DESTROYED are not here: those were closed by this process.
  ...["CONNECTION_CLOSED", "CONNECT_TIMEOUT", "ECONNRESET", "ECONNREFUSED", "EPIPE", "ETIMEDOUT"],
  // An administrator, a crash, a server that starts. Source: PostgreSQL, appendix A, class 57.
  ...["57P01", "57P02", "57P03"],
]);
const REFUSED: ReadonlySet<string> = new Set(["28000", "28P01"]);

/**
 * Returns what an error, or one of its causes, says of the database's connection, or null when it is about something
 * else. drizzle wraps the driver's error as the cause of its own.
 */
export function databaseFault(error: unknown): DatabaseFault | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
    if (LOST.has(code) || code.startsWith("08")) return "lost"; // class 08: connection exceptions
    if (REFUSED.has(code)) return "refused";
  }
  return null;
}
