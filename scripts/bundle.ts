import { relative } from "node:path";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import type { FunctionName } from "#topology/functions";
import { BUNDLES, bundledJobs, bundleHandler, bundleHandlers } from "../stacks/bundle/bundle.ts";

const command: Command = {
  usage: "npm run bundle --",
  summary:
    "Bundles the handlers for Lambda (Node 24, ESM, minified) into dist/functions/<job>/ and prints their sizes.",
  operand: { value: "JOB", says: "only those, as watch-head api/read", many: true },
  options: { why: { says: "also the ten largest packages in each bundle" } },
};

const packageOf = (path: string): string =>
  path.match(/^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? path.split("/").slice(0, 2).join("/");

function largest(inputs: Readonly<Record<string, number>>): [string, number][] {
  const sizes = new Map<string, number>();
  for (const [path, bytes] of Object.entries(inputs))
    sizes.set(packageOf(path), (sizes.get(packageOf(path)) ?? 0) + bytes);
  return [...sizes].sort(([, a], [, b]) => b - a).slice(0, 10);
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

async function main(given: Arguments): Promise<void> {
  const jobs = given.operands();
  const known = bundledJobs().map(({ job }) => job);
  const isKnown = (job: string): job is FunctionName => (known as readonly string[]).includes(job);
  const unknown = jobs.filter((job) => !isKnown(job));
  if (unknown.length > 0)
    throw new UsageError(`no function is called ${unknown.join(", ")}; there are ${known.join(", ")}`);
  const bundles =
    jobs.length > 0 ? await Promise.all(jobs.filter(isKnown).map((job) => bundleHandler(job))) : await bundleHandlers();
  for (const { job, bytes, inputs } of bundles) {
    console.log(`${job.padEnd(24)} ${kib(bytes).padStart(12)}`);
    if (given.flag("why"))
      for (const [name, size] of largest(inputs)) console.log(`  ${name.padEnd(38)} ${kib(size).padStart(12)}`);
  }
  console.log(`${bundles.length} bundles in ${relative(process.cwd(), BUNDLES)}`);
}

await runCommand(command, main);
