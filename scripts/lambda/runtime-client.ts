import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { readEnv } from "#runtime/config";

// Not in package.json: its install script compiles curl and a native module, for minutes and with tools that few have.
const NAME = "aws-lambda-ric";
const VERSION = "4.0.2";
const TOOLS = ["cmake", "g++", "make", "autoconf", "automake", "libtoolize", "python3", "xz"];
const DEBIAN = "cmake g++ make autoconf automake libtool python3 xz-utils";

/** AWS's runtime client for Node, or why this machine has none. */
export type RuntimeClient = { readonly entry: string } | { readonly missing: string };

const major = (): string => process.version.split(".")[0] ?? "";

/** Where the client is kept over installations of the project: one folder a version of it, of Node and of the machine. */
const cacheFolder = (): string =>
  join(
    readEnv("XDG_CACHE_HOME") ?? join(homedir(), ".cache"),
    "spyhop",
    `${NAME}-${VERSION}-node${major()}-${process.platform}-${process.arch}`,
  );

const entryIn = (folder: string): string => join(folder, "node_modules", NAME, "index.mjs");
const nativeIn = (folder: string): string => join(folder, "node_modules", NAME, "rapid-client.node");

const found = (program: string): boolean =>
  (readEnv("PATH") ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));

/**
 * Returns the runtime client that Lambda's own Node runtime is built on, in the version that is pinned here. The first
 * call on a machine installs it from the registry and compiles it, which takes some minutes; `say` reports it.
 */
export async function runtimeClient(say: (line: string) => void): Promise<RuntimeClient> {
  const folder = cacheFolder();
  if (existsSync(nativeIn(folder))) return { entry: entryIn(folder) };
  if (process.platform !== "linux") return { missing: `${NAME} builds on Linux only` };
  const lacking = TOOLS.filter((tool) => !found(tool));
  if (lacking.length > 0)
    return {
      missing: `${NAME} must be compiled, and ${lacking.join(", ")} is missing (Debian: apt install ${DEBIAN})`,
    };
  say(`installing ${NAME} ${VERSION} into ${folder} and compiling it (once, some minutes) ...`);
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}.`);
  const problem = await install(draft);
  if (problem !== null) {
    await rm(draft, { recursive: true, force: true });
    return { missing: `${NAME} ${VERSION} could not be installed:\n${problem}` };
  }
  // Whole or not at all, and the first of two that install at once wins.
  await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    await rm(draft, { recursive: true, force: true });
  });
  return { entry: entryIn(folder) };
}

/** Installs into `folder` and returns null, or the end of what npm said. */
async function install(folder: string): Promise<string | null> {
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: { [NAME]: VERSION } }));
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts=false", "--loglevel=error", "--foreground-scripts"];
  // --prefix: npm's own variables name this project's folder. The PATH has this Node first (scripts/launch.mjs).
  const { status, stdout, stderr, error } = spawnSync("npm", ["install", "--prefix", folder, ...flags], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) return error.message;
  if (status !== 0 || !existsSync(nativeIn(folder))) return `${stdout}${stderr}`.trim().slice(-2000);
  const { version } = JSON.parse(await readFile(join(folder, "node_modules", NAME, "package.json"), "utf8")) as {
    version: string;
  };
  return version === VERSION ? null : `the registry gave version ${version}`;
}
