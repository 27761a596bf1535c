import { relative } from "node:path";
import { parseArgs } from "node:util";
import type { FunctionName } from "#topology/functions";
import { BUNDLES, bundledJobs, bundleHandler, bundleHandlers } from "../stacks/bundle.ts";

const USAGE = `npm run bundle [-- JOB ...]

Bundles the handlers of the topology for Lambda (Node 24, ESM, minified) into dist/functions/<job>/, one folder a zip,
and prints the size of each. With names, only those: npm run bundle -- watch-head api/health

  --why    also the ten largest packages in each bundle
  --help   this text`;

const packageOf = (path: string): string =>
  path.match(/^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? path.split("/").slice(0, 2).join("/");

function largest(inputs: Readonly<Record<string, number>>): [string, number][] {
  const sizes = new Map<string, number>();
  for (const [path, bytes] of Object.entries(inputs))
    sizes.set(packageOf(path), (sizes.get(packageOf(path)) ?? 0) + bytes);
  return [...sizes].sort(([, a], [, b]) => b - a).slice(0, 10);
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

const { values, positionals } = parseArgs({
  options: { help: { type: "boolean" }, why: { type: "boolean" } },
  allowPositionals: true,
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const known = bundledJobs().map(({ job }) => job);
const isKnown = (job: string): job is FunctionName => (known as readonly string[]).includes(job);
const unknown = positionals.filter((job) => !isKnown(job));
if (unknown.length > 0) {
  console.error(`bundle: no function is called ${unknown.join(", ")}; there are ${known.join(", ")}`);
  process.exit(2);
}
const bundles =
  positionals.length > 0
    ? await Promise.all(positionals.filter(isKnown).map((job) => bundleHandler(job)))
    : await bundleHandlers();
for (const { job, bytes, inputs } of bundles) {
  console.log(`${job.padEnd(24)} ${kib(bytes).padStart(12)}`);
  if (values.why)
    for (const [name, size] of largest(inputs)) console.log(`  ${name.padEnd(38)} ${kib(size).padStart(12)}`);
}
console.log(`${bundles.length} bundles in ${relative(process.cwd(), BUNDLES)}`);
