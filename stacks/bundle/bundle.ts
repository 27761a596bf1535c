import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { type FunctionName, functionName } from "#topology/functions";
import type { Job, Need } from "#topology/job";
import { API_FUNCTIONS, ROUTES, topology } from "#topology/topology";
import { ownEntries } from "./own-entries.ts";
import {
  absentModules,
  awsOnLambda,
  ccxtForOkx,
  drizzleOfOwnColumns,
  negotiatorOfEncodings,
  onlyDeclared,
  postgresOfRows,
  tablesThatAreNamed,
  zodThatChecks,
} from "./plugins.ts";

/** What a function's bundle is made from: all topology entries of one handler taken together. */
export interface BundledJob {
  /** The handler's file under `functions/`. */
  readonly job: FunctionName;
  readonly needs: readonly Need[];
  readonly sends: readonly string[];
  readonly publishes: readonly string[];
}

export interface Bundle {
  readonly job: FunctionName;
  /** The folder that is the function's zip: `index.mjs`, and `migrations/` where the job needs the schema. */
  readonly directory: string;
  /** Of `index.mjs`, minified, not compressed. */
  readonly bytes: number;
  /** Bytes that each source file takes in `index.mjs`, by path from the root of the project. */
  readonly inputs: Readonly<Record<string, number>>;
}

/** No function of the topology has this name. */
export class UnknownJobError extends Error {
  override name = "UnknownJobError";
  constructor(job: string) {
    super(`no function is called ${job}; there are ${bundledJobs().map((entry) => entry.job)}`);
  }
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where `npm run bundle` and the stacks put and find the bundles; beside it, `dist/maps` has their source maps. */
export const BUNDLES: string = join(root, "dist", "functions");

interface Entry {
  readonly consumer: Job["consumer"];
  readonly needs: readonly Need[];
  readonly sends?: readonly string[];
  readonly publishes?: readonly string[];
}

const isEntry = (value: unknown): value is Entry => typeof value === "object" && value !== null && "consumer" in value;

/** Returns every function of the topology, whatever calls it, once, in order of flow. */
export function bundledJobs(): readonly BundledJob[] {
  const jobs = new Map<FunctionName, BundledJob>();
  for (const entry of Object.values(topology).flatMap((kind) => Object.values<unknown>(kind))) {
    if (!isEntry(entry)) continue;
    const job = functionName(entry.consumer);
    const known = jobs.get(job) ?? { job, needs: [], sends: [], publishes: [] };
    jobs.set(job, {
      job,
      needs: [...new Set([...known.needs, ...entry.needs])],
      sends: [...new Set([...known.sends, ...(entry.sends ?? [])])],
      publishes: [...new Set([...known.publishes, ...(entry.publishes ?? [])])],
    });
  }
  return [...jobs.values()];
}

/** Returns the folder of a job's bundle under `out`. */
export const bundleDirectory = (job: string, out: string = BUNDLES): string => join(out, ...job.split("/"));

// No `conditions`: naming any takes away esbuild's own "module", and the AWS SDK's CommonJS build would be bundled, which
// does not shake. `module` before `main` for the same reason.
const options = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  mainFields: ["module", "main"],
  minify: true,
  legalComments: "none",
  sourcemap: "external",
  sourcesContent: false,
  metafile: true,
  write: false,
  logLevel: "error",
  // Bundled CommonJS calls require(), which a module has not.
  banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
} as const satisfies BuildOptions;

/** Returns where esbuild begins: a job's file, or for a function of the API what puts the answers of its routes together. */
function entryOf(job: FunctionName): Pick<BuildOptions, "entryPoints" | "stdin"> {
  const name = API_FUNCTIONS.find((api) => functionName(topology.api[api].consumer) === job);
  if (name === undefined) return { entryPoints: [`functions/${job}.ts`] };
  const files = ROUTES.map((route) => topology.routes[route]).filter((route) => route.in === name);
  const contents = [
    'import { dispatch } from "#runtime/dispatch";',
    ...files.map(({ file }, i) => `import { answer as a${i} } from "./functions/api/${file}.ts";`),
    `export const handler = dispatch("${name}", [${files.map((_, i) => `a${i}`).join(", ")}]);`,
  ].join("\n");
  return { stdin: { contents, resolveDir: root, sourcefile: `functions/${job}.ts`, loader: "ts" } };
}

/**
 * Bundles one handler into `<out>/<job>/index.mjs` and returns what came of it. A folder of that job is replaced. What the
 * job does not declare (a need, sending, publishing) is left out, and so is what ccxt and the AWS SDK bring for other
 * venues and other hosts. The handler is bundled, never loaded.
 * @throws UnknownJobError; esbuild's BuildFailure when a source does not compile.
 */
export async function bundleHandler(job: string, out: string = BUNDLES): Promise<Bundle> {
  const entry = bundledJobs().find((known) => known.job === job);
  if (!entry) throw new UnknownJobError(job);
  const { outputFiles, metafile } = await build({
    ...options,
    ...entryOf(entry.job),
    outfile: "index.mjs",
    plugins: [
      onlyDeclared(entry),
      ownEntries(entry),
      ccxtForOkx(root),
      awsOnLambda(root),
      zodThatChecks(),
      postgresOfRows(),
      negotiatorOfEncodings(),
      drizzleOfOwnColumns(),
      tablesThatAreNamed(),
      absentModules(),
    ],
  });
  const code = outputFiles.find((file) => file.path.endsWith(".mjs"));
  const map = outputFiles.find((file) => file.path.endsWith(".map"));
  if (!code || !map) throw new Error(`${job}: esbuild wrote no index.mjs`);
  const directory = bundleDirectory(job, out);
  await rm(join(directory, "index.mjs"), { force: true });
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "index.mjs"), code.contents);
  // Beside the zips, not in them: a map is twice the size of what it maps.
  const mapped = join(dirname(out), "maps", `${job}.mjs.map`);
  await mkdir(dirname(mapped), { recursive: true });
  await writeFile(mapped, map.contents);
  if (entry.needs.includes("schema")) await copyMigrations(join(directory, "migrations"));
  return { job: entry.job, directory, bytes: code.contents.byteLength, inputs: inputsOf(metafile) };
}

/** Bundles every handler of the topology under `out`, which is emptied first. In order of flow. */
export async function bundleHandlers(out: string = BUNDLES): Promise<readonly Bundle[]> {
  await rm(out, { recursive: true, force: true });
  const bundles: Bundle[] = [];
  // One after the other: esbuild is parallel inside.
  for (const { job } of bundledJobs()) bundles.push(await bundleHandler(job, out));
  return bundles;
}

async function copyMigrations(to: string): Promise<void> {
  const from = join(root, "migrations");
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).filter((name) => name.endsWith(".sql"));
  await Promise.all(names.map((name) => copyFile(join(from, name), join(to, name))));
}

function inputsOf(metafile: Metafile): Record<string, number> {
  const code = Object.entries(metafile.outputs).find(([path]) => path.endsWith(".mjs"))?.[1];
  return Object.fromEntries(
    Object.entries(code?.inputs ?? {}).map(([path, { bytesInOutput }]) => [path, bytesInOutput]),
  );
}
