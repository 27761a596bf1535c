import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import type { Tally } from "#testing/model/check";
import { type Changed, MutantError } from "./mutants.ts";

/** What a worker is asked: one chunk after the other. */
export interface Chunk {
  readonly seed: number;
  readonly count: number;
  readonly books: "memory" | "sql";
  readonly shrink: boolean;
  readonly path?: string;
}
export type Answer = { readonly tally: Tally } | { readonly error: string };

/** Loads one file changed; what is on the disk stays as it is. */
function change({ file, find, replace }: Changed): void {
  const path = new URL(`../../${file}`, import.meta.url).href;
  registerHooks({
    load: (url, context, next) => {
      if (url !== path) return next(url, context);
      const source = readFileSync(fileURLToPath(url), "utf8");
      if (source.split(find).length !== 2) throw new MutantError(file, find);
      return { format: "module-typescript", source: source.replace(find, () => replace), shortCircuit: true };
    },
  });
}

const mutant = workerData as Changed | null;
if (mutant !== null) change(mutant);

// Loaded after the change, so that it is loaded changed.
const { check } = await import("#testing/model/check");
const { inMemory } = await import("#testing/model/memory");

async function openSql() {
  const [{ inSql }, { testDatabase }] = await Promise.all([import("#testing/model/sql"), import("#testing/database")]);
  return inSql((await testDatabase()).db);
}
let sql: ReturnType<typeof openSql> | undefined;

parentPort?.on("message", async ({ books, ...chunk }: Chunk) => {
  const answer = async (): Promise<Answer> => {
    if (books === "sql") sql ??= openSql();
    const open = books === "memory" || sql === undefined ? inMemory : await sql;
    return { tally: await check({ ...chunk, open }, inMemory) };
  };
  parentPort?.postMessage(await answer().catch((error: Error): Answer => ({ error: error.stack ?? error.message })));
});
