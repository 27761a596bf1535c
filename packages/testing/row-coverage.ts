/**
 * Global setup of the tests. After a whole run, every shape must have been seen with a row, every column with a value, and
 * every column that may be null with a null: so that no part of a shape is only somebody's word. A run of chosen files
 * says nothing about the others, and is not asked.
 */
import { subscribe } from "node:diagnostics_channel";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { TestProject } from "vitest/node";
import type { Shape } from "#db/shape";

type AnyShape = Shape<Readonly<Record<string, unknown>>>;

/** What no test can show, with the reason: "shape.column null" or "shape.column value". */
const EXCUSED: Readonly<Record<string, string>> = {
  "archived episodes.until value": "no test trades an instrument again whose positions were archived 30 days before",
};

/** Returns what of the shapes the notes do not show, and which excuses are not needed. */
export function unseen(shapes: readonly AnyShape[], notes: ReadonlySet<string>, excused = EXCUSED): string[] {
  const missing = shapes.flatMap(({ name, columns }) =>
    Object.entries(columns).flatMap(([column, { nullable }]) =>
      ["value", ...(nullable ? ["null"] : [])]
        .filter((what) => !notes.has(`${name}\t${column}\t${what}`))
        .map((what) => `${name}.${column} ${what}`),
    ),
  );
  const stale = Object.keys(excused).filter((what) => !missing.includes(what));
  return [
    ...missing.filter((what) => !(what in excused)).map((what) => `never seen: ${what}`),
    ...stale.map((what) => `seen, so it needs no excuse: ${what}`),
  ];
}

/** Returns every shape that packages/db declares. @throws RangeError when two have one name. */
export async function declaredShapes(root: string): Promise<AnyShape[]> {
  const found: AnyShape[] = [];
  subscribe("spyhop:shape", (made) => {
    found.push(made as AnyShape);
  });
  for (const file of globSync("packages/db/**/*.ts", { cwd: root, exclude: ["**/*.test.ts"] })) {
    await import(pathToFileURL(join(root, file)).href);
  }
  const names = found.map(({ name }) => name);
  const twice = names.filter((name, i) => names.indexOf(name) !== i);
  if (twice.length > 0) throw new RangeError(`two statements have one name: ${twice.join(", ")}`);
  return found;
}

export default function setup({ vitest, config: { root } }: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "rows-seen-"));
  const path = join(folder, "notes");
  writeFileSync(path, "");
  process.env.SPYHOP_ROWS_SEEN = path;
  return async () => {
    const notes = new Set(readFileSync(path, "utf8").split("\n"));
    rmSync(folder, { recursive: true });
    const files = await vitest.globTestSpecifications();
    if (vitest.config.testNamePattern || vitest.state.getTestModules().length < files.length) return;
    const problems = unseen(await declaredShapes(root), notes);
    if (problems.length === 0) return;
    console.error(`what the tests have seen of the row shapes:\n  ${problems.join("\n  ")}`);
    process.exitCode = 1;
  };
}
