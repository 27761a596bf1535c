import * as z from "zod";
import { Instant } from "#units/time";

/** The `limit` of a list: 1 to 200, 50 when absent. */
export const Limit = z
  .string()
  .regex(/^\d{1,3}$/, "a whole number from 1 to 200")
  .transform(Number)
  .pipe(z.int().min(1).max(200))
  .default(50);

/** A place in a list that is sorted by time and id, newest first: "2022-06-21T00:00:00.000Z_<id>". */
export const Cursor = z
  .string()
  .transform((text) => {
    const [at, ...id] = text.split("_");
    return { at, id: id.join("_") };
  })
  .pipe(z.object({ at: Instant, id: z.uuid() }));
export type Cursor = z.output<typeof Cursor>;

/** Returns the cursor of the page after a full one, or null after the last. */
export function nextCursor(
  page: readonly { readonly at: Instant; readonly id: string }[],
  limit: number,
): string | null {
  const last = page.at(-1);
  return last && page.length === limit ? `${last.at}_${last.id}` : null;
}
