/** The house's dependency rules. Data flows left to right; a core package may import only those to its left. */
const flow = ["units", "chain", "scoring", "analysis", "bias", "trading", "reporting"];
const core = `^packages/(${flow.join("|")})/`;
const tests = "\\.test\\.ts$";
const edge = "^(packages/(runtime|local|testing)|stacks|scripts)/";

module.exports = {
  forbidden: [
    ...flow.slice(0, -1).map((name, i) => ({
      name: `flow:${name}-is-upstream`,
      severity: "error",
      from: { path: `^packages/${name}/` },
      to: { path: `^packages/(${flow.slice(i + 1).join("|")})/` },
    })),
    {
      name: "core-is-pure",
      comment: "the core imports the core, zod, big.js and (chain) ethers; no I/O, no AWS, no database",
      severity: "error",
      from: { path: core, pathNot: [tests, "^packages/units/ids\\.ts$"] },
      to: { pathNot: [core, "node_modules/(zod|big\\.js|@types/big\\.js|ethers)/"] },
    },
    {
      name: "hashing-is-in-units",
      comment: "units/ids.ts may use node:crypto, a pure function of its input, and nothing else",
      severity: "error",
      from: { path: "^packages/units/ids\\.ts$" },
      to: { pathNot: [core, "^(node:)?crypto$"] },
    },
    {
      name: "decimals-are-in-units",
      severity: "error",
      from: { pathNot: "^packages/units/" },
      to: { path: "node_modules/(@types/)?big\\.js/" },
    },
    {
      name: "ethers-is-in-chain",
      severity: "error",
      from: { pathNot: ["^packages/(chain|local|testing)/", "^scripts/", tests] },
      to: { path: "node_modules/ethers/" },
    },
    {
      name: "vendors-at-the-edge",
      comment: "AWS, middy and ccxt live in runtime, local, stacks and scripts",
      severity: "error",
      from: { pathNot: [edge, tests] },
      to: { path: "node_modules/(@aws-sdk|@aws-lambda-powertools|@middy|@smithy|ccxt)/" },
    },
    {
      name: "sql-in-db",
      severity: "error",
      // The test databases open sessions of their own, to be made and dropped; they hold no query of the desk.
      from: { pathNot: ["^packages/db/", "^packages/testing/(wire-)?database\\.ts$", tests] },
      to: { path: "node_modules/(drizzle-orm|postgres)/", pathNot: "node_modules/postgres-" },
    },
    {
      name: "embedded-database-is-local",
      severity: "error",
      from: { pathNot: ["^packages/(local|testing)/", tests] },
      to: { path: "node_modules/@electric-sql/" },
    },
    {
      name: "topology-reads-core",
      severity: "error",
      from: { path: "^packages/topology/", pathNot: tests },
      to: { path: "^(packages|functions|stacks|scripts)/", pathNot: [core, "^packages/topology/"] },
    },
    {
      name: "db-reads-core",
      severity: "error",
      from: { path: "^packages/db/", pathNot: tests },
      to: { path: "^(packages|functions|stacks|scripts)/", pathNot: [core, "^packages/db/"] },
    },
    {
      name: "runtime-is-below-local",
      severity: "error",
      from: { path: "^packages/runtime/", pathNot: tests },
      to: { path: "^(packages/(local|testing)|functions|stacks|scripts)/" },
    },
    {
      name: "stacks-read-the-topology",
      severity: "error",
      from: { path: "^stacks/", pathNot: tests },
      to: { path: "^(packages|functions)/", pathNot: "^packages/topology/" },
    },
    {
      name: "handlers-never-import-handlers",
      severity: "error",
      from: { path: "^functions/", pathNot: tests },
      to: { path: "^functions/" },
    },
    {
      name: "handlers-are-thin",
      comment: "a handler reads the core, db, the topology and the runtime; never the laptop",
      severity: "error",
      from: { path: "^functions/", pathNot: tests },
      to: { path: "^(packages/(local|testing)|stacks|scripts)/" },
    },
    {
      name: "nothing-imports-handlers",
      severity: "error",
      from: { path: "^(packages|stacks|scripts)/", pathNot: tests },
      to: { path: "^functions/" },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-test-in-production",
      severity: "error",
      from: { pathNot: [tests, "^packages/testing/", "^scripts/(bench|e2e-)"] },
      to: { path: `${tests}|^packages/testing/` },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
