import { isIPv4 } from "node:net";
import * as z from "zod";

const url = z.string().regex(/^postgres(ql)?:\/\//);

/**
 * The secret of an external database. `url` may lead to a transaction pooler; `directUrl` is then the server's own
 * address, for migrations. With `ca` (PEM) the server's certificate is verified against it.
 */
export const DatabaseSecret = z.object({
  url,
  directUrl: url.optional(),
  ca: z.string().startsWith("-----BEGIN CERTIFICATE-----").optional(),
});
type DatabaseSecret = z.infer<typeof DatabaseSecret>;

/** What to do about a database that would be reached without verified TLS. */
export const VERIFY_IT =
  "add sslmode=verify-full to the URL, or give the PEM of the server's authority as ca in the secret; only a loopback address goes without";

/** A database would be reached over a network without TLS, or without a look at whose certificate it is. No connection was made. */
export class UnverifiedDatabaseError extends Error {
  override name = "UnverifiedDatabaseError";
  /** `where` names the variable, or the fields of the secret, never the URL itself. */
  constructor(where: string) {
    super(`${where}: the database would be reached without verified TLS; ${VERIFY_IT}`);
  }
}

/** Names as a URL has them. A name that looks like an address of loopback and is none ("127.0.0.1.example") is not one. */
function isLoopback({ hostname }: URL): boolean {
  const host = hostname.toLowerCase();
  return host === "localhost" || host === "[::1]" || (isIPv4(host) && host.startsWith("127."));
}

const isVerified = (at: URL): boolean => at.searchParams.get("sslmode") === "verify-full";

/**
 * Returns the fields of a database's secret whose address is neither on loopback nor of verified TLS, and so would show a
 * network the password and every row.
 */
export function unverifiedFields({ url, directUrl, ca }: DatabaseSecret): readonly ("url" | "directUrl")[] {
  if (ca !== undefined) return [];
  const open = (text: string): boolean => {
    const at = URL.parse(text);
    return at === null || !(isLoopback(at) || isVerified(at));
  };
  return [
    ...(open(url) ? ["url" as const] : []),
    ...(directUrl !== undefined && open(directUrl) ? ["directUrl" as const] : []),
  ];
}

/** @throws UnverifiedDatabaseError for a secret's fields, or a variable's URL, that would cross a network unverified. */
export function refuseUnverified(fields: DatabaseSecret, from: string): void {
  const open = unverifiedFields(fields);
  if (open.length > 0)
    throw new UnverifiedDatabaseError(from === "DATABASE_URL" ? from : `${open.join(" and ")} of ${from}`);
}
