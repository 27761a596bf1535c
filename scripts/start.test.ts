/** `npm start` met by bad input, as a process of its own: a clear error, an exit code, nothing half-written. */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { listen } from "#host/http";
import { writeRecording } from "#recording/writer";
import { tinyContent } from "#testing/chain/tiny-recording";
import { holdingAt, type Running, runToEnd, startCommand } from "#testing/command";

let root: string;
let recording: string;
const started: Running[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "start-"));
  recording = join(root, "tiny");
  await writeRecording(recording, tinyContent(10));
});
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Starts a run; one that is given a line holds still after it, until `release`. */
function begin(data: string, at: RegExp | null): Running & { readonly release: () => void } {
  const args = ["--recording", recording, "--data", join(root, data), "--once"];
  const file = join(root, `release-${randomUUID()}`);
  const running = startCommand("start.ts", args, at === null ? {} : { NODE_OPTIONS: holdingAt(at, file) });
  started.push(running);
  return { ...running, release: () => writeFileSync(file, "") };
}

/** A named error for a person: what is wrong, what to do, and no stack. */
async function expectRefusal(args: readonly string[], text: RegExp, code = 1): Promise<void> {
  const run = await runToEnd("start.ts", args);
  expect(run.text).toMatch(text);
  expect(run.text).not.toMatch(/^\s+at /m);
  expect(run.code).toBe(code);
}

test("a wrong path, a truncated file, a taken port, a folder that cannot be: each is named with what to do", async () => {
  const data = join(root, "refused");
  await expectRefusal(
    ["--recording", join(root, "nowhere"), "--data", data],
    /RecordingError: .*nowhere.*is no recording\. Give the folder of a recording/,
  );
  await expectRefusal(["--orders", "some", "--data", data], /--orders takes a whole number or all, not "some"/, 2);
  const cut = join(root, "cut");
  cpSync(recording, cut, { recursive: true });
  truncateSync(join(cut, "blocks/100-109.ndjson.gz"), 700);
  await expectRefusal(
    ["--recording", cut, "--data", data],
    /RecordingError: blocks\/100-109\.ndjson\.gz: .*Copy or make the recording again/,
  );
  const taken = await listen(() => undefined);
  await expectRefusal(
    ["--recording", recording, "--data", data, "--port", String(taken.port)],
    /port \d+ is taken; stop the program that uses it or choose another with --port/,
  );
  await taken.close();
  const file = join(root, "file");
  writeFileSync(file, "");
  await expectRefusal(
    ["--recording", recording, "--once", "--data", join(file, "data")],
    /ENOTDIR.*\nPart of that path is a file\. Give the path of a folder/,
  );
  await expectRefusal(["--recording", recording, "--once", "--data", file], /EEXIST.*\nThere is a file of that name/);
  await expectRefusal(["--recording", recording, "--dta", data], /Unknown option '--dta'\nSee: npm start -- --help/, 2);
  expect(existsSync(join(data, "tiny", "db"))).toBe(false);
});

test("a folder without write permission is refused", async ({ skip }) => {
  const closed = join(root, "closed");
  mkdirSync(closed, { mode: 0o555 });
  // Root may write anywhere, so the command runs as nobody, where that user can read the project.
  const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const script = join(import.meta.dirname, "start.ts");
  const args = [
    "--disable-warning=ExperimentalWarning",
    script,
    "--recording",
    recording,
    "--once",
    "--data",
    join(closed, "data"),
  ];
  spawnSync("chmod", ["-R", "a+rX", root]);
  if (spawnSync(process.execPath, [script, "--help"], asNobody).status !== 0)
    skip("the project is not readable by another user");
  const run = spawnSync(process.execPath, args, { ...asNobody, encoding: "utf8" });
  expect(run.stderr).toMatch(/EACCES.*\nAccess was denied\. Give a folder that you may write to/);
  expect(run.status).toBe(1);
});

test("a folder that the system never makes ends with its name, and so does a disk that is only read", async ({
  skip,
}) => {
  await expectRefusal(
    ["--recording", recording, "--once", "--data", "/proc/x"],
    /^ENOENT: .*'\/proc\/x'\nThere is no such file or folder\. Give a path that exists\.\n$/,
  );
  const mount = join(root, "read-only");
  mkdirSync(join(mount, "data"), { recursive: true });
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", mount]).status !== 0)
    skip("this user may not mount a disk");
  try {
    mkdirSync(join(mount, "data"));
    spawnSync("mount", ["-o", "remount,ro", mount]);
    for (const data of ["data", "new"])
      await expectRefusal(
        ["--recording", recording, "--once", "--data", join(mount, data)],
        /EROFS: .*\nThat folder cannot be written to\. Give another one\.\n$/,
      );
  } finally {
    spawnSync("umount", ["-l", mount]);
  }
});

/** Returns the processes that a process started and that live. Source: proc(5), /proc/pid/task/tid/children. */
function childrenOf(pid: number | undefined): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number) : [];
}

/** A killed process whose parent has not asked for its end is there in name only. */
const lives = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

test("kill -9 in a first start leaves no process that makes the database", async ({ skip }) => {
  if (!existsSync("/proc/self/task")) skip("this system does not tell a process's children");
  for (const wait of [0, 300, 1500]) {
    const first = begin(`killed-${wait}`, null);
    const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8");
    const maker = await vi.waitUntil(
      () => childrenOf(first.child.pid).find((pid) => lives(pid) && commandOf(pid).includes("new-cluster")),
      { timeout: 30_000, interval: 20 },
    );
    await pause(wait);
    expect(lives(maker)).toBe(true);
    first.child.kill("SIGKILL");
    expect(await first.ended).toBe("SIGKILL");
    await vi.waitUntil(() => !lives(maker), { timeout: 10_000, interval: 50 });
  }
  const next = begin("killed-1500", null);
  await next.wrote(/^outcomes/m);
}, 120_000);

test("two at once, kill -9 and Ctrl-C: the second is refused, and the next start is clean", async () => {
  const first = begin("kept", /^blocks/);
  await first.wrote(/^blocks/m);
  const second = begin("kept", null);
  expect(await second.ended, second.text()).toBe(1);
  expect(second.text()).toMatch(
    /FolderInUseError: .*is in use by process \d+ since .*\. Stop it first, or name another folder/,
  );
  first.child.kill("SIGKILL");
  expect(await first.ended).toBe("SIGKILL");
  // What the killed one left, damaged too: a start never reads it.
  writeFileSync(join(root, "kept", "tiny", "db.next", "PG_VERSION"), "?");

  const third = begin("kept", /^outcomes/);
  await third.wrote(/^outcomes .* 10\/10 blocks/m);
  third.child.kill("SIGINT");
  third.release();
  expect(await third.ended, third.text()).toBe(130);
  expect(third.text()).toContain("stopped: the run is not finished; the next one starts clean");
  expect(existsSync(join(root, "kept", "tiny", "report.md"))).toBe(false);
  expect(existsSync(join(root, "kept", "tiny.lock"))).toBe(false);
});

test("a full disk is said, at the start and in the middle, and a start after it is clean", async ({ skip }) => {
  const mount = join(root, "disk");
  mkdirSync(mount);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", mount]).status !== 0)
    skip("this user may not mount a small disk");
  const full = /DiskFullError: the disk of .* is full \(\d\.\d MiB left\)\. Free some space/;
  try {
    const early = begin("disk/data", null);
    expect(await early.ended, early.text()).toBe(1);
    expect(early.text()).toMatch(full);

    spawnSync("mount", ["-o", "remount,size=70m", mount]);
    const middle = begin("disk/data", /^outcomes/);
    await middle.wrote(/^outcomes/m);
    fill(join(mount, "ballast"));
    middle.release();
    expect(await middle.ended, middle.text()).toBe(1);
    expect(middle.text()).toMatch(full);
    expect(existsSync(join(mount, "data", "tiny", "report.md"))).toBe(false);

    rmSync(join(mount, "ballast"));
    const after = begin("disk/data", /^outcomes/);
    await after.wrote(/^outcomes/m);
    after.child.kill("SIGINT");
    after.release();
    expect(await after.ended, after.text()).toBe(130);
  } finally {
    for (const { child, ended } of started.splice(0)) {
      child.kill("SIGKILL");
      await ended;
    }
    spawnSync("umount", ["-l", mount]);
  }
});

/** Writes until there is no room for another page. */
function fill(file: string): void {
  const page = Buffer.alloc(4096);
  try {
    for (;;) appendFileSync(file, page);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}
