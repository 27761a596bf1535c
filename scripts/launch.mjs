// The first thing every npm script runs, under whatever Node npm has: built-in modules only.
// It installs from the lockfile where that is due, finds a Node that can run the project, and starts the command in it.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "node_modules", ".spyhop-install");
const lock = join(root, ".spyhop-installing");
const [command, ...args] = process.argv.slice(2);
const LEAST = [22, 18]; // runs TypeScript as it is

// What runs on a laptop needs no test runner and no deployment tools: those are dev dependencies, most of the download.
const OPERATE = ["status", "explain", "halt", "reduce", "resume", "judge", "redrive", "exchange", "arm", "disarm"];
const RUNTIME_ONLY = ["start", "live", "record", "venue", "migrate", ...OPERATE, "audit", "cost"];

// A desk holds PostgreSQL as WebAssembly. V8's optimizing compiler takes 600 MB for one function of it, the parser, and gains 5 % of
// a whole replay; so baseline code does (docs/decisions/0010-embedded-postgres.md).
const DESK = ["--liftoff-only", "--max-semi-space-size=8", "--import", "./packages/local/one-venue.ts"];

const commands = {
  start: [[...DESK, "scripts/start.ts"]],
  live: [[...DESK, "scripts/live.ts"]],
  record: [["scripts/record.ts"]],
  "make-sample": [["scripts/make-sample.ts"]],
  migrate: [["scripts/migrate.ts"]],
  status: [["scripts/operate/status.ts"]],
  explain: [["scripts/operate/explain.ts"]],
  halt: [["scripts/operate/halt.ts"]],
  reduce: [["scripts/operate/reduce.ts"]],
  resume: [["scripts/operate/resume.ts"]],
  judge: [["scripts/operate/judge.ts"]],
  redrive: [["scripts/operate/redrive.ts"]],
  exchange: [["scripts/operate/exchange.ts"]],
  arm: [["scripts/operate/arm.ts"]],
  disarm: [["scripts/operate/disarm.ts"]],
  audit: [["scripts/operate/audit.ts"]],
  venue: [["scripts/venue.ts"]],
  policy: [["scripts/policy.ts"]],
  cost: [["scripts/cost.ts"]],
  bundle: [["scripts/bundle.ts"]],
  openapi: [["scripts/openapi.ts"]],
  deploy: [["scripts/deploy.ts"]],
  diff: [["scripts/diff.ts"]],
  remove: [["scripts/remove.ts"]],
  watch: [["scripts/watch.ts"]],
  "equal-stacks": [["scripts/equal-stacks.ts"]],
  bench: [[...DESK, "scripts/bench.ts"]],
  "e2e:bundles": [["scripts/e2e-bundles.ts"]],
  "e2e:releases": [["scripts/e2e-releases.ts"]],
  "cloud-up": [["scripts/cloud-up.ts"]],
  test: [["node_modules/vitest/vitest.mjs", "run"]],
  check: [["scripts/check.ts"]],
  fuzz: [["scripts/fuzz.ts"]],
  proof: [["scripts/proof.ts"]],
  torture: [["scripts/torture.ts"]],
  drill: [[...DESK, "scripts/drill.ts"]],
  "drill:backup": [[...DESK, "scripts/drill-backup.ts"]],
  "e2e:cloud": [[...DESK, "scripts/e2e-cloud.ts"]],
};

function fail(message) {
  console.error(`spyhop: ${message}`);
  process.exit(1);
}

/** Says who installs, by process id, or null when nobody does or the one who did is gone. */
function installer() {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    if (pid > 0) process.kill(pid, 0); // signal 0 asks whether it lives
    return pid;
  } catch (error) {
    if (error.code === "ENOENT") return null;
    if (error.code !== "ESRCH") throw error;
    rmSync(lock, { force: true });
    return null;
  }
}

/** Two commands started at once would empty node_modules under each other: the second waits for the first. */
function takeLock() {
  for (let said = false; ; said = true) {
    try {
      return writeFileSync(lock, String(process.pid), { flag: "wx" });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const pid = installer();
    if (pid !== null && !said) console.error(`spyhop: process ${pid} is installing; waiting for it ...`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  }
}

function installed(wanted) {
  if (!existsSync(stamp)) return false;
  const [hash, extent] = readFileSync(stamp, "utf8").split(" ");
  return hash === wanted && (extent === "all" || RUNTIME_ONLY.includes(command));
}

function lockfileHash() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

function install() {
  const wanted = lockfileHash();
  if (installed(wanted)) return;
  takeLock();
  try {
    if (!installed(wanted)) npmCi(wanted);
  } finally {
    rmSync(lock, { force: true });
  }
}

function npmCi(wanted) {
  const lean = RUNTIME_ONLY.includes(command);
  const what = lean ? "what the desk needs to run" : "the tools for tests and deployment too";
  console.error(`spyhop: installing ${what}, from package-lock.json (once, a minute or two) ...`);
  rmSync(stamp, { force: true });
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.execPath, [npm]] : ["npm", []];
  const flags = ["--no-audit", "--no-fund", "--loglevel=error", ...(lean ? ["--omit=dev"] : [])];
  const { status, error } = spawnSync(program, [...first, "ci", ...flags], { cwd: root, stdio: ["ignore", 2, 2] });
  if (error || status !== 0) {
    rmSync(lock, { force: true });
    fail("npm ci failed; see above. Check the network and the disk's free space, and run the command again.");
  }
  if (!installed(wanted)) writeStamp(wanted, lean); // npm's own hook did, unless its scripts are off
}

function writeStamp(wanted, lean) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, `${wanted} ${lean ? "run" : "all"}`);
}

function recent(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
}

function node() {
  const packaged = join(root, "node_modules", `node-linux-${process.arch}`, "bin", "node");
  if (existsSync(packaged)) return packaged;
  if (recent(process.versions.node)) return process.execPath;
  return fail(
    `this machine's Node is ${process.versions.node}; install Node 24 (see .nvmrc) and run the command again.`,
  );
}

if (command === "installed") {
  // npm's postinstall hook: a plain `npm ci` counts as an installation too.
  writeStamp(lockfileHash(), (process.env.npm_config_omit ?? "").includes("dev"));
  process.exit(0);
}
/** What a command's --help prints, as scripts/help.json keeps it: nothing need be installed to read it. */
function help() {
  const kept = JSON.parse(readFileSync(join(root, "scripts", "help.json"), "utf8"));
  return kept[command] ?? fail(`no help is kept for ${command}`);
}

const steps = commands[command];
if (!steps) fail(`no command ${command ?? ""}; there are ${Object.keys(commands).join(", ")}`);
if (Number(process.versions.node.split(".")[0]) < 20)
  fail(`Node ${process.versions.node} is too old; install Node 20 or newer.`);
const asksHelp = args.some((arg) => arg === "--help" || arg === "-h");
if (asksHelp && !installed(lockfileHash())) {
  process.stdout.write(help());
  process.exit(0);
}

/** Returns the first option that a command's kept help has not, in the words in which the command itself refuses it; or null. */
function unknownOption() {
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const known = [...help().matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, name]) => name);
  return own.map((arg) => arg.split("=")[0]).find((arg) => arg.startsWith("--") && !known.includes(arg)) ?? null;
}

// Tests take vitest's own options too.
if (command !== "test" && !installed(lockfileHash()) && unknownOption() !== null) {
  console.error(`Unknown option '${unknownOption()}'\nSee: npm run ${command} -- --help`);
  process.exit(2);
}
install();

/** Runs a script, with flags of Node's before it, in the found Node to its end. Returns its exit code. */
function run(step) {
  const child = spawn(node(), ["--disable-warning=ExperimentalWarning", ...step, ...args], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: `${dirname(node())}:${join(root, "node_modules", ".bin")}:${process.env.PATH ?? ""}`,
    },
  });
  // A terminal's Ctrl-C reaches the command too, which ends whole and in its own time: the prompt must not come before.
  const wait = () => undefined;
  const forward = (signal) => child.kill(signal);
  process.on("SIGINT", wait).on("SIGTERM", forward);
  return new Promise((resolve) => {
    child.on("error", (error) => fail(`${node()} does not start: ${error.message}`));
    child.on("exit", (code) => {
      process.off("SIGINT", wait).off("SIGTERM", forward);
      resolve(code ?? 130);
    });
  });
}

for (const step of steps) {
  const code = await run(step);
  if (code !== 0) process.exit(code);
}
