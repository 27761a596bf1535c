import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TINY_FROM, tinyBlock, tinyContent, WHALE } from "#testing/chain/tiny-recording";
import { RecordingError } from "./error.ts";
import { openRecording } from "./recording.ts";
import { writeRecording } from "./writer.ts";

let root: string;
let good: string;
let copies = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "recording-"));
  good = join(root, "good");
  await writeRecording(good, tinyContent(130));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Returns a copy of the good recording with one file changed; the manifest's sha256 follows unless `keepHash`. */
function damaged(file: string, change: (bytes: Buffer) => Buffer | string, keepHash = false): string {
  copies += 1;
  const dir = join(root, `copy-${copies}`);
  cpSync(good, dir, { recursive: true });
  const bytes = change(readFileSync(join(dir, file)));
  writeFileSync(join(dir, file), bytes);
  if (keepHash || file === "manifest.json") return dir;
  const manifest = JSON.parse(readFileSync(join(dir, "manifest.json"), "utf8"));
  manifest.files[file] = createHash("sha256").update(bytes).digest("hex");
  writeFileSync(join(dir, "manifest.json"), JSON.stringify(manifest));
  return dir;
}

const unzipped = (change: (text: string) => string) => (bytes: Buffer) =>
  gzipSync(change(gunzipSync(bytes).toString("utf8")));
const replaced = (from: string | RegExp, to: string) => (bytes: Buffer) => bytes.toString("utf8").replace(from, to);
const CHUNK = "blocks/100-163.ndjson.gz";
const CANDLES = "candles/ETH-USDT-SWAP.csv.gz";

async function refusal(dir: string): Promise<RecordingError> {
  const error = await openRecording(dir).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RecordingError);
  return error as RecordingError;
}

test("a written recording opens with all that was put in", async () => {
  const recording = await openRecording(good);
  const content = tinyContent(130);
  expect(recording.manifest).toMatchObject({ fromBlock: 100, toBlock: 229, instruments: ["ETH-USDT-SWAP"] });
  expect(readdirSync(join(good, "blocks"))).toEqual(["100-163.ndjson.gz", "164-227.ndjson.gz", "228-229.ndjson.gz"]);
  expect(recording.headers.map(({ number }) => number)).toEqual(Array.from({ length: 130 }, (_, i) => TINY_FROM + i));
  expect(recording.candles("ETH-USDT-SWAP")).toEqual(content.candles["ETH-USDT-SWAP"]);
  expect(recording.watchlist).toEqual(content.watchlist);
  expect(recording.labels).toEqual(content.labels);
  expect(recording.instruments).toEqual(content.instruments);
  expect(recording.balances).toEqual(content.balances);
  let number = TINY_FROM;
  for await (const entry of content.blocks) {
    const block = recording.blockAt(number);
    expect(JSON.parse(block.line)).toEqual(entry);
    expect(block.blockJson.toString()).toBe(JSON.stringify(entry.block));
    expect(block.receiptsJson.toString()).toBe(JSON.stringify(entry.receipts));
    number += 1;
  }
  expect(() => recording.blockAt(99)).toThrow(RangeError);
  expect(() => recording.candles("BTC-USDT-SWAP")).toThrow(RangeError);
});

test("the same content gives the same bytes", async () => {
  const again = join(root, "again");
  await writeRecording(again, tinyContent(130));
  const listed = (dir: string) => (readdirSync(dir, { recursive: true }) as string[]).sort();
  expect(listed(again)).toEqual(listed(good));
  for (const file of listed(good).filter((name) => statSync(join(good, name)).isFile())) {
    expect(readFileSync(join(again, file)).equals(readFileSync(join(good, file))), file).toBe(true);
  }
});

test("a recording that breaks a rule is not written, and the one before stays", async () => {
  const dir = join(root, "kept");
  await writeRecording(dir, tinyContent(3));
  const broken = { ...tinyContent(3), blocks: [tinyBlock(100, 1_700_000_040, 1), tinyBlock(102, 1_700_000_052, 1)] };
  await expect(writeRecording(dir, broken)).rejects.toThrow("blocks must be contiguous");
  await expect(writeRecording(join(root, "new"), broken)).rejects.toThrow(RecordingError);
  expect((await openRecording(dir)).manifest.toBlock).toBe(102);
  expect(readdirSync(root).filter((name) => /^(kept|new)/.test(name))).toEqual(["kept"]);
});

test("a folder that is no recording is never overwritten", async () => {
  const dir = damaged("manifest.json", () => "{}");
  rmSync(join(dir, "manifest.json"));
  await expect(writeRecording(dir, tinyContent(3))).rejects.toThrow("exists and is no recording");
});

test("gaps in the candles are allowed and reported", async () => {
  const dir = damaged(
    CANDLES,
    unzipped((text) =>
      text
        .split("\n")
        .filter((_, index) => index !== 3 && index !== 4)
        .join("\n"),
    ),
  );
  const recording = await openRecording(dir);
  expect(recording.candles("ETH-USDT-SWAP")).toHaveLength(58);
  expect(recording.gaps("ETH-USDT-SWAP")).toEqual([{ openedAt: "2023-11-14T21:46:00.000Z", bars: 2 }]);
});

const half = (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1);
const swapBars = (text: string) => {
  const [header, a, b, ...rest] = text.split("\n");
  return [header, b, a, ...rest].join("\n");
};

test.each<[string, string, (bytes: Buffer) => Buffer | string, boolean, string]>([
  ["a truncated chunk", CHUNK, half, true, "is truncated"],
  ["a truncated chunk with a fitting hash", CHUNK, half, false, "is truncated"],
  ["a flipped byte", CHUNK, (bytes) => bytes.fill(7, 40, 60), true, CHUNK],
  ["an edited table", "labels.csv", replaced("Exchange", "Exchanges"), true, "was changed: sha256"],
  ["a chunk that is no gzip", CHUNK, () => "hello", false, "is not a readable gzip"],
  ["a line of another shape", CHUNK, unzipped((text) => text.replace('{"block":', '{"blok":')), false, "line 1 is not"],
  ["a block that is no JSON", CHUNK, unzipped((text) => text.replace('"hash":', '"hash"')), false, "is not JSON"],
  ["a cut last line", CHUNK, unzipped((text) => text.slice(0, -40)), false, "line 64"],
  [
    "a receipt of another block",
    CHUNK,
    unzipped((text) => text.replace(/("receipts":\[\{"blockHash":"0x)[0-9a-f]{4}/, "$1dead")),
    false,
    "is of block 0xdead",
  ],
  [
    "a missing receipt",
    CHUNK,
    unzipped((text) =>
      text.replace(/"receipts":\[\{.*?\}\]\}(,|\])/, (_, next) => `"receipts":[${next === "," ? "" : "]"}`),
    ),
    false,
    "receipts",
  ],
  ["a missing block", CHUNK, unzipped((text) => text.replace(/\n.*\n/, "\n")), false, "must be contiguous"],
  [
    "a candle whose high is low",
    CANDLES,
    unzipped((text) => text.replace(",2002,", ",1999,")),
    false,
    "line 2 has an open",
  ],
  ["candles out of order", CANDLES, unzipped(swapBars), false, "line 3 is not later"],
  ["an unaligned candle", CANDLES, unzipped((text) => text.replace("000,", "001,")), false, "no multiple of 60000 ms"],
  ["a candle that is no number", CANDLES, unzipped((text) => text.replace("2002", "NaN")), false, "no plain decimal"],
  ["another header", "labels.csv", replaced("kind", "type"), false, "its first line is not"],
  ["a label without a date", "labels.csv", replaced("2023-11-14", "once"), false, "line 2: date"],
  ["a row that is too short", "labels.csv", replaced(",2023-11-14", ""), false, "has 4 fields instead of 5"],
  ["instruments that are no JSON", "instruments.json", half, false, "is not JSON"],
  ["instruments without a contract size", "instruments.json", replaced(/"ctVal".*/, ""), false, "ctVal"],
  [
    "another instrument",
    "instruments.json",
    replaced('"ETH-USDT-SWAP"', '"SOL-USDT-SWAP"'),
    false,
    "the manifest names",
  ],
  [
    "a balance without a block",
    "balances.ndjson.gz",
    unzipped((text) => text.replace('"block"', '"b"')),
    false,
    "line 1",
  ],
  ["a manifest that is cut", "manifest.json", half, false, "is not JSON"],
  ["a manifest of another format", "manifest.json", replaced("recording/1", "recording/2"), false, "its format is"],
  [
    "a manifest with a bad field",
    "manifest.json",
    replaced('"barSeconds": 60', '"barSeconds": -1'),
    false,
    "barSeconds",
  ],
  [
    "a manifest that names other blocks",
    "manifest.json",
    replaced('"toBlock": 229', '"toBlock": 230'),
    false,
    "100–230",
  ],
])("%s is refused by name", async (_, file, change, keepHash, message) => {
  const error = await refusal(damaged(file, change, keepHash));
  expect(error.message).toContain(message);
  expect(error.file).toBe(file);
  expect(error.remedy).not.toBe("");
});

test("a missing file and a folder without a manifest are refused by name", async () => {
  const dir = damaged("watchlist.csv", (bytes) => bytes);
  rmSync(join(dir, "watchlist.csv"));
  expect((await refusal(dir)).message).toContain("watchlist.csv: is missing");
  expect((await refusal(root)).message).toContain("holds no manifest.json");
  const without = damaged("manifest.json", (bytes) => bytes.toString().replace(/.*"candles.*\n/, ""));
  expect((await refusal(without)).message).toContain("candles/ETH-USDT-SWAP.csv.gz: is not listed");
});

test.each([
  ["0xA1a1A1a1a1A1a1a1a1A1a1a1A1a1A1a1A1A1a1A2,Whale,", "line 3", "wrong EIP-55 checksum"],
  ["0xa1a1,Whale,", "line 3", "is not an address"],
  [`${WHALE},Again,`, "line 3 lists", "again (line 2)"],
  [`0x${"c".repeat(40)},${"x".repeat(101)},`, "line 3", "label"],
  [`0x${"c".repeat(40)},Name,Two Words`, "line 3", "tags"],
])("the watch list refuses %s", async (row, where, problem) => {
  const error = await refusal(damaged("watchlist.csv", (bytes) => `${bytes.toString()}${row}\n`));
  expect(error.message).toContain("watchlist.csv");
  expect(error.message).toContain(where);
  expect(error.message).toContain(problem);
});

test("a bad checksum names its line and address", async () => {
  const bad = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD";
  const error = await refusal(damaged("watchlist.csv", (bytes) => `${bytes.toString()}# mine\n${bad},Mine,a;b\n`));
  expect(error).toMatchObject({ name: "WatchlistAddressError", line: 4, address: bad, file: "watchlist.csv" });
});

test("a checksummed address, comments, quotes and CRLF are read", async () => {
  const row = '# mine\r\n0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed,"A ""fund"", old",fund;old\r\n';
  const { watchlist } = await openRecording(damaged("watchlist.csv", (bytes) => `${bytes.toString()}${row}`));
  expect(watchlist[0]).toEqual({
    address: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
    label: 'A "fund", old',
    tags: ["fund", "old"],
  });
});
