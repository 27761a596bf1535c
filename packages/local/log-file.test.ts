import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { logFile } from "./log-file.ts";

let root: string;
let path: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "log-"));
  path = join(root, "log.ndjson");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const say = (message: string) => ({ level: "info", message }) as const;
const full = (): void => {
  writeFileSync(path, "");
  truncateSync(path, 16 * 1024 * 1024);
};

test("a full log is put aside before the next line, and the four newest are kept", async () => {
  for (let turn = 1; turn <= 6; turn += 1) {
    full();
    const log = logFile(path, "append");
    log.write(say(`turn ${turn}`));
    log.write(say("more"));
    await log.close();
    expect(readFileSync(path, "utf8").split("\n")).toHaveLength(3);
    expect(readFileSync(path, "utf8")).toContain(`"turn ${turn}"`);
    expect(statSync(join(root, "log.1.ndjson")).size).toBe(16 * 1024 * 1024);
  }
  expect(readdirSync(root).toSorted()).toEqual([
    "log.1.ndjson",
    "log.2.ndjson",
    "log.3.ndjson",
    "log.4.ndjson",
    "log.ndjson",
  ]);
});

test("one that fills while it is open is put aside whole, and no line is lost or cut", async () => {
  const log = logFile(path);
  const long = "x".repeat(1024 * 1024);
  for (let n = 0; n < 40; n += 1) log.write(say(`${n} ${long}`));
  await log.close();
  const files = ["log.2.ndjson", "log.1.ndjson", "log.ndjson"];
  const lines = files.flatMap((name) => readFileSync(join(root, name), "utf8").trimEnd().split("\n"));
  expect(lines.map((line) => Number(JSON.parse(line).message.split(" ")[0]))).toEqual([...Array(40).keys()]);
  const again = logFile(path, "replace");
  await again.close();
  expect(readdirSync(root)).toEqual(["log.ndjson"]);
});
