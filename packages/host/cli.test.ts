import { join } from "node:path";
import { expect, test } from "vitest";
import { RecordingError } from "#recording/error";
import { startProgram } from "#testing/command";
import {
  type Arguments,
  type Command,
  exitCodeOf,
  helpOf,
  InterruptedError,
  messageOf,
  readArguments,
  UsageError,
} from "./cli.ts";

const command: Command = {
  usage: "npm run try --",
  summary: "Tries.",
  options: {
    from: { value: "N", says: "first", required: true },
    to: { value: "N", says: "last", default: "9" },
    rpc: { value: "URL", says: "where", many: true },
    once: { says: "only once" },
  },
  notes: ["See docs."],
};

async function run(argv: readonly string[], main: (given: Arguments) => Promise<void>, aborted = false) {
  const out: string[] = [];
  const err: string[] = [];
  const signal = aborted ? AbortSignal.abort() : new AbortController().signal;
  const code = await exitCodeOf(command, argv, main, signal, {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
  });
  return { code, out: out.join(""), err: err.join("") };
}
const nothing = async () => undefined;

test("options are read by their kind", () => {
  const given = readArguments(command, ["--from", "7", "--rpc", "a,b", "--rpc", "c", "--once"]);
  expect([given.count("from"), given.text("to"), given.flag("once")]).toEqual([7, "9", true]);
  expect(given.texts("rpc")).toEqual(["a", "b", "c"]);
  expect(() => readArguments(command, ["--from", "x"]).count("from")).toThrow("--from takes a whole number");
  expect(() => given.text("missing")).toThrow(RangeError);
});

test("help names every option and does nothing", async () => {
  const { code, out } = await run(["--help", "--wrong"], () => Promise.reject(new Error("ran")));
  expect(code).toBe(0);
  expect(out).toContain("Usage: npm run try -- [options]");
  expect(out).toMatch(/--from N +first \(required\)/);
  expect(out).toMatch(/--to N +last \(default 9\)/);
  expect(out).toContain("See docs.");
});

test("help shows no path of this machine", () => {
  const list = { value: "FILE", says: "whom to watch", default: join(process.cwd(), "starter", "watchlist.csv") };
  const help = helpOf({ ...command, options: { list } });
  expect(help).toContain("(default starter/watchlist.csv)");
  expect(help).not.toContain(process.cwd());
});

test.each([
  [["--form", "1"], "Unknown option '--form'"],
  [["--from"], "--from"],
  [[], "--from is missing"],
  [["--from", "1", "more"], "more"],
])("%j is wrong usage: code 2 and where to look", async (argv, message) => {
  const { code, err } = await run(argv, nothing);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(err).toContain("See: npm run try -- --help");
});

test("a named error is its message, anything else shows its stack: code 1", async () => {
  const named = await run(["--from", "1"], () => Promise.reject(new RecordingError("x.gz", "is cut", "Copy it")));
  expect(named).toMatchObject({ code: 1, err: "RecordingError: x.gz: is cut. Copy it\n" });
  const bug = await run(["--from", "1"], () => Promise.reject(new TypeError("undefined is no function")));
  expect(bug.code).toBe(1);
  expect(bug.err).toContain("cli.test.ts");
  expect(await run(["--from", "1"], () => Promise.reject(new UsageError("no")))).toMatchObject({ code: 2 });
});

test("errors of the operating system say what to do", () => {
  const full = Object.assign(new Error("write failed"), { code: "ENOSPC" });
  expect(messageOf(full)).toContain("The disk is full");
  const taken = Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE" });
  expect(messageOf(taken)).toContain("The port is taken");
});

test("an interrupted command ends with 130, whatever it threw", async () => {
  const told = await run(["--from", "1"], () => Promise.reject(new InterruptedError("half is kept")), true);
  expect(told).toMatchObject({ code: 130, err: "\nstopped: half is kept\n" });
  expect(await run(["--from", "1"], () => Promise.reject(new Error("closed")), true)).toMatchObject({ code: 130 });
});

test("a command that waits for Ctrl-C stays, with nothing else that keeps it, and then ends with 0", async () => {
  const program = `import { runCommand, untilAborted } from "#host/cli";
    await runCommand({ usage: "npm run wait --", summary: "Waits.", options: {} }, async (given, signal) => {
      process.stdout.write("up\\n");
      await untilAborted(signal);
      process.stdout.write("down\\n");
    });`;
  const running = startProgram(["--input-type=module", "--eval", program]);
  await running.wrote(/up/);
  await new Promise((done) => setTimeout(done, 1000)); // a process that nothing keeps ends at once, with 13
  expect(running.child.exitCode).toBeNull();
  running.child.kill("SIGINT");
  expect(await running.ended).toBe(0);
  expect(running.text()).toBe("up\ndown\n");
});
