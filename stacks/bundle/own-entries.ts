import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";
import { AT_RUN_TIME } from "#topology/job";
import { metrics } from "#topology/metrics";
import { topology } from "#topology/topology";

const TABLES = ["schedules", "queues", "routes", "api", "tasks"] as const;
/** A function, and the queues that it sends to. */
interface Bundled {
  readonly job: string;
  readonly sends: readonly string[];
}

type Table = (typeof TABLES)[number];

const picked = (entry: object, fields: readonly string[]): object =>
  Object.fromEntries(Object.entries(entry).filter(([field]) => fields.includes(field)));

/**
 * Returns what a job reads of a table while it runs: its own entries, and how the queues that it sends to are sent to. A function of
 * the API reads every route: another one's method is 405 by its path.
 */
function entriesOf(table: Table, { job, sends }: Bundled): object {
  const found = Object.entries<object>(topology[table]).flatMap(([name, entry]): [string, object][] => {
    const isOwn = table === "routes" || ("consumer" in entry && entry.consumer === `functions/${job}.handler`);
    if (isOwn) return [[name, picked(entry, AT_RUN_TIME)]];
    return table === "queues" && sends.includes(name) ? [[name, picked(entry, ["message", "groupBy", "delayBy"])]] : [];
  });
  return Object.fromEntries(found);
}

/** Returns the metrics without what they mean, which is for people. */
const metricsAlone = (): object =>
  Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, picked(metric, ["unit", "job"])]));

/** Returns `source`, a module that declares `name` once as a table of data, with `table` in its place. @throws Error where it is not so */
function withTable(source: string, name: string, table: object): string {
  const declared = new RegExp(`^export const ${name} = \\{\\n[\\s\\S]*?^\\}`, "m");
  if (!declared.test(source)) throw new Error(`the table ${name} is not declared where it was looked for`);
  return source.replace(declared, () => `export const ${name} = ${JSON.stringify(table)}`);
}

/**
 * Leaves out of the topology's tables what a function does not read while it runs: other jobs' entries, and what only a
 * deploy reads (memory, timeouts, summaries). So a figure that changes for one job changes no function's code.
 */
export const ownEntries = (job: Bundled): Plugin => ({
  name: "own-entries",
  setup: (build) => {
    build.onLoad(
      { filter: /\/packages\/topology\/(schedules|queues|routes|api|tasks|metrics)\.ts$/ },
      async ({ path }) => {
        const source = await readFile(path, "utf8");
        const table = TABLES.find((name) => path.endsWith(`/${name}.ts`));
        const contents =
          table === undefined
            ? withTable(source, "metrics", metricsAlone())
            : withTable(source, table, entriesOf(table, job));
        return { contents, loader: "ts" };
      },
    );
    build.onLoad({ filter: /\/packages\/topology\/topology\.ts$/ }, () => {
      throw new Error(`${job.job} reads the whole topology; a function reads the table that has its entry`);
    });
  },
});
