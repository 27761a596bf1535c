import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allResources, aTarget, synthesise } from "#testing/synthesise";
import { theTopology } from "../jobs.ts";

// A copy of the sources, bundled as they are and again after a change of the topology.
const ROOT = join(import.meta.dirname, "../..");
const SENDER = "refresh-biases";
const CONSUMER = "recompute-bias";
const BYSTANDER = "settle-outcomes";
const ROUTE = "api/read";
const HASHES = `
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bundleHandler } from "./stacks/bundle/bundle.ts";
const found = {};
for (const job of process.argv.slice(3)) {
  const { directory } = await bundleHandler(job, process.argv[2]);
  found[job] = createHash("sha256").update(readFileSync(join(directory, "index.mjs"))).digest("hex");
}
process.stdout.write(JSON.stringify(found));
`;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "own-entries-"));
  for (const name of ["packages", "functions", "stacks", "package.json", "tsconfig.json"])
    cpSync(join(ROOT, name), join(root, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  writeFileSync(join(root, "hashes.ts"), HASHES);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Bundles the functions of the copy. Returns the SHA-256 of each, by name. @throws Error with what was written when it fails */
function hashes(...jobs: readonly string[]): Readonly<Record<string, string>> {
  const out = join(root, "dist/functions");
  const run = spawnSync(process.execPath, ["hashes.ts", out, ...jobs], { cwd: root, encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Record<string, string>;
}

type Change = readonly [path: string, from: RegExp, to: string];

/** Changes files of the copy while `work` runs. */
function changed<T>(changes: readonly Change[], work: () => T): T {
  const texts = new Map(changes.map(([path]) => [path, readFileSync(join(root, path), "utf8")]));
  for (const [path, from, to] of changes) {
    const text = readFileSync(join(root, path), "utf8");
    const next = text.replace(from, to);
    if (next === text) throw new Error(`${path} has no ${from} to change`);
    writeFileSync(join(root, path), next);
  }
  try {
    return work();
  } finally {
    for (const [path, text] of texts) writeFileSync(join(root, path), text);
  }
}

const QUEUES = "packages/topology/queues.ts";
const entryUpTo = (name: string, field: string): RegExp =>
  new RegExp(`(\\n {2}${name}: \\{\\n(?:.*\\n)*? +${field}: )[^,]+`);

const JOBS = [SENDER, CONSUMER, BYSTANDER, ROUTE];

/** Returns the functions whose bundles a change changes. */
function differing(before: Readonly<Record<string, string>>, ...changes: readonly Change[]): string[] {
  const after = changed(changes, () => hashes(...JOBS));
  return JOBS.filter((job) => before[job] !== after[job]);
}

test("a bundle changes with what its function reads of the topology, and with nothing else", () => {
  const before = hashes(...JOBS);
  expect(new Set(Object.values(before)).size).toBe(JOBS.length);
  const figures = ["memoryMb", "timeoutSeconds", "maxConcurrency", "maxReceives", "batchSize"];
  const deployed: readonly Change[] = [
    ...figures.map((field): Change => [QUEUES, entryUpTo("biases", field), "$1 7"]),
    ["packages/topology/routes.ts", /summary: "latest bias/, 'summary: "the latest bias'],
    ["packages/topology/metrics.ts", /meaning: "/, 'meaning: "the '],
  ];
  expect(differing(before, ...deployed)).toEqual([]);
  expect(differing(before, [QUEUES, entryUpTo("biases", "groupBy"), '$1"plan"'])).toEqual([SENDER, CONSUMER]);
  expect(differing(before, [QUEUES, entryUpTo("biases", "needs"), '$1["rpc"]'])).toEqual([CONSUMER]);
}, 180_000);

test("a function that reads the whole topology is not bundled", () => {
  const reading = 'import { topology } from "#topology/topology";\nconsole.log(topology);\n$&';
  expect(() => changed([["functions/api/bias.ts", /^import/, reading]], () => hashes(ROUTE))).toThrow(
    `${ROUTE} reads the whole topology; a function reads the table that has its entry`,
  );
}, 60_000);

test("one memory figure changes one property of one function's resource", () => {
  const target = aTarget({ stage: "dev", database: "external" });
  const topology = theTopology();
  const before = allResources(synthesise(target, topology));
  const queues = { ...topology.queues, biases: { ...topology.queues.biases!, memoryMb: 640 } };
  const after = allResources(synthesise(target, { ...topology, queues }));
  expect([...after.keys()]).toEqual([...before.keys()]);
  const differing = [...before].filter(([id, resource]) => JSON.stringify(after.get(id)) !== JSON.stringify(resource));
  expect(differing.map(([, { Type }]) => Type)).toEqual(["AWS::Lambda::Function"]);
  const [[id, resource] = []] = differing;
  expect(after.get(id!)).toEqual({ ...resource, Properties: { ...resource!.Properties, MemorySize: 640 } });
});
