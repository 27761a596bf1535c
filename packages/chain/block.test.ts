import { describe, expect, test } from "vitest";
import { eventsOf } from "#chain/decode";
import { accountOf, generatedBlock, MINER } from "#testing/chain/generated-block";
import { PEOPLE } from "#testing/chain/planned-blocks";
import { NOBODY, tinyBlock, transferLog } from "#testing/chain/tiny-recording";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { asFullBlock, type FullBlock, headerOf } from "./block.ts";
import { checksumAddress } from "./checksum.ts";
import { checkBlock } from "./integrity.ts";
import { labelBook } from "./labels.ts";
import { netBlock } from "./net.ts";
import { ShapeError } from "./proof/shape.ts";
import { watchSet } from "./touch.ts";
import { withStables } from "./value.ts";

// A node's JSON is changed here in ways that its types forbid.
type Loose = {
  block: Record<string, unknown> & { transactions: Record<string, unknown>[] };
  receipts: (Record<string, unknown> & { logs: Record<string, unknown>[] })[];
};
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const [ada, ben] = [accountOf("ada"), accountOf("ben")];
const generated = generatedBlock(
  {
    ...{ number: 18_000_000, timestamp: 1_700_000_000 },
    withdrawals: [{ index: "0x1", validatorIndex: "0x2", address: MINER, amount: "0x3" }],
    transactions: ([0, 1, 2, 3, 4] as const).map((type) => ({
      ...{ from: type % 2 ? ada : ben, to: USDC, type, nonce: type, value: 7n },
      logs: [transferLog(USDC, ada.address, ben.address, 5_000_000_000n)],
    })),
  },
  NOBODY,
);
const changed = (change: (copy: Loose) => void): FullBlock => {
  const copy = structuredClone(generated) as unknown as Loose; // read-only fields are written on purpose
  change(copy);
  return asFullBlock(copy.block, copy.receipts);
};
const { hash, parentHash } = generated.block;
const expected = { number: 18_000_000, hash, parentHash };
const people = new Map(PEOPLE.map(({ address }) => [address, idOf("wallet", "ethereum", address)]));
const events = (full: FullBlock) =>
  eventsOf(netBlock(full, watchSet(people.keys())), {
    ...{
      chain: "ethereum",
      block: full.block,
      observedAt: instantOf("2023-11-14T22:13:30.000Z"),
      labels: labelBook([]),
    },
    ...{ prices: withStables(new Map()), walletIds: people, equity: new Map() },
  });

describe("a field of another form is refused by its name", () => {
  const cases: [string, (copy: Loose) => void][] = [
    ["transactions[1].value", (copy) => (copy.block.transactions[1]!.value = "0x")],
    ["transactions[1].value", (copy) => (copy.block.transactions[1]!.value = 7)],
    ["transactions[2].value", (copy) => (copy.block.transactions[2]!.value = `0x1${"0".repeat(64)}`)],
    ["transactions[0].from", (copy) => (copy.block.transactions[0]!.from = "0x12")],
    ["transactions[0].to", (copy) => (copy.block.transactions[0]!.to = "")],
    ["transactions[0].input", (copy) => (copy.block.transactions[0]!.input = "0x\ud800")],
    ["transactions[0].input", (copy) => (copy.block.transactions[0]!.input = "0x123")],
    ["transactions[0].nonce", (copy) => (copy.block.transactions[0]!.nonce = `0x1${"0".repeat(16)}`)],
    ["transactions[0].r", (copy) => (copy.block.transactions[0]!.r = `0x1${"0".repeat(64)}`)],
    ["transactions[0].gasPrice", (copy) => delete copy.block.transactions[0]!.gasPrice],
    ["transactions[1].accessList", (copy) => delete copy.block.transactions[1]!.accessList],
    [
      "transactions[1].accessList[0].storageKeys[1]",
      (copy) => ((copy.block.transactions[1]!.accessList as { storageKeys: string[] }[])[0]!.storageKeys[1] = "0x1"),
    ],
    ["transactions[2].maxFeePerGas", (copy) => (copy.block.transactions[2]!.maxFeePerGas = null)],
    ["transactions[3].blobVersionedHashes", (copy) => (copy.block.transactions[3]!.blobVersionedHashes = "0x")],
    ["transactions[4].authorizationList[0]", (copy) => (copy.block.transactions[4]!.authorizationList = [7])],
    ["receipts[0].gasUsed", (copy) => (copy.receipts[0]!.gasUsed = "zz")],
    ["receipts[0].gasUsed", (copy) => (copy.receipts[0]!.gasUsed = "-0x1")],
    ["receipts[0].effectiveGasPrice", (copy) => (copy.receipts[0]!.effectiveGasPrice = {})],
    ["receipts[0].status", (copy) => (copy.receipts[0]!.status = "0x00")],
    ["receipts[0].status", (copy) => (copy.receipts[0]!.status = 0)],
    ["receipts[0].status", (copy) => delete copy.receipts[0]!.status],
    ["receipts[3]", (copy) => ((copy.receipts as unknown[])[3] = null)],
    ["receipts[1].logs", (copy) => ((copy.receipts[1]!.logs as unknown) = {})],
    ["receipts[1].logs[0].topics[1]", (copy) => ((copy.receipts[1]!.logs[0]!.topics as string[])[1] = "0x1")],
    ["receipts[1].logs[0].data", (copy) => (copy.receipts[1]!.logs[0]!.data = "7")],
    ["receipts[1].logs[0].logIndex", (copy) => (copy.receipts[1]!.logs[0]!.logIndex = null)],
    ["withdrawals[0].amount", (copy) => ((copy.block.withdrawals as Record<string, unknown>[])[0]!.amount = "0x")],
    ["block.logsBloom", (copy) => delete copy.block.logsBloom],
    ["block.timestamp", (copy) => (copy.block.timestamp = "0xffffffffffffffff")],
    ["block.baseFeePerGas", (copy) => (copy.block.baseFeePerGas = "0x01")],
    ["block.transactions", (copy) => ((copy.block.transactions as unknown) = ["0x1"].join())],
  ];
  test.each(cases)("%s (%#)", (path, change) => {
    expect(() => changed(change)).toThrow(ShapeError);
    expect(() => changed(change)).toThrow(`${path}: expected`);
  });

  test("a header and lists of another shape", () => {
    expect(() => headerOf({ number: "12" })).toThrow("block.number: expected a quantity");
    expect(() => asFullBlock(generated.block, "pruned")).toThrow("receipts: expected an array");
  });
});

describe("digits in upper case mean the same", () => {
  const upper = (text: unknown): string => `0x${String(text).slice(2).toUpperCase()}`;
  const plain = events(changed(() => undefined));
  const cases: [string, (copy: Loose) => void][] = [
    [
      "topics",
      (copy) => {
        for (const { logs } of copy.receipts) for (const log of logs) log.topics = (log.topics as string[]).map(upper);
      },
    ],
    [
      "checksummed addresses",
      (copy) => {
        for (const one of [...copy.block.transactions, ...copy.receipts]) one.from = checksumAddress(String(one.from));
        for (const { logs } of copy.receipts)
          for (const log of logs) log.address = checksumAddress(String(log.address));
      },
    ],
    [
      "hashes and data",
      (copy) => {
        copy.block.hash = upper(copy.block.hash);
        for (const { logs } of copy.receipts) for (const log of logs) log.data = upper(log.data);
      },
    ],
  ];
  test.each(cases)("%s", (_, change) => {
    const full = changed(change);
    checkBlock(full.block, full.receipts, expected);
    expect(plain.length).toBeGreaterThan(0);
    expect(events(full)).toEqual(plain);
  });

  test("a whole tiny block in lower case is not copied", () => {
    const { block, receipts } = tinyBlock(1, 1_700_000_000, 2);
    expect(asFullBlock(block, receipts)).toEqual({ block, receipts });
    expect(asFullBlock(block, receipts).block).toBe(block);
  });
});
