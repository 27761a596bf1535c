import type { Decimal } from "./decimal.ts";
import type { Id } from "./ids.ts";

/*
 * Brands without a look, for what the database's own types have checked already: a row is read in the hottest loops, and
 * to validate it twice costs more than to read it. Only packages/db may import this file.
 */

/** Returns the text of a numeric column as a `Decimal`. The caller has seen that it is in plain notation. */
export const storedDecimal = (written: string): Decimal => written as Decimal;

/** Returns the text of a uuid column as the id of its kind. */
export const storedId = <Kind extends string>(written: string): Id<Kind> => written as Id<Kind>;
