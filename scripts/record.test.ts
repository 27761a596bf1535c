/** `npm run record` as a process of its own, against a chain double: what it says when a part that it needs is not there. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ChainDouble, chainDouble } from "#doubles/node/node";
import { wallClock } from "#host/clock";
import { listen } from "#host/http";
import { openRecording } from "#recording/recording";
import { writeRecording } from "#recording/writer";
import { tinyContent } from "#testing/chain/tiny-recording";
import { runToEnd } from "#testing/command";

let root: string;
let node: ChainDouble;
let silent: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "record-command-"));
  await writeRecording(join(root, "source"), tinyContent(10));
  node = await chainDouble(await openRecording(join(root, "source")), wallClock);
  const free = await listen(() => undefined);
  await free.close();
  silent = free.url;
});
afterAll(async () => {
  await node.close();
  rmSync(root, { recursive: true, force: true });
});

const record = (rpc: string, out: string, more: readonly string[] = []) =>
  runToEnd("record.ts", ["--rpc", rpc, "--from", "100", "--to", "109", "--out", out, "--okx-url", silent, ...more]);

test("without OKX it says so before a block is fetched, and records without prices when told to", async () => {
  const out = join(root, "mine");
  const refused = await record(node.url, out);
  expect(refused.text).toMatch(
    /RecordingError: no prices from 127\.0\.0\.1:\d+: GET public\/instruments: no reply.*\. Check the network; .* --okx-url https:\/\/eea\.okx\.com\. --candles none records without prices\./,
  );
  expect(refused.text).not.toMatch(/^\s+at |of 10 blocks/m);
  expect(refused.code).toBe(1);
  expect(existsSync(out)).toBe(false);

  const recorded = await record(node.url, out, ["--candles", "none"]);
  expect(recorded.text).toContain(`${out}: blocks 100 to 109.`);
  expect(recorded.text).toContain(`Replay it: npm start -- --recording ${out}`);
  expect(recorded.code).toBe(0);
  expect((await openRecording(out)).headers).toHaveLength(10);
});

test("a node of another chain is named, with the chain that it serves", async () => {
  const other = await record(node.url, join(root, "other"), ["--candles", "none", "--chain-id", "5"]);
  expect(other.text).toMatch(/serves chain .*, not 5\. Name a node of that chain with --rpc, or .* --chain-id\n/);
  expect(other.code).toBe(1);
});

test("a node that is not there, and a folder that cannot be, are named", async () => {
  const gone = await record(silent, join(root, "none"), ["--candles", "none"]);
  expect(gone.text).toMatch(
    /RecordingError: no blocks from the node: 127\.0\.0\.1:\d+: unreachable .*\. Check that the node runs, .* further --rpc\./,
  );
  expect(gone.text).not.toMatch(/^\s+at /m);
  expect(gone.code).toBe(1);
  const proc = await record(node.url, "/proc/x/mine", ["--candles", "none"]);
  expect(proc.text).toMatch(/\nENOENT: .*\/proc\/x.*\nThere is no such file or folder\. Give a path that exists\.\n$/);
  expect(proc.code).toBe(1);
});
