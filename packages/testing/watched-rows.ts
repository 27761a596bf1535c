/**
 * Setup of every test file: whatever query a test runs, on whatever database, has every row that comes back held against
 * the shape that the query declares. A row that differs fails the run, with the statement's name. What was seen is noted
 * for `row-coverage.ts`, which asks at the end of a whole run whether each promise was put to the test.
 */

import { subscribe } from "node:diagnostics_channel";
import { appendFileSync } from "node:fs";
import type { Kind, Shape } from "#db/shape";

type AnyShape = Shape<Readonly<Record<string, unknown>>>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const FITS: Readonly<Record<Kind<unknown>["kind"], (value: unknown) => boolean>> = {
  text: (value) => typeof value === "string",
  int: (value) => Number.isSafeInteger(value),
  float: (value) => typeof value === "number" && Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  // Without trailing zeros, as `plain` writes it.
  decimal: (value) => typeof value === "string" && /^-?\d+(\.\d*[1-9])?$/.test(value),
  instant: (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value),
  id: (value) => typeof value === "string" && UUID.test(value),
  json: () => true,
};

function problemOf(kind: Kind<unknown>, value: unknown): string | null {
  if (value === undefined) return "is missing";
  if (value === null) return kind.nullable ? null : "is null";
  if (!FITS[kind.kind](value)) return `is no ${kind.kind}: ${JSON.stringify(value)}`;
  if (kind.among && !kind.among.includes(value)) return `is none of its values: ${JSON.stringify(value)}`;
  const read = kind.schema?.safeParse(value);
  return read?.error ? `has another shape: ${read.error.message}` : null;
}

/** Returns what of these rows differs from the shape, as "column: what". */
export function differences(shape: AnyShape, list: readonly Readonly<Record<string, unknown>>[]): string[] {
  const found = list.flatMap((row) => [
    ...Object.entries(shape.columns).flatMap(([name, kind]) => {
      const problem = problemOf(kind, row[name]);
      return problem === null ? [] : [`${name} ${problem}`];
    }),
    ...Object.keys(row)
      .filter((name) => !(name in shape.columns))
      .map((name) => `${name} is not in the shape`),
  ]);
  return [...new Set(found)];
}

/** A statement returned what its shape does not say. */
export class RowShapeError extends Error {
  override name = "RowShapeError";
}

const notes = process.env.SPYHOP_ROWS_SEEN;
const noted = new Set<string>();
function note(line: string): void {
  if (!notes || noted.has(line)) return;
  noted.add(line);
  appendFileSync(notes, `${line}\n`);
}

subscribe("spyhop:rows", (message) => {
  const { shape, list } = message as { shape: AnyShape; list: readonly Readonly<Record<string, unknown>>[] };
  const wrong = differences(shape, list);
  if (wrong.length > 0) throw new RowShapeError(`the rows of "${shape.name}" are not as declared: ${wrong.join("; ")}`);
  if (list.length > 0) note(shape.name);
  for (const row of list) {
    for (const [name, value] of Object.entries(row))
      note(`${shape.name}\t${name}\t${value === null ? "null" : "value"}`);
  }
});
