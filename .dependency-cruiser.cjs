/** The house's dependency rules. Data flows left to right; a core package may import only those to its left. */
const flow = ["units", "chain", "scoring", "analysis", "bias", "trading", "reporting"];
const core = `^packages/(${flow.join("|")})/`;
const tests = "\\.test\\.ts$";
// The rooms of a laptop, in their own order: each may import only those to its left.
const laptop = ["host", "recording", "doubles", "local", "replay"];
const machine = [...laptop, "operations", "backtest", "testing"].join("|");
// The use cases that follow the chain. Every other file of desk trades.
const chainDesk = "^packages/desk/(follow-head|look-at-head|ingest-block)\\.ts$";
const edge = "^(packages/(runtime|local|replay|operations|testing)|stacks|scripts)/";

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
      comment: "the core imports the core, zod, big.js and (chain) RLP and hashes; no I/O, no AWS, no database",
      severity: "error",
      from: { path: core, pathNot: [tests, "^packages/units/ids\\.ts$"] },
      to: {
        pathNot: [
          core,
          "node_modules/(zod|big\\.js|@types/big\\.js|@ethereumjs/rlp|hash-wasm|@noble/(hashes|secp256k1))/",
        ],
      },
    },
    {
      name: "chain-hashes-with-kept-libraries",
      comment: "RLP, Keccak-256 and signatures of Ethereum: read in chain, and nowhere else",
      severity: "error",
      from: { pathNot: "^packages/chain/" },
      to: { path: "node_modules/(@ethereumjs/rlp|hash-wasm|@noble/(hashes|secp256k1))/" },
    },
    {
      name: "hashing-is-in-units",
      comment: "units/ids.ts may use node:crypto, a pure function of its input, and what the core may",
      severity: "error",
      from: { path: "^packages/units/ids\\.ts$" },
      to: { pathNot: [core, "^(node:)?crypto$", "node_modules/zod/"] },
    },
    {
      name: "unchecked-brands-are-for-rows",
      comment: "units/stored.ts brands text without a look: only for what a column's type has checked",
      severity: "error",
      from: { pathNot: ["^packages/(units|db)/"] },
      to: { path: "^packages/units/stored\\.ts$" },
    },
    {
      name: "decimals-are-in-units",
      severity: "error",
      from: { pathNot: "^packages/units/" },
      to: { path: "node_modules/(@types/)?big\\.js/" },
    },
    {
      name: "ethers-is-for-recordings-and-tests",
      severity: "error",
      from: { pathNot: ["^packages/(recording|testing)/", "^scripts/", tests] },
      to: { path: "node_modules/ethers/" },
    },
    {
      name: "vendors-at-the-edge",
      comment: "AWS, middy and ccxt live in runtime, in what runs the desk on a laptop, in stacks and scripts",
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
      name: "handles-open-in-db",
      comment: "whoever has a `Db` has nothing to call: what opens it, and what runs a raw statement on it, is for db",
      severity: "error",
      from: { pathNot: ["^packages/(db|testing)/", "^scripts/", tests] },
      to: { path: "^packages/db/(drizzle|rows|bulk)\\.ts$" },
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
      name: "db-asks-nobody",
      comment: "SQL only: what is asked of the venue or of a node, and when, is a use case's",
      severity: "error",
      from: { path: "^packages/db/", pathNot: tests },
      to: { path: "^packages/(trading/venue|chain/node)\\.ts$" },
    },
    {
      name: "desk-reads-core-and-db",
      comment:
        "a use case is given what it works with (nodes, the venue, sends): it reads the core, db and their ports",
      severity: "error",
      from: { path: "^packages/desk/", pathNot: tests },
      to: { path: "^(packages|functions|stacks|scripts)/", pathNot: [core, "^packages/(db|desk)/"] },
    },
    {
      name: "trading-goes-through-its-store",
      comment: "what trades reads and writes its books through the port in trading/store, so that they can be others",
      severity: "error",
      from: { path: "^packages/desk/", pathNot: [tests, chainDesk] },
      to: { path: "^packages/db/" },
    },
    {
      name: "trading-jobs-are-given-their-books",
      comment: "the books of trading come with the context of a job, so that they can be others",
      severity: "error",
      from: { path: "^functions/(plan-order|submit-order|reconcile-orders)\\.ts$" },
      to: { path: "^packages/db/" },
    },
    {
      name: "the-chain-desk-reads-chain-and-signals",
      severity: "error",
      from: { path: chainDesk },
      to: { path: "^packages/db/", pathNot: "^packages/db/((chain|signals)/|client\\.ts$)" },
    },
    {
      name: "runtime-is-below-the-laptop",
      severity: "error",
      from: { path: "^packages/runtime/", pathNot: tests },
      to: { path: `^(packages/(desk|${machine})|functions|stacks|scripts)/` },
    },
    ...laptop.slice(0, -1).map((name, i) => ({
      name: `laptop:${name}-is-upstream`,
      severity: "error",
      from: { path: `^packages/${name}/`, pathNot: tests },
      to: { path: `^packages/(${laptop.slice(i + 1).join("|")})/` },
    })),
    {
      name: "doubles-speak-protocols",
      comment: "a double is a program of its own behind HTTP: it knows nothing of what asks it",
      severity: "error",
      from: { path: "^packages/doubles/", pathNot: tests },
      to: { path: "^packages/(db|desk|runtime|topology)/" },
    },
    {
      name: "operations-run-beside-the-desk",
      severity: "error",
      from: { path: "^packages/operations/", pathNot: tests },
      to: { path: "^packages/(doubles|recording|replay|backtest|testing)/" },
    },
    {
      name: "only-live-reads-recordings-and-doubles",
      severity: "error",
      from: { path: "^packages/local/", pathNot: [tests, "^packages/local/live/"] },
      to: { path: "^packages/(doubles|recording)/" },
    },
    {
      name: "backtest-decides-as-the-desk",
      comment: "stored events through the same core, in one process, without queues",
      severity: "error",
      from: { path: "^packages/backtest/", pathNot: tests },
      to: {
        path: "^(packages|functions|stacks|scripts)/",
        pathNot: [core, "^packages/(desk|recording|backtest)/"],
      },
    },
    {
      name: "the-page-reads-contracts",
      severity: "error",
      from: { path: "^web/", pathNot: tests },
      to: { path: "^(packages|functions|stacks|scripts)/", pathNot: "^packages/topology/contracts/" },
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
      comment: "a handler reads the core, db, desk, the topology and the runtime; never the laptop",
      severity: "error",
      from: { path: "^functions/", pathNot: tests },
      to: { path: `^(packages/(${machine})|stacks|scripts)/` },
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
      from: { pathNot: [tests, "^packages/testing/", "^scripts/(bench|e2e-|fuzz|torture)"] },
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
