/** What every npm script runs first, in a copy of the project without an installation. */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runToEnd, scriptOf } from "#testing/command";

const ROOT = join(import.meta.dirname, "..");
const FILES = ["package.json", "package-lock.json", "scripts/launch.mjs", "scripts/help.json"];
const kept = JSON.parse(readFileSync(join(ROOT, "scripts/help.json"), "utf8")) as Record<string, string>;
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };
const commands = Object.keys(scripts).filter((name) => name !== "postinstall");

let clone: string;
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), "launch-"));
  mkdirSync(join(clone, "scripts"));
  for (const file of FILES) copyFileSync(join(ROOT, file), join(clone, file));
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

const launch = (args: readonly string[]) =>
  spawnSync(process.execPath, [join(clone, "scripts/launch.mjs"), ...args], { encoding: "utf8", cwd: clone });

test("--help of every command is printed without an installation", () => {
  expect(Object.keys(kept).sort()).toEqual(commands.toSorted());
  for (const command of commands) {
    for (const flag of ["--help", "-h"])
      expect(launch([command, flag])).toMatchObject({ status: 0, stderr: "", stdout: kept[command] });
    expect(kept[command]).toMatch(/^Usage: npm /m);
  }
  expect(readdirSync(clone).toSorted()).toEqual(["package-lock.json", "package.json", "scripts"]);
  expect(launch(["nothing", "--help"])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/no command nothing/),
  });
});

test("an option that a command has not is refused without an installation", () => {
  for (const command of commands.filter((name) => name !== "test"))
    expect(launch([command, "--foo"]), command).toMatchObject({
      ...{ status: 2, stdout: "" },
      stderr: expect.stringMatching(/^Unknown option '--foo'\nSee: npm (run )?\S+ -- --help\n$/),
    });
  expect(launch(["halt", "--venu=x"])).toMatchObject({ status: 2, stderr: expect.stringMatching(/'--venu'/) });
  expect(readdirSync(clone).toSorted()).toEqual(["package-lock.json", "package.json", "scripts"]);
});

test("without --help it installs first", () => {
  // npm is told by npm_execpath: one that only leaves a note.
  writeFileSync(
    join(clone, "npm.mjs"),
    'import { writeFileSync } from "node:fs"; writeFileSync("asked", process.argv.join(" ")); process.exit(1);',
  );
  const env = { ...process.env, npm_execpath: join(clone, "npm.mjs") };
  const run = spawnSync(process.execPath, [join(clone, "scripts/launch.mjs"), "status"], {
    encoding: "utf8",
    cwd: clone,
    env,
  });
  expect(run).toMatchObject({ status: 1, stderr: expect.stringMatching(/installing what the desk needs to run/) });
  expect(existsSync(join(clone, "asked"))).toBe(true);
});

test("the kept help is what each command says of itself (SAVE=1 writes it)", async () => {
  const said: Record<string, string> = { test: kept.test ?? "" };
  for (const command of commands.filter((name) => name !== "test")) {
    const { code, text } = await runToEnd(scriptOf(command), ["--help"]);
    expect(code).toBe(0);
    said[command] = text;
  }
  if (process.env.SAVE) writeFileSync(join(ROOT, "scripts/help.json"), `${JSON.stringify(said, null, 2)}\n`);
  else expect(kept).toEqual(said);
}, 300_000); // forty commands are started, one after the other
