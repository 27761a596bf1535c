/** Commands told something that they cannot do, as processes of their own: a sentence, what to do, an exit code, no stack. */
import { expect, test } from "vitest";
import { runToEnd } from "#testing/command";

const blocks = ["--rpc", "http://127.0.0.1:1", "--to", "9", "--out", "none"];

test.each<[script: string, args: string[], code: number, text: RegExp]>([
  ["check.ts", ["--foo"], 2, /^Unknown option '--foo'\nSee: npm run check -- --help\n$/],
  ["check.ts", ["tests"], 2, /tests.*\nSee: npm run check -- --help\n$/s],
  ["bundle.ts", ["--foo"], 2, /^Unknown option '--foo'\nSee: npm run bundle -- --help\n$/],
  ["bundle.ts", ["watch-head", "nobody"], 2, /^no function is called nobody; there are .*watch-head.*\nSee: /],
  [
    "live.ts",
    ["--watchlist", "missing"],
    2,
    /^--watchlist: missing cannot be read: there is no such file\. Give the path of a file\nSee: npm run live -- --help\n$/,
  ],
  ["live.ts", ["--labels", "docs"], 2, /^--labels: docs cannot be read: it is a folder\. Give the path of a file\n/],
  ["live.ts", ["--chain-id", "0x2105"], 2, /^--chain-id takes a whole number, not "0x2105"; write 8453\n/],
  ["live.ts", ["--port", "-1"], 2, /^--port takes a whole number, not "-1"\n/],
  [
    "record.ts",
    [...blocks, "--from", "-5"],
    2,
    /^--from takes a whole number, not "-5"\nSee: npm run record -- --help\n$/,
  ],
  ["record.ts", [...blocks, "--from"], 2, /^--from needs a value\n/],
  ["record.ts", [...blocks, "--from", "--fresh"], 2, /^--from needs a value\n/],
  ["record.ts", [...blocks, "--from", "1", "--fresh=yes"], 2, /^--fresh takes no value\n/],
  [
    "record.ts",
    [...blocks, "--from", "1", "--watchlist", "missing"],
    2,
    /^--watchlist: missing cannot be read: there is/,
  ],
  [
    "cost.ts",
    ["--measures", "README.md"],
    2,
    /^--measures: README\.md holds no measures\. Give a file that `npm run cost -- .* --save FILE` wrote\nSee: /,
  ],
  [
    "cost.ts",
    ["--measures", "package.json"],
    2,
    /^--measures: package\.json holds no measures\. .* \(recording: .*\)\n/,
  ],
  ["operate/audit.ts", [], 2, /^say verify or head\nSee: npm run audit -- --help\n$/],
  ["operate/audit.ts", ["check"], 2, /^there is verify and head, not check\n/],
  ["operate/audit.ts", ["verify", "--head", "missing"], 2, /^--head: missing cannot be read: there is no such file/],
  ["operate/audit.ts", ["verify", "--head", "README.md"], 1, /^RecordFileError: README\.md, line 1: this is no head/],
  ["operate/audit.ts", ["verify", "--directory", "missing"], 1, /^NoDeskError: .*missing holds no database of a desk/],
  ["cost.ts", ["--measures", "missing"], 2, /^--measures: missing cannot be read: there is no such file/],
])("%s %j", async (script, args, code, text) => {
  const run = await runToEnd(script, args);
  expect(run.text).toMatch(text);
  expect(run.text).not.toMatch(/^\s+at /m);
  expect(run.code).toBe(code);
});
