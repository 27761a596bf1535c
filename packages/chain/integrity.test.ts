import { describe, expect, test } from "vitest";
import { blockPaths, readBlock, sharedFolder } from "#testing/blocks";
import { asFullBlock, type FullBlock, headerOf, ShapeError } from "./block.ts";
import { checkBlock, IntegrityError } from "./integrity.ts";

const expectedOf = ({ block }: FullBlock) => ({
  number: Number(block.number),
  hash: block.hash,
  parentHash: block.parentHash,
});

// Mutations work on a plain copy, so that a test can break what the types forbid.
type Loose = {
  block: Record<string, unknown> & { transactions: Record<string, unknown>[] };
  receipts: (Record<string, unknown> & { logs: Record<string, unknown>[] })[];
};

function broken(full: FullBlock, mutate: (copy: Loose) => void): string {
  const copy = structuredClone(full) as unknown as Loose; // read-only fields are written on purpose
  mutate(copy);
  try {
    checkBlock(copy.block as never, copy.receipts as never, expectedOf(full));
    return "passed";
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    expect(error.message).toContain(error.place);
    expect(error).toMatchObject({ blockNumber: Number(full.block.number), blockHash: full.block.hash });
    return error.check;
  }
}

const OTHER = `0x${"77".repeat(32)}`;
const shared = sharedFolder();

describe.skipIf(!shared)("recorded mainnet blocks (../shared/data)", () => {
  const blocks = shared ? blockPaths(shared).map(readBlock) : [];
  const sample = blocks.find(({ block }) => Number(block.number) === 15_000_003) as FullBlock;

  test("all 56 pass", () => {
    expect(blocks.length).toBe(56);
    for (const full of blocks) checkBlock(full.block, full.receipts, expectedOf(full));
  });

  test("each mutation fails its own check", () => {
    const withLogs = sample.receipts.findIndex((receipt) => receipt.logs.length > 1);
    const logs = (copy: Loose) => copy.receipts[withLogs]!.logs;
    const mutations: [string, (copy: Loose) => void][] = [
      ["hash", (copy) => (copy.block.hash = OTHER)],
      ["number", (copy) => (copy.block.number = "0x1")],
      ["parentHash", (copy) => (copy.block.parentHash = OTHER)],
      ["receiptCount", (copy) => copy.receipts.pop()],
      ["receiptCount", (copy) => (copy.receipts.length = 0)],
      ["transactionBlock", (copy) => (copy.block.transactions[2]!.blockHash = OTHER)],
      ["receiptBlock", (copy) => (copy.receipts[2]!.blockHash = OTHER)],
      ["receiptBlock", (copy) => (copy.receipts[2]!.blockNumber = "0x2")],
      ["receiptTransaction", (copy) => copy.receipts.reverse()],
      ["logBlock", (copy) => (logs(copy)[0]!.blockHash = OTHER)],
      ["logBlock", (copy) => (logs(copy)[0]!.blockNumber = "0x2")],
      ["logTransaction", (copy) => (logs(copy)[0]!.transactionHash = OTHER)],
      ["logIndex", (copy) => (logs(copy)[1]!.logIndex = logs(copy)[0]!.logIndex)],
      ["logIndex", (copy) => (logs(copy)[0]!.logIndex = "0xnone")],
      ["bloom", (copy) => (copy.block.logsBloom = "0x00")],
      ["bloom", (copy) => (copy.block.logsBloom = `0x${"f".repeat(512)}`)],
    ];
    for (const [check, mutate] of mutations) expect([check, broken(sample, mutate)]).toEqual([check, check]);
  });

  test("a foreign address or topic shows, but for the bloom's few false positives", () => {
    const withLogs = sample.receipts.findIndex((receipt) => receipt.logs.length > 1);
    const foreign = Array.from({ length: 40 }, (_, i) => (i + 1).toString(16).padStart(2, "0"));
    const caught = foreign.flatMap((byte) => [
      broken(sample, (copy) => (copy.receipts[withLogs]!.logs[0]!.address = `0x${byte.repeat(20)}`)),
      broken(sample, (copy) => ((copy.receipts[withLogs]!.logs[0]!.topics as string[])[0] = `0x${byte.repeat(32)}`)),
    ]);
    expect(new Set(caught)).toEqual(new Set(["bloom", "passed"]));
    expect(caught.filter((check) => check === "bloom").length).toBeGreaterThan(0.8 * caught.length);
  });

  test("a left-out log shows in almost every block", () => {
    const noticed = blocks
      .filter(({ receipts }) => receipts.some((receipt) => receipt.logs.length > 0))
      .map((full) => broken(full, (copy) => copy.receipts.find((receipt) => receipt.logs.length > 0)!.logs.splice(0)));
    const found = noticed.filter((check) => check === "bloom").length;
    expect(found / noticed.length).toBeGreaterThan(0.8);
  });

  test("a shape that JSON-RPC does not have is named by its path", () => {
    const shape = (mutate: (copy: Loose) => void) => () => {
      const copy = structuredClone(sample) as unknown as Loose;
      mutate(copy);
      asFullBlock(copy.block, copy.receipts);
    };
    expect(shape((copy) => delete copy.block.logsBloom)).toThrow("block.logsBloom: expected text");
    expect(shape((copy) => (copy.block.transactions[1]!.value = 7))).toThrow("transactions[1].value");
    expect(shape((copy) => ((copy.receipts as unknown[])[3] = null))).toThrow(ShapeError);
    expect(() => asFullBlock(sample.block, "pruned")).toThrow("receipts: expected an array");
    expect(() => headerOf({ number: "12" })).toThrow("block.number");
  });
});
