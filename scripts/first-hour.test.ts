/** The commands of docs/first-hour.md that need no network, as they are written there, in a folder of the test's own. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { readEnv } from "#runtime/config";
import { type Running, runToEnd, scriptOf, startCommand } from "#testing/command";

const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "first-hour-"));
let running: Running | null = null;
afterEach(async () => {
  running?.child.kill("SIGKILL");
  await running?.ended;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = readFileSync(join(ROOT, "docs/first-hour.md"), "utf8");
/** Every line of the blocks that say nothing of a network, with the test's folder in place of first-hour. */
const lines = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
  .flatMap(([, block = ""]) => block.trim().split("\n"))
  .map((line) => line.replaceAll("first-hour", folder));

/** Returns a line's script and arguments, as the launcher would start it. */
function commandIn(line: string): readonly [script: string, args: readonly string[]] {
  const [, name = "", rest = ""] = /^npm (?:run )?(\S+) -- (.+)$/.exec(line) ?? [];
  return [scriptOf(name), rest.split(" ")];
}

// Two minutes, so that npm test stays bearable: `.ci/run long` asks for it.
const asked = test.skipIf(readEnv("TEST_FIRST_HOUR") === null);

asked(
  "from the sample's wallets to a report, a live desk, its status and its records (TEST_FIRST_HOUR)",
  async () => {
    expect(lines).toHaveLength(6);
    const [make = "", take = "", replay = "", live = "", ...looks] = lines;
    for (const line of [make, take]) expect(spawnSync("sh", ["-c", line], { cwd: ROOT }).status).toBe(0);
    const run = await runToEnd(...commandIn(replay));
    expect(run.code, run.text).toBe(0);
    expect(run.text).toMatch(/1788 blocks, 2 watched wallets/);
    expect(existsSync(join(folder, "replay/sample/report.md"))).toBe(true);

    const [script, args] = commandIn(live);
    running = startCommand(script, [...args, "--port", "0"]);
    await running.wrote(/block \d+ {2}\d+ \w+ behind {2}/);
    expect(running.text()).toMatch(/following 2 wallets/);
    running.child.kill("SIGINT");
    expect(await running.ended, running.text()).toBe(0);
    for (const line of looks) {
      const look = await runToEnd(...commandIn(line));
      expect(look.code, look.text).toBe(0);
      expect(look.text).toMatch(/nothing needs a person|compared with 1 head kept elsewhere: nothing cut off/);
    }
  },
  1_800_000,
);
