/**
 * Each rule of the house is seen to fail once: violations are planted in a folder of their own, the tools run there as
 * `npm run check` runs them, and each must name its plant. A rule that is added without a plant fails here too.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limitsInCode } from "#testing/limits-in-code";
import { tooBig } from "#testing/rooms";

const ROOT = join(import.meta.dirname, "..");
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "house-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Makes a small project of its own: the house's settings, its tools, and the planted files by path. */
function project(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(root, name);
  mkdirSync(folder);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const path of [
    "package.json",
    "tsconfig.json",
    "biome.json",
    "knip.json",
    ".dependency-cruiser.cjs",
    "scripts/biome",
  ]) {
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** Runs a tool in a project. It must fail: returns what it wrote. */
function failing(
  folder: string,
  tool: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): string {
  const { status, stdout, stderr } = spawnSync(join(ROOT, "node_modules/.bin", tool), args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(status, `${tool} finds something\n${stderr}`).not.toBe(0);
  return stdout + (tool === "tsc" || tool === "vitest" ? stderr : "");
}

test("every dependency rule names its plant", () => {
  const flow = ["units", "chain", "scoring", "analysis", "bias", "trading"];
  // Rule → the file that breaks it, and how.
  const plants: Readonly<Record<string, readonly [path: string, text: string]>> = {
    ...Object.fromEntries(
      flow.map((name) => [`flow:${name}-is-upstream`, [`packages/${name}/upstream.ts`, 'import "#reporting/plain";']]),
    ),
    "core-is-pure": ["packages/chain/impure.ts", 'import "node:fs";'],
    "chain-hashes-with-kept-libraries": ["packages/scoring/hashes.ts", 'import "@noble/hashes/sha3.js";'],
    "hashing-is-in-units": ["packages/units/ids.ts", 'import "node:fs";'],
    "unchecked-brands-are-for-rows": ["packages/chain/unchecked.ts", 'import "#units/stored";'],
    "decimals-are-in-units": ["packages/bias/decimals.ts", 'import "big.js";'],
    "ethers-is-for-recordings-and-tests": ["packages/chain/abi.ts", 'import "ethers";'],
    "vendors-at-the-edge": ["packages/db/queue.ts", 'import "@aws-sdk/client-sqs";'],
    "sql-in-db": ["functions/query.ts", 'import "drizzle-orm";'],
    "handles-open-in-db": ["functions/opens.ts", 'import "#db/drizzle";'],
    "embedded-database-is-local": ["packages/runtime/embedded.ts", 'import "@electric-sql/pglite";'],
    "topology-reads-core": ["packages/topology/reads-db.ts", 'import "#db/plain";'],
    "db-reads-core": ["packages/db/reads-runtime.ts", 'import "#runtime/plain";'],
    "db-asks-nobody": ["packages/db/asks-the-venue.ts", 'import type { Exchange } from "#trading/venue";'],
    "trading-goes-through-its-store": ["packages/desk/submit-order.ts", 'import "#db/chain/plain";'],
    "trading-jobs-are-given-their-books": ["functions/submit-order.ts", 'import "#db/plain";'],
    "the-chain-desk-reads-chain-and-signals": ["packages/desk/follow-head.ts", 'import "#db/plain";'],
    "desk-reads-core-and-db": ["packages/desk/reads-runtime.ts", 'import "#runtime/plain";'],
    "runtime-is-below-the-laptop": ["packages/runtime/reads-host.ts", 'import "#host/plain";'],
    ...Object.fromEntries(
      ["host", "recording", "doubles", "local"].map((name) => [
        `laptop:${name}-is-upstream`,
        [`packages/${name}/upstream.ts`, 'import "#replay/plain";'],
      ]),
    ),
    "doubles-speak-protocols": ["packages/doubles/reads-db.ts", 'import "#db/plain";'],
    "operations-run-beside-the-desk": ["packages/operations/reads-replay.ts", 'import "#replay/plain";'],
    "only-live-reads-recordings-and-doubles": ["packages/local/reads-doubles.ts", 'import "#doubles/plain";'],
    "backtest-decides-as-the-desk": ["packages/backtest/reads-db.ts", 'import "#db/plain";'],
    "the-page-reads-contracts": ["web/reads-topology.ts", 'import "#topology/plain";'],
    "stacks-read-the-topology": ["stacks/reads-db.ts", 'import "#db/plain";'],
    "handlers-never-import-handlers": ["functions/calls.ts", 'import "./called.ts";'],
    "handlers-are-thin": ["functions/reads-local.ts", 'import "#local/plain";'],
    "nothing-imports-handlers": ["packages/local/calls.ts", 'import "../../functions/called.ts";'],
    "no-cycles": ["packages/runtime/one.ts", 'import "./two.ts";'],
    "no-test-in-production": ["packages/runtime/reads-test.ts", 'import "./plain.test.ts";'],
    resolvable: ["packages/runtime/lost.ts", 'import "./nowhere.ts";'],
  };
  const innocent = ["reporting", "db", "runtime", "local", "host", "doubles", "replay", "topology"].map((name) => [
    `packages/${name}/plain.ts`,
    "export {};",
  ]);
  const folder = project("dependencies", {
    ...Object.fromEntries([...Object.values(plants), ...innocent]),
    "packages/runtime/two.ts": 'import "./one.ts";',
    "packages/runtime/plain.test.ts": "export {};",
    "packages/units/stored.ts": "export {};",
    "packages/db/reads-stored.ts": 'import "#units/stored";',
    // Allowed: a live desk reads recordings and doubles, the page reads contracts.
    "packages/local/live/plain.ts": 'import "#doubles/plain";',
    "packages/topology/contracts/plain.ts": "export {};",
    "web/plain.ts": 'import "#topology/contracts/plain";',
    // … and the use cases that follow the chain read its tables.
    "packages/desk/ingest-block.ts": 'import "#db/chain/plain";',
    "packages/db/chain/plain.ts": "export {};",
    "packages/trading/venue.ts": "export interface Exchange {}",
    "functions/called.ts": "export {};",
    "packages/db/drizzle.ts": "export {};",
    "scripts/plain.ts": "export {};",
  });
  const args = ["--config", ".dependency-cruiser.cjs", "packages", "functions", "stacks", "scripts", "web"];
  const seen = failing(folder, "depcruise", args);
  const { forbidden } = createRequire(import.meta.url)(join(ROOT, ".dependency-cruiser.cjs")) as {
    forbidden: { name: string }[];
  };
  expect(Object.keys(plants).toSorted()).toEqual(forbidden.map(({ name }) => name).toSorted());
  for (const [rule, [path]] of Object.entries(plants)) expect(seen).toContain(`error ${rule}: ${path}`);
  const allowed = ["local/live/plain.ts", "db/reads-stored.ts", "desk/ingest-block.ts"].map(
    (path) => `packages/${path}`,
  );
  for (const path of [...allowed, "web/plain.ts"]) expect(seen).not.toContain(path);
});

/** A text that is said to be a branded type. */
const cast = (text: string, type: string): string => {
  const name = /\w+(?=<|\[|$)/.exec(type)?.[0];
  const from = { Decimal: "decimal", Instant: "time" }[name ?? ""] ?? "ids";
  return `import type { ${name} } from "#units/${from}";\n\nexport const made = ${JSON.stringify(text)} as ${type};\n`;
};

/** A function of `lines` lines, two of them its braces: Biome counts what is between. */
const long = (lines: number): string => `export function long(): void {\n${"  void 0;\n".repeat(lines - 2)}}\n`;

/** Ways around a denied name: by the global object, and by another spelling. Each must be seen in a file of its own. */
function sideDoors(): Record<string, readonly [path: string, text: string]> {
  const global = [
    "globalThis.Date.now()",
    "globalThis.fetch",
    "globalThis.process",
    'globalThis["Date"]',
    "(globalThis as { Date: unknown }).Date",
    "(({ fetch }: { fetch?: unknown }) => fetch)(globalThis)",
    "typeof globalThis.fetch",
    "self.fetch",
    "global.Date",
  ];
  const ambient = [
    ...["Date.now()", "[1].map(Date.now)", 'Date["now"]()', "new Date()", "new Date", "Date()"],
    ...["Math.random()", "[1].map(Math.random)", 'Math["random"]()'],
  ];
  const named = ["new Date(5)", 'Date.parse("x")', "Reflect.construct(Date, [])", "[Date]", "new (Date)()"];
  const plant = (rule: string, folder: string) => (text: string, i: number) => [
    `${text} ${rule}`,
    [`${folder}-${i}.ts`, `export const found: unknown = ${text};\n`],
  ];
  return {
    ...Object.fromEntries(global.map(plant("lint/style/noRestrictedGlobals", "packages/chain/global"))),
    ...Object.fromEntries(ambient.map(plant("plugin", "packages/reporting/ambient"))),
    ...Object.fromEntries(named.map(plant("plugin", "packages/scoring/named"))),
    "const { fetch } = globalThis lint/style/noRestrictedGlobals": [
      "packages/bias/taken.ts",
      "const { fetch } = globalThis;\n\nexport const found: unknown = fetch;\n",
    ],
    "const { random } = Math plugin": ["packages/units/taken.ts", "export const { random } = Math;\n"],
    "time.ts plugin": [
      "packages/units/time.ts",
      "export const at = new Date();\nexport const given = (ms: number): Date => new Date(ms);\n",
    ],
  };
}

/** Ways to write to the tables of orders past the one function that may. */
const ORDER_WRITES: Readonly<Record<string, string>> = {
  insert: "db.insert(orders)",
  update: "tx.update(schema.orders).set({})",
  delete: "db.delete(orders)",
  events: "db.insert(orderEvents)",
  bulk: "insertion(orders, [])",
  text: "sql`UPDATE orders SET status = 'filled'`",
  lines: 'sql`WITH x AS (SELECT 1)\n  insert   into "public"."order_events" (id) VALUES (1)`',
  table: `sql\`DELETE FROM \${orders} WHERE true\``,
  string: '"truncate orders"',
  renamed: "((x) => db.insert(x))((() => { const x = orders; return x; })())",
};

test("every lint rule of the house names its plant, in the core each way to the clock, chance and the machine", () => {
  const settings = JSON.parse(read("biome.json")) as {
    overrides: {
      linter: { rules: { style?: { noRestrictedGlobals?: { options: { deniedGlobals: Record<string, string> } } } } };
    }[];
  };
  const denied = settings.overrides.flatMap(({ linter }) =>
    Object.keys(linter.rules.style?.noRestrictedGlobals?.options.deniedGlobals ?? {}),
  );
  expect(denied).toEqual(
    expect.arrayContaining(["process", "fetch", "console", "setTimeout", "setInterval", "setImmediate"]),
  );
  const plants: Readonly<Record<string, readonly [path: string, text: string]>> = {
    ...Object.fromEntries(
      denied.map((name) => [
        `${name} lint/style/noRestrictedGlobals`,
        [`packages/chain/reads-${name.toLowerCase()}.ts`, `export const found: unknown = ${name};\n`],
      ]),
    ),
    ...sideDoors(),
    ...Object.fromEntries(
      Object.entries(ORDER_WRITES).map(([name, code]) => [
        `${name} plugin`,
        [`packages/db/writes-${name}.ts`, `export const found = ${code};\n`],
      ]),
    ),
    "alias plugin": [
      "packages/db/alias.ts",
      'import { orders as x } from "./schema.ts";\n\nexport const found = db.insert(x);\n',
    ],
    "rows<> plugin": [
      "packages/db/said.ts",
      'import { rows } from "./rows.ts";\n\nexport const found = rows<{ n: number }>();\n',
    ],
    "sql<> plugin": [
      "packages/db/column.ts",
      'import { sql } from "drizzle-orm";\n\nexport const column = sql<number>`count(*)`;\n',
    ],
    "execute<> plugin": [
      "packages/testing/executed.ts",
      "declare const db: { execute<T>(): T };\n\nexport const executed = db.execute<{ n: number }>();\n",
    ],
    "as Decimal plugin": ["packages/local/as-decimal.ts", cast("1.5", "Decimal")],
    "as Instant plugin": ["packages/testing/as-instant.test.ts", cast("now", "Instant")],
    "as unknown as WalletId plugin": ["functions/as-id.ts", cast("one", "unknown as WalletId")],
    "as Id<> plugin": ["scripts/as-id.ts", cast("one", 'Id<"wallet">')],
    "as list of Decimal plugin": ["stacks/as-list.ts", cast("1.5", "unknown as readonly Decimal[]")],
    "env lint/style/noProcessEnv": ["packages/local/env.ts", "export const env = process.env;\n"],
    "type lint/style/useImportType": [
      "packages/local/type.ts",
      'import { Stats } from "node:fs";\n\nexport type Found = Stats;\n',
    ],
    "node: lint/style/useNodejsImportProtocol": ["packages/local/node.ts", 'export { readFile } from "fs";\n'],
    "any lint/suspicious/noExplicitAny": ["packages/local/any.ts", "export const found: any = 1;\n"],
    "barrel lint/performance/noBarrelFile": ["packages/local/index.ts", 'export { found } from "./any.ts";\n'],
    "barrel lint/performance/noReExportAll": ["packages/local/all.ts", 'export * from "./any.ts";\n'],
    "60 lines lint/complexity/noExcessiveLinesPerFunction": ["packages/local/long.ts", long(63)],
    "40 lines lint/complexity/noExcessiveLinesPerFunction": ["functions/long.ts", long(43)],
    "complex lint/complexity/noExcessiveCognitiveComplexity": [
      "packages/local/complex.ts",
      `export function complex(n: number): number {\n${"  ".repeat(1)}${"if (n > 0) ".repeat(0)}${Array.from({ length: 8 }, (_, i) => `${"  ".repeat(i)}if (n > ${i}) {\n`).join("")}${"}\n".repeat(8)}  return n;\n}\n`,
    ],
    "layout format": ["packages/local/layout.ts", "export const   wide = 1\n"],
    "imports assist/source/organizeImports": [
      "packages/local/imports.ts",
      'import { b } from "./b.ts";\nimport { a } from "./a.ts";\n\nexport const both = [a, b];\n',
    ],
  };
  // Mathematics without chance, orders that are read, and handlers and others up to their length.
  const allowed = {
    "packages/units/rounded.ts": "export const rounded = (at: number): number => Math.round(at);\n",
    "packages/db/reads-orders.ts": "export const found = [db.select().from(orders), db.update(bias)];\n",
    "packages/db/locks-orders.ts": "export const found = sql`SELECT 1 FROM orders WHERE set < 1 FOR UPDATE`;\n",
    "packages/db/archives.ts": "export const found = sql`INSERT INTO orders_archive SELECT * FROM orders`;\n",
    "packages/db/trading/move-order.ts": "export const found = db.update(orders);\n",
    "packages/units/brand.ts": 'type Decimal = string;\n\nexport const made = "1.5" as Decimal;\n',
    "functions/fits.ts": long(42),
    "packages/local/fits.ts": long(62),
  };
  const folder = project("lint", { ...Object.fromEntries(Object.values(plants)), ...allowed });
  const text = failing(folder, "biome", [
    "ci",
    "--error-on-warnings",
    "--max-diagnostics=none",
    "--reporter=json",
    ".",
  ]);
  // It colours what is around the JSON, whatever NO_COLOR says.
  const report = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as {
    diagnostics: { category: string; location: { path: string | { file: string } } }[];
  };
  const seen = report.diagnostics.map(
    ({ category, location: { path } }) => `${category} ${typeof path === "string" ? path : path.file}`,
  );
  for (const [rule, [path]] of Object.entries(plants)) expect(seen).toContain(`${rule.split(" ").at(-1)} ${path}`);
  expect(seen.filter((line) => line.endsWith("packages/units/time.ts"))).toEqual(["plugin packages/units/time.ts"]);
  for (const path of Object.keys(allowed)) {
    expect(seen.filter((line) => line.endsWith(path))).toEqual([]);
  }
});

test("an unused file, export and dependency are named", () => {
  const folder = project("unused", {
    "functions/entry.ts": 'import { used } from "#units/used";\n\nused();\n',
    "packages/units/used.ts": "export const used = (): number => 1;\nexport const spare = 2;\n",
    "packages/units/forgotten.ts": "export const forgotten = 1;\n",
    "scripts/entry.ts": 'import "croner";\n',
  });
  const text = failing(folder, "knip", ["--no-progress", "--reporter", "json"]);
  const { issues } = JSON.parse(text) as { issues: { file: string; [kind: string]: unknown }[] };
  const names = (file: string, kind: string) =>
    JSON.stringify(issues.find((issue) => issue.file === file)?.[kind] ?? []);
  expect(names("packages/units/forgotten.ts", "files")).toContain("forgotten");
  expect(names("packages/units/used.ts", "exports")).toContain('"spare"');
  expect(names("packages/units/used.ts", "exports")).not.toContain('"used"');
  expect(names("package.json", "dependencies")).toContain('"ccxt"');
  expect(names("package.json", "dependencies")).not.toContain('"croner"');
});

test("code that only a test uses is named", () => {
  const folder = project("only-tested", {
    "functions/entry.ts": 'import { used } from "#units/used";\n\nused();\n',
    "packages/units/used.ts": "export const used = (): number => 1;\nexport const tested = (): number => 2;\n",
    "packages/units/instrument.ts": "export const instrument = 1;\n",
    "packages/testing/fixture.ts": "export const fixture = 1;\n",
    "packages/units/used.test.ts":
      'import { fixture } from "#testing/fixture";\nimport { instrument } from "./instrument.ts";\nimport { tested } from "./used.ts";\n\ntested();\ninstrument + fixture;\n',
  });
  const run = (...args: string[]) =>
    (JSON.parse(failing(folder, "knip", ["--no-progress", "--reporter", "json", ...args])) as { issues: Issue[] })
      .issues;
  type Issue = { file: string; exports: { name: string }[]; files: { name: string }[] };
  const named = (issues: Issue[]) =>
    issues
      .filter(({ file }) => file.startsWith("packages/"))
      .flatMap(({ file, exports, files }) => [
        ...exports.map(({ name }) => `${file} ${name}`),
        ...files.map(() => file),
      ])
      .toSorted();
  expect(named(run())).toEqual([]);
  expect(named(run("--production"))).toEqual(["packages/units/instrument.ts", "packages/units/used.ts tested"]);
});

test("every strict option of the compiler names its plant", () => {
  const plants: Readonly<Record<string, readonly [code: string, text: string]>> = {
    strict: ["TS2322", "export const text: string = null;"],
    noUncheckedIndexedAccess: ["TS2322", "export const first = (list: string[]): string => list[0];"],
    exactOptionalPropertyTypes: ["TS2375", "export const given: { a?: string } = { a: undefined };"],
    noFallthroughCasesInSwitch: [
      "TS7029",
      "export function f(n: number) { switch (n) { case 1: n += 1; case 2: n += 2; } return n; }",
    ],
    noImplicitReturns: ["TS7030", "export function g(n: number) { if (n > 0) return n; }"],
    verbatimModuleSyntax: [
      "TS1484",
      'import { PathLike } from "node:fs"; export const text = (path: PathLike) => String(path);',
    ],
    erasableSyntaxOnly: ["TS1294", "export enum Side { Buy }"],
  };
  const files = Object.entries(plants).map(([option, [, text]]) => [`packages/units/${option}.ts`, `${text}\n`]);
  const text = failing(project("types", Object.fromEntries(files)), "tsc", ["--noEmit"]);
  const { compilerOptions } = JSON.parse(read("tsconfig.json")) as { compilerOptions: Record<string, unknown> };
  for (const [option, [code]] of Object.entries(plants)) {
    expect(compilerOptions[option], option).toBe(true);
    expect(text).toMatch(new RegExp(`packages/units/${option}\\.ts\\(\\d+,\\d+\\): error ${code}:`));
  }
});

test("an instant is no price, an id of one kind none of another, and plain text none of them", () => {
  const given = `import { big, type Decimal } from "#units/decimal";
import type { OrderId, WalletId } from "#units/ids";
import type { Instant } from "#units/time";
export declare const at: Instant;
export declare const price: Decimal;
export declare const wallet: WalletId;
export declare const submit: (order: OrderId, limit: Decimal, expires: Instant) => void;
export declare const order: OrderId;
export { big };`;
  const wanted = 'import { at, big, order, price, submit, wallet } from "./given.ts";';
  const plants: Readonly<Record<string, string>> = {
    "instant-as-price": "submit(order, at, at); void price; void wallet; void big;",
    "price-as-instant": "submit(order, price, price); void at; void wallet; void big;",
    "instant-in-arithmetic": "big(at); void order; void price; void submit; void wallet;",
    "wallet-as-order": "submit(wallet, price, at); void order; void big;",
    "text-as-order": 'submit("00000000-0000-4000-8000-000000000000", price, at); void order; void wallet; void big;',
    "text-as-price": 'submit(order, "1.5", at); void price; void wallet; void big;',
    "text-as-instant": 'submit(order, price, "2022-06-21T00:00:00.000Z"); void at; void wallet; void big;',
  };
  const folder = project("brands", {
    "packages/trading/given.ts": `${given}\n`,
    "packages/trading/fits.ts": `${wanted}\nsubmit(order, price, at); void wallet; void big(price);\n`,
    ...Object.fromEntries(
      Object.entries(plants).map(([name, text]) => [`packages/trading/${name}.ts`, `${wanted}\n${text}\n`]),
    ),
  });
  cpSync(join(ROOT, "packages/units"), join(folder, "packages/units"), { recursive: true });
  const text = failing(folder, "tsc", ["--noEmit"]);
  for (const name of Object.keys(plants)) {
    expect(text).toMatch(new RegExp(`packages/trading/${name}\\.ts\\(2,\\d+\\): error TS2345:`));
  }
  expect(text).not.toContain("fits.ts");
});

test("a fact that is published or read wrong does not compile, and each plant is named", () => {
  const head = `import type { Context } from "#runtime/context";
import { consume } from "#runtime/consume";
import type { Queues } from "#topology/queues";
type Given = Context<Queues["orders"]>;
import type { Id } from "#units/ids";
import type { Instant } from "#units/time";
declare const at: Instant;
declare const entityId: Id<"trading">;
const body = { mode: "demo", state: "HALTED", epoch: 4, reason: "by hand" } as const;
`;
  const publishing = (fact: string): string =>
    `export const told = ({ publish }: Given) => publish("trading.changed", [${fact}]);`;
  const good = 'entityType: "trading", entityId, at';
  const plants: Readonly<Record<string, readonly [code: string, text: string]>> = {
    "missing-field": ["TS2741", `const { reason: _, ...less } = body;\n${publishing(`{ ${good}, body: less }`)}`],
    "extra-field": ["TS2322", publishing(`{ ${good}, body: { ...body, walletId: entityId } }`)],
    // Built before it is published: the compiler looks for fields too many in a literal alone.
    "extra-field-built-before": [
      "TS2322",
      `const more = { ${good}, body: { ...body, walletId: entityId } } as const;\n${publishing("more")}`,
    ],
    "extra-field-of-a-list": [
      "TS2345",
      `export const told = ({ publish }: Given, list: { at: Instant }[]) =>
  publish("trading.changed", list.map((row) => ({ entityType: "trading", entityId, at: row.at, body, row })));`,
    ],
    "wrong-field": ["TS2322", publishing(`{ ${good}, body: { ...body, epoch: "4" } }`)],
    "wrong-value": ["TS2322", publishing(`{ ${good}, body: { ...body, state: "PAUSED" } }`)],
    "wrong-entity": ["TS2322", publishing('{ entityType: "order", entityId, at, body }')],
    "another-facts-body": [
      "TS2739",
      `export const told = ({ publish }: Given) => publish("order.closed", [{ entityType: "order", entityId, at, body }]);`,
    ],
    undeclared: ["TS2345", `export const told = ({ publish }: Given) => publish("report.built", [{ ${good}, body }]);`],
    "sent-as-a-message": ["TS2345", `export const told = ({ send }: Given) => send("audits", []);`],
    "field-that-is-not-there": [
      "TS2339",
      'export const handler = consume("retractions", async ({ body }) => console.log(body.colour));',
    ],
    "field-of-one-fact-of-many": [
      "TS2339",
      'export const handler = consume("audits", async ({ body }) => console.log(body.walletId));',
    ],
    "fact-that-the-queue-does-not-take": [
      "TS2367",
      'export const handler = consume("retractions", async ({ fact }) => console.log(fact === "order.closed"));',
    ],
    "field-of-the-last-release": [
      "TS2345",
      `export const handler = consume("audits", async (taken) => {
  if (taken.fact === "order.closed") console.log(big(taken.body.filledSize));
});
import { big } from "#units/decimal";`,
    ],
  };
  const files = Object.entries(plants).map(([name, [, text]]) => [`functions/${name}.ts`, `${head}${text}\n`]);
  const folder = project("facts", Object.fromEntries(files));
  cpSync(join(ROOT, "packages"), join(folder, "packages"), { recursive: true });
  // Allowed: what is right, in a literal, built before, and of a list; a field once the fact is known.
  const right = `${head}${publishing(`{ ${good}, body }`)}
const built = { ${good}, body } as const;
export const again = ({ publish }: Given) => publish("trading.changed", [built]);
export const all = ({ publish }: Given, list: { at: Instant }[]) =>
  publish("trading.changed", list.map((row) => ({ entityType: "trading", entityId, at: row.at, body })));
export const handler = consume("audits", async (taken) => {
  if (taken.fact === "event.retracted") console.log(taken.body.walletId);
});
`;
  writeFileSync(join(folder, "functions/right.ts"), right);
  const only = { extends: "./tsconfig.json", include: ["functions"] };
  writeFileSync(join(folder, "tsconfig.facts.json"), JSON.stringify(only));
  const text = failing(folder, "tsc", ["--noEmit", "-p", "tsconfig.facts.json"]);
  const seen = text.split("\n").filter((line) => /^\S/.test(line));
  for (const [name, [code]] of Object.entries(plants))
    expect(seen, text).toContainEqual(
      expect.stringMatching(new RegExp(`^functions/${name}\\.ts\\(\\d+,\\d+\\): error ${code}:`)),
    );
  expect(seen.filter((line) => !Object.keys(plants).some((name) => line.startsWith(`functions/${name}.ts`)))).toEqual(
    [],
  );
});

test("a handler or a use case that runs SQL on its database does not compile, whichever way it tries", () => {
  const ways: Readonly<Record<string, readonly [code: string, text: string]>> = {
    ...Object.fromEntries(
      [
        "execute",
        "select",
        "selectDistinct",
        "selectDistinctOn",
        "insert",
        "update",
        "delete",
        "refreshMaterializedView",
      ]
        .concat(["transaction", "query", "with", "$with", "$count", "$cache", "_"])
        .map((name) => [name.replace("$", "cte-"), ["TS2339", `export const found = (db: Db) => db.${name};`]]),
    ),
    shape: ["TS2741", "export const found = (db: Db): { execute(query: unknown): unknown } => db;"],
    made: ["TS2741", "export const found: Db = {};"],
  };
  const folder = project("handles", {
    ...Object.fromEntries(
      Object.entries(ways).map(([way, [, text]]) => [
        `packages/desk/${way}.ts`,
        `import type { Db } from "#db/client";\n\n${text}\n`,
      ]),
    ),
    "functions/handler.ts":
      'import { consume } from "#runtime/consume";\n\nexport const handler = consume("events", async (_, { database }) => {\n  await database.execute("SELECT 1");\n});\n',
    // Allowed: to hand it on, and for db a transaction in its place.
    "packages/desk/hands-on.ts":
      'import { cursorOf } from "#db/chain/blocks";\nimport type { Db } from "#db/client";\n\nexport const found = (db: Db) => cursorOf(db, "ethereum");\n',
    "packages/db/in-transaction.ts":
      'import { cursorOf } from "./chain/blocks.ts";\nimport type { Db } from "./client.ts";\nimport { drizzleOf } from "./drizzle.ts";\n\nexport const found = (db: Db) => drizzleOf(db).transaction((tx) => cursorOf(tx, "ethereum"));\n',
  });
  for (const room of readdirSync(join(ROOT, "packages"))) {
    cpSync(join(ROOT, "packages", room), join(folder, "packages", room), { recursive: true });
  }
  const settings = { extends: "./tsconfig.json", include: ["packages/desk", "packages/db", "functions"] };
  const exclude = ["**/*.test.ts"];
  writeFileSync(join(folder, "tsconfig.plants.json"), JSON.stringify({ ...settings, exclude }));
  const text = failing(folder, "tsc", ["--noEmit", "--project", "tsconfig.plants.json"]);
  const seen = text.split("\n").filter((line) => line.includes("error TS"));
  const expected = Object.entries(ways).map(([way, [code]]) => `packages/desk/${way}.ts ${code}`);
  expect(seen.map((line) => line.replace(/\(.*error (TS\d+).*$/, " $1")).toSorted()).toEqual(
    [...expected, "functions/handler.ts TS2339"].toSorted(),
  );
});

/** Returns `text` with `from`, which must be in it, changed to `to`. */
function changed(text: string, from: string | RegExp, to: string): string {
  const next = text.replace(from, to);
  expect(next, `there is ${from} to change`).not.toBe(text);
  return next;
}

test("the tests of the topology, the schema and the rows name what is wired, ordered, sent or declared wrong", () => {
  const folder = project("wiring", {});
  for (const name of ["packages", "functions", "migrations", "vitest.config.ts"]) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, "functions/unwired.ts"), "export {};\n");
  const orphan =
    'orphans: { message: "wallet", consumer: "functions/score-wallet.handler", batchSize: 1, maxConcurrency: 1, maxReceives: 5, needs: [], sends: [], publishes: [], timeoutSeconds: 1, memoryMb: 128 },';
  const without = (consumer: string): RegExp =>
    new RegExp(`(consumer: "functions/${consumer}\\.handler",\\n(?:.*\\n)*?\\s+sends: )\\[\\]`);
  const plant = (part: string, ...changes: readonly (readonly [from: string | RegExp, to: string])[]): void => {
    const text = changes.reduce((now, [from, to]) => changed(now, from, to), read(`packages/topology/${part}.ts`));
    writeFileSync(join(folder, `packages/topology/${part}.ts`), text);
  };
  plant("schedules", [without("sync-prices"), '$1["nowhere"]']);
  plant(
    "queues",
    [/queues = \{\n/, `queues = {\n  ${orphan}\n`],
    ['groupBy: "asset"', 'groupBy: "colour"'],
    [without("score-wallet"), '$1["events"]'],
    [/(facts: \["event.retracted", "order.closed", "trading.changed"), "report.built"\]/, "$1]"],
  );
  const schema = changed(read("packages/db/schema.ts"), /barSeconds: integer\(/, "barSeconds: text(");
  writeFileSync(join(folder, "packages/db/schema.ts"), schema);
  const labels = changed(
    read("packages/db/chain/labels.ts"),
    "packed: kind.orNull(kind.built(",
    "packed: (kind.built(",
  );
  writeFileSync(join(folder, "packages/db/chain/labels.ts"), labels);
  const text = failing(folder, "vitest", [
    "run",
    "--reporter=verbose",
    "packages/topology/topology.test.ts",
    "packages/db/schema.test.ts",
    "packages/db/chain/labels.test.ts",
  ]);
  for (const [name, plant] of [
    ["every handler file is wired exactly once", "functions/unwired.ts"],
    ["every send goes to a queue that exists", "nowhere"],
    ["every queue is fed", "orphans"],
    ["messages flow one way", "wallets → events"],
    ["an ordered queue groups by a field of its message", "colour"],
    ["every fact goes to the audit log", "report.built"],
  ]) {
    expect(text).toMatch(new RegExp(`FAIL +packages/topology/topology\\.test\\.ts > ${name}`));
    expect(text).toContain(plant);
  }
  expect(text).toMatch(/FAIL +packages\/db\/schema\.test\.ts/);
  expect(text).toContain("prices.bar_seconds text");
  expect(text).toContain('RowShapeError: the rows of "labels" are not as declared: packed is null');
});

test("a run of the tests says its seed, with which a property fails the same again", () => {
  const folder = project("seed", {
    "packages/units/drawn.test.ts": `import fc from "fast-check";
import { expect, test } from "vitest";
test("large", () => fc.assert(fc.property(fc.integer(), (n) => expect(n).toBeLessThan(1e6)), { endOnFailure: true }));
`,
  });
  for (const path of [
    "vitest.config.ts",
    "packages/testing/seed.ts",
    "packages/testing/setup.ts",
    "packages/testing/watched-rows.ts",
    "packages/testing/error-lines.ts",
    "packages/testing/row-coverage.ts",
  ]) {
    cpSync(join(ROOT, path), join(folder, path));
  }
  const run = (seed?: string) => {
    const text = failing(folder, "vitest", ["run"], { SEED: seed });
    return {
      seed: /^seed of the properties: (-?\d+) /m.exec(text)?.[1],
      counterexample: /Counterexample: .*/.exec(text)?.[0],
    };
  };
  const drawn = run();
  expect(drawn).toEqual({ seed: expect.any(String), counterexample: expect.any(String) });
  expect(run(drawn.seed)).toEqual(drawn);
  expect(run("7")).not.toEqual(drawn);
  expect(failing(folder, "vitest", ["run"], { SEED: "seven" })).toContain("SEED is a whole number");
});

test("a passing test that leaves an error line in the log fails, and the line is shown", () => {
  const folder = project("error-lines", {
    "packages/units/logged.test.ts": `import { test } from "vitest";
const line = JSON.stringify({ level: "error", message: "nobody asked" });
test("of standard error", () => void process.stderr.write(line + "\\n"));
test("of Lambda's logger", () => void process.stdout.write(line.replace("error", "ERROR") + "\\n"));
test("a quiet one", () => void process.stderr.write(line.replace("error", "warn") + "\\n"));
`,
    "vitest.config.ts": `export default { test: { setupFiles: ["packages/testing/error-lines.ts"] } };\n`,
  });
  cpSync(join(ROOT, "packages/testing/error-lines.ts"), join(folder, "packages/testing/error-lines.ts"));
  const text = failing(folder, "vitest", ["run"]);
  expect(text).toMatch(
    /UnassertedErrorLine: take these lines with useSink[^\n]*\n\{"level":"error","message":"nobody asked"\}/,
  );
  expect(text).toMatch(/UnassertedErrorLine: [^\n]*\n\{"level":"ERROR"/);
  expect(text).toMatch(/2 failed \| 1 passed/);
});

test("no room holds more than 18 % of the lines and no folder more than 40 files; a plant of each is named", () => {
  const folders = ["packages", "functions", "stacks", "scripts", "web"].filter((name) => existsSync(join(ROOT, name)));
  expect(tooBig(ROOT, folders)).toEqual([]);
  const files = (room: string, count: number, lines: number) =>
    Array.from({ length: count }, (_, i) => [`packages/${room}/file-${i}.ts`, "// a line\n".repeat(lines)]);
  const small = ["a", "b", "c", "d", "e", "f"].flatMap((room) => files(room, 1, 30));
  const planted = Object.fromEntries([...small, ...files("big", 1, 60), ...files("full", 41, 0)]);
  expect(tooBig(project("rooms", planted), ["packages"])).toEqual([
    "big holds 25.0 % of the lines",
    "packages/full holds 41 files",
  ]);
});

/** Numbers that stay in the code of trading, and why. What is not here belongs to the policy. */
const NUMBERS: Readonly<Record<string, string>> = {
  "packages/desk/stops/cover-position.ts FIRST_SLICE": "a place in an id",
  "packages/desk/stops/cover-position.ts TRIES": "requests of one look; the next run looks again",
  "packages/desk/follow-head.ts PAGE": "of blocks, nothing of a trade",
  "packages/desk/follow-head.ts STALE_SECONDS": "of blocks, nothing of a trade",
  "packages/desk/stops/lay-ladder.ts TRIES": "requests of one look; the next run looks again",
  "packages/desk/look-at-head.ts LEASE_SECONDS": "of blocks, nothing of a trade",
  "packages/desk/reconcile-account.ts ROUNDS": "requests of one run; the next run looks again",
  "packages/desk/stops/record-protection.ts LOOKED_BACK_MS": "how far a reader looks back",
  "packages/desk/settle-orders.ts FEW": "requests of one run; the next run looks again",
  "packages/desk/stops/watch-stops.ts IDS": "a place in an id",
  "packages/desk/stops/watch-stops.ts MOST_WRITES": "requests of one look; the next run looks again",
  "packages/trading/arming.ts AHEAD_MS": "how far two clocks may differ",
  "packages/trading/arming.ts LONGEST_MS": "nobody may arm for longer, whatever a policy says",
  "packages/trading/orders/resolve.ts GRACE_MS": "the venue's: a model check holds it against the other three",
  "packages/trading/orders/resolve.ts LOOKS_NEEDED": "as GRACE_MS",
  "packages/trading/orders/resolve.ts LOOK_SPACING_MS": "as GRACE_MS",
  "packages/trading/orders/settle.ts FORGOTTEN_MS": "the venue's: it keeps canceled orders for two hours",
  "packages/trading/orders/submission.ts DEADLINE_MS": "as GRACE_MS",
  "packages/trading/plans/policy.ts SWEEP_SECONDS": "the schedule's own",
  "packages/trading/positions/comparison.ts SNAPSHOT_MS": "the venue's: nearer reads are one",
  "packages/trading/positions/reconcile.ts DRAWDOWN_MINUTES": "how often a figure is measured",
  "packages/trading/positions/reconcile.ts FIRST_LOOK_BACK_MS": "how far back fills are asked for",
  "packages/trading/positions/reconcile.ts OVERLAP_MS": "how far back fills are asked for",
  "packages/trading/protection/protection.ts LOOKED_BACK_MS": "how far a reader looks back",
  "packages/trading/store.ts REPEAT_MS": "how far a reader looks back",
};

test("a limit is in the policy: a number that the code of trading names is known with its reason, and a plant is found", () => {
  expect(limitsInCode(ROOT)).toEqual(Object.keys(NUMBERS).toSorted());
  const planted = {
    "packages/trading/orders/patience.ts": "export const PATIENCE_MS = 15 * 60_000;\n",
    "packages/desk/burst.ts":
      'const HOUR_MS = 3_600_000;\nconst BURST: number = 5;\nconst usual = 3;\nconst NAME = "5";\n',
    "packages/desk/burst.test.ts": "const OWN_MS = 5;\n",
    "packages/chain/depth.ts": "const DEPTH = 64;\n",
  };
  expect(limitsInCode(project("limits", planted))).toEqual([
    "packages/desk/burst.ts BURST",
    "packages/trading/orders/patience.ts PATIENCE_MS",
  ]);
});
