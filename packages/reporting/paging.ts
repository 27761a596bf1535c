import type { Instant } from "#units/time";

/** A place in a list that is sorted by time and id, newest first. */
export interface Cursor {
  readonly at: Instant;
  readonly id: string;
}

/** Returns the cursor of the page after a full one, or null after the last. */
export function nextCursor(
  page: readonly { readonly at: Instant; readonly id: string }[],
  limit: number,
): string | null {
  const last = page.at(-1);
  return last && page.length === limit ? `${last.at}_${last.id}` : null;
}
