/** Returns what is wrong, by the innermost cause: drizzle's own message repeats the query. */
export function problemOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner instanceof Error ? `${inner.name}: ${inner.message}` : String(inner);
}
