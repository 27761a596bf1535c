// The first thing every npm script runs, under whatever Node npm has: built-in modules only.
// It installs from the lockfile where that is due, finds a Node that can run the project, and starts the command in it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "node_modules", ".spyhop-install");
const [command, ...args] = process.argv.slice(2);
const LEAST = [22, 18]; // runs TypeScript as it is

const commands = {
  start: [["scripts/start.ts"]],
  live: [["scripts/live.ts"]],
  record: [["scripts/record.ts"]],
  "make-sample": [["scripts/make-sample.ts"]],
  migrate: [["scripts/migrate.ts"]],
  test: [["node_modules/vitest/vitest.mjs", "run"]],
  check: [["scripts/check.ts"]],
};

function fail(message) {
  console.error(`spyhop: ${message}`);
  process.exit(1);
}

function install() {
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.error("spyhop: installing dependencies from package-lock.json (once, about a minute) ...");
  rmSync(stamp, { force: true });
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.execPath, [npm]] : ["npm", []];
  const { status, error } = spawnSync(program, [...first, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (error || status !== 0) fail("npm ci failed; see above. Check the network and run the command again.");
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
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

const steps = commands[command];
if (!steps) fail(`no command ${command ?? ""}; there are ${Object.keys(commands).join(", ")}`);
if (Number(process.versions.node.split(".")[0]) < 20)
  fail(`Node ${process.versions.node} is too old; install Node 20 or newer.`);
install();
for (const [script, ...fixed] of steps) {
  const { status, signal } = spawnSync(
    node(),
    ["--disable-warning=ExperimentalWarning", join(root, script), ...fixed, ...args],
    {
      cwd: root,
      stdio: "inherit",
      env: {
        ...process.env,
        PATH: `${dirname(node())}:${join(root, "node_modules", ".bin")}:${process.env.PATH ?? ""}`,
      },
    },
  );
  if (signal) process.exit(130);
  if (status !== 0) process.exit(status ?? 1);
}
