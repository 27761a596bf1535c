import { describe, expect, test } from "vitest";
import { blockPaths, readBlock, sharedFolder } from "#testing/chain/blocks";
import { accountOf, generatedBlock, MINER } from "#testing/chain/generated-block";
import { sealed } from "#testing/chain/sealed-block";
import { NOBODY, transferLog } from "#testing/chain/tiny-recording";
import type { FullBlock, RawTransaction } from "./block.ts";
import { checkBlock, checkSenders, FULL, IntegrityError, type Proof, proofFor } from "./integrity.ts";
import { hexOf, keccakOf } from "./keccak.ts";
import { encodeTransaction } from "./proof/encode.ts";
import { senderOf } from "./proof/sender.ts";
import { touchesOf, watchSet } from "./touch.ts";

const expectedOf = ({ block }: FullBlock) => ({
  number: Number(block.number),
  hash: block.hash,
  parentHash: block.parentHash,
});
const LINKED: Proof = { verify: "linked", unsigned: false };

// Mutations work on a plain copy, so that a test can break what the types forbid.
type Loose = {
  block: Record<string, unknown> & { transactions: Record<string, unknown>[]; withdrawals: Record<string, unknown>[] };
  receipts: (Record<string, unknown> & { logs: Record<string, unknown>[] })[];
};

/** Returns which check refuses a changed copy, or "passed". */
function broken(full: FullBlock, mutate: (copy: Loose) => void, proof = FULL): string {
  const copy = structuredClone(full) as unknown as Loose; // read-only fields are written on purpose
  mutate(copy);
  try {
    checkBlock(copy.block as never, copy.receipts as never, expectedOf(full), proof);
    return "passed";
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    expect(error.message).toContain(error.place);
    expect(error).toMatchObject({ blockNumber: Number(full.block.number), blockHash: full.block.hash });
    return error.check;
  }
}

const OTHER = `0x${"77".repeat(32)}`;
const SOMEBODY = `0x${"77".repeat(20)}`;
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const [ada, ben] = [accountOf("ada"), accountOf("ben")];
const log = (amount: bigint) => transferLog(USDC, ada.address, ben.address, amount);
const withdrawals = [{ index: "0x1", validatorIndex: "0x2", address: MINER, amount: "0x3" }];
const full: FullBlock = generatedBlock(
  {
    ...{ number: 18_000_000, timestamp: 1_700_000_000, withdrawals },
    transactions: ([0, 1, 2, 3, 4, 2] as const).map((type, i) => ({
      ...{ from: i % 2 ? ada : ben, to: i === 5 ? null : USDC, type, nonce: i, value: 7n, logs: [log(5n), log(6n)] },
    })),
  },
  NOBODY,
);
const hex = (text: unknown, times: bigint): string => `0x${(BigInt(String(text)) * times).toString(16)}`;

// The cases of a node that lies, with hashes and blooms as they were; `linked` is what finds it without the roots.
const LIES: [string, string, string, (copy: Loose) => void][] = [
  ["another block", "hash", "hash", (copy) => (copy.block.hash = OTHER)],
  ["another number", "number", "number", (copy) => (copy.block.number = "0x1")],
  ["another parent", "parentHash", "parentHash", (copy) => (copy.block.parentHash = OTHER)],
  ["another timestamp", "headerHash", "headerHash", (copy) => (copy.block.timestamp = "0x1")],
  ["another base fee", "headerHash", "headerHash", (copy) => (copy.block.baseFeePerGas = "0x1")],
  ["a header field that is left out", "headerHash", "headerHash", (copy) => delete copy.block.requestsHash],
  ["a receipt less", "receiptCount", "receiptCount", (copy) => copy.receipts.pop()],
  ["no receipts", "receiptCount", "receiptCount", (copy) => (copy.receipts.length = 0)],
  [
    "a transaction of another block",
    "transactionBlock",
    "transactionBlock",
    (copy) => (copy.block.transactions[2]!.blockHash = OTHER),
  ],
  [
    "a transaction of another number",
    "transactionBlock",
    "transactionBlock",
    (copy) => (copy.block.transactions[2]!.blockNumber = "0x2"),
  ],
  ["a receipt of another block", "receiptBlock", "receiptBlock", (copy) => (copy.receipts[2]!.blockHash = OTHER)],
  ["a receipt of another number", "receiptBlock", "receiptBlock", (copy) => (copy.receipts[2]!.blockNumber = "0x2")],
  ["receipts in another order", "receiptTransaction", "receiptTransaction", (copy) => copy.receipts.reverse()],
  ["a log of another block", "logBlock", "logBlock", (copy) => (copy.receipts[0]!.logs[0]!.blockHash = OTHER)],
  ["a log of another number", "logBlock", "logBlock", (copy) => (copy.receipts[0]!.logs[0]!.blockNumber = "0x2")],
  [
    "a log of another transaction",
    "logTransaction",
    "logTransaction",
    (copy) => (copy.receipts[0]!.logs[0]!.transactionHash = OTHER),
  ],
  ["a log left out", "logIndex", "logIndex", (copy) => copy.receipts[1]!.logs.shift()],
  ["the block's last log left out", "receiptsRoot", "passed", (copy) => copy.receipts[5]!.logs.pop()],
  ["a log twice", "logIndex", "logIndex", (copy) => copy.receipts[0]!.logs.push(copy.receipts[0]!.logs[1]!)],
  [
    "a log invented, with renumbered indexes",
    "receiptsRoot",
    "passed",
    (copy) => {
      copy.receipts[5]!.logs.push({ ...copy.receipts[5]!.logs[1], logIndex: "0xc" });
    },
  ],
  [
    "an amount × 1000",
    "receiptsRoot",
    "passed",
    (copy) => (copy.receipts[0]!.logs[0]!.data = `0x${"1388".padStart(64, "0")}`),
  ],
  [
    "parties swapped",
    "receiptsRoot",
    "passed",
    (copy) => {
      const topics = copy.receipts[0]!.logs[0]!.topics as string[];
      copy.receipts[0]!.logs[0]!.topics = [topics[0], topics[2], topics[1]];
    },
  ],
  ["another token", "receiptsRoot", "bloom", (copy) => (copy.receipts[0]!.logs[0]!.address = SOMEBODY)],
  ["a failed transaction made good", "receiptsRoot", "passed", (copy) => (copy.receipts[0]!.status = "0x0")],
  ["a receipt's type", "receiptType", "receiptType", (copy) => (copy.receipts[2]!.type = "0x1")],
  ["a value", "transactionHash", "passed", (copy) => (copy.block.transactions[0]!.value = "0x8")],
  ["a recipient", "transactionHash", "passed", (copy) => (copy.block.transactions[0]!.to = SOMEBODY)],
  ["an input", "transactionHash", "passed", (copy) => (copy.block.transactions[0]!.input = "0xff")],
  [
    "a blob's hash",
    "transactionHash",
    "passed",
    (copy) => ((copy.block.transactions[3]!.blobVersionedHashes as string[])[0] = OTHER),
  ],
  [
    "a delegation",
    "transactionHash",
    "passed",
    (copy) => ((copy.block.transactions[4]!.authorizationList as { address: string }[])[0]!.address = SOMEBODY),
  ],
  [
    "a transaction's hash",
    "transactionHash",
    "passed",
    (copy) => {
      copy.block.transactions[5]!.hash = OTHER;
      copy.receipts[5]!.transactionHash = OTHER;
      for (const one of copy.receipts[5]!.logs) one.transactionHash = OTHER;
    },
  ],
  [
    "a transaction less, with its receipt",
    "transactionsRoot",
    "bloom",
    (copy) => {
      copy.block.transactions.pop();
      copy.receipts.pop();
      for (const { logs } of copy.receipts) for (const one of logs) one.topics = (one.topics as string[]).slice(0, 2);
    },
  ],
  ["a sender", "from", "from", (copy) => (copy.block.transactions[0]!.from = SOMEBODY)],
  ["gas used", "gasUsed", "gasUsed", (copy) => (copy.receipts[1]!.gasUsed = hex(copy.receipts[1]!.gasUsed, 2n))],
  [
    "cumulative gas",
    "receiptsRoot",
    "passed",
    (copy) => {
      copy.receipts[5]!.gasUsed = "0x5209";
      copy.receipts[5]!.cumulativeGasUsed = hex(copy.receipts[5]!.cumulativeGasUsed, 1n).replace(/.$/, "1");
      copy.receipts[5]!.gasUsed = hex(
        BigInt(String(copy.receipts[5]!.cumulativeGasUsed)) - BigInt(String(copy.receipts[4]!.cumulativeGasUsed)),
        1n,
      );
    },
  ],
  ["a gas price", "gasPrice", "gasPrice", (copy) => (copy.receipts[2]!.effectiveGasPrice = "0x1")],
  [
    "both gas prices missing",
    "gasPrice",
    "gasPrice",
    (copy) => {
      delete copy.receipts[2]!.effectiveGasPrice;
      delete copy.block.transactions[2]!.gasPrice;
    },
  ],
  ["blob gas", "blobGas", "blobGas", (copy) => (copy.receipts[3]!.blobGasUsed = "0x1")],
  ["a price of blob gas above the offer", "blobGas", "blobGas", (copy) => (copy.receipts[3]!.blobGasPrice = "0x8")],
  [
    "a contract's address",
    "contractAddress",
    "contractAddress",
    (copy) => (copy.receipts[5]!.contractAddress = SOMEBODY),
  ],
  ["a withdrawal", "withdrawalsRoot", "withdrawalsRoot", (copy) => (copy.block.withdrawals[0]!.amount = "0x4")],
  [
    "withdrawals left out",
    "withdrawalsRoot",
    "withdrawalsRoot",
    (copy) => delete (copy.block as Record<string, unknown>).withdrawals,
  ],
  ["a receipt's bloom", "receiptsRoot", "passed", (copy) => (copy.receipts[1]!.logsBloom = `0x${"f".repeat(512)}`)],
  [
    "a transaction of a type to come",
    "transactionType",
    "passed",
    (copy) => {
      copy.block.transactions[2]!.type = "0x5";
      copy.receipts[2]!.type = "0x5";
    },
  ],
  [
    "a header of a fork to come",
    "fork",
    "fork",
    (copy) => {
      copy.block.slotNumber = "0x7";
      copy.block.stateRoot = OTHER;
    },
  ],
];

describe("a node that lies", () => {
  test.each(LIES)("%s", (_, check, linked, mutate) => {
    expect(broken(full, () => undefined)).toBe("passed");
    expect(broken(full, mutate)).toBe(check);
    expect(broken(full, mutate, LINKED)).toBe(linked);
  });

  // What an operator reads: which check, where, and what stands there.
  const NONE = `0x${"0".repeat(64)}`;
  test.each<[string, (copy: Loose) => void, Proof]>([
    [`hash at block: is ${OTHER}`, (copy) => (copy.block.hash = OTHER), FULL],
    ["number at block: is 0x1", (copy) => (copy.block.number = "0x1"), FULL],
    [`parentHash at block: is ${OTHER}`, (copy) => (copy.block.parentHash = OTHER), FULL],
    ["receiptCount at block: 5 receipts for 6 transactions", (copy) => copy.receipts.pop(), FULL],
    [
      `transactionBlock at transaction 1: is of ${OTHER}`,
      (copy) => (copy.block.transactions[1]!.blockHash = OTHER),
      FULL,
    ],
    ["transactionBlock at transaction 2: is of 0x2", (copy) => (copy.block.transactions[2]!.blockNumber = "0x2"), FULL],
    [`receiptBlock at transaction 3: is of ${OTHER}`, (copy) => (copy.receipts[3]!.blockHash = OTHER), FULL],
    ["receiptBlock at transaction 4: is of 0x2", (copy) => (copy.receipts[4]!.blockNumber = "0x2"), FULL],
    [`receiptTransaction at transaction 5: is of ${NONE}`, (copy) => (copy.receipts[5]!.transactionHash = NONE), FULL],
    [`logBlock at log 0x2: is of ${OTHER}`, (copy) => (copy.receipts[1]!.logs[0]!.blockHash = OTHER), FULL],
    ["logBlock at log 0x3: is of 0x2", (copy) => (copy.receipts[1]!.logs[1]!.blockNumber = "0x2"), FULL],
    [`logTransaction at log 0x4: is of ${NONE}`, (copy) => (copy.receipts[2]!.logs[0]!.transactionHash = NONE), FULL],
    ["logIndex at log 0x3: is the block's log 2", (copy) => copy.receipts[1]!.logs.shift(), FULL],
    [`bloom at log 0x0: has not got ${SOMEBODY}`, (copy) => (copy.receipts[0]!.logs[0]!.address = SOMEBODY), LINKED],
    [
      "bloom at block: has bits that no log sets: a log is missing",
      (copy) => {
        for (const { logs } of copy.receipts) for (const one of logs) one.topics = (one.topics as string[]).slice(0, 2);
      },
      LINKED,
    ],
    [
      `from at transaction 0: is ${SOMEBODY}, its receipt's ${ben.address}`,
      (copy) => (copy.block.transactions[0]!.from = SOMEBODY),
      FULL,
    ],
    ["receiptType at transaction 2: is 0x1", (copy) => (copy.receipts[2]!.type = "0x1"), FULL],
    [
      "gasUsed at transaction 1: is 0x7, cumulative gas says 21000",
      (copy) => (copy.receipts[1]!.gasUsed = "0x7"),
      FULL,
    ],
    [
      "gasPrice at transaction 2: is 0x1, the transaction pays 1500000000",
      (copy) => (copy.receipts[2]!.effectiveGasPrice = "0x1"),
      FULL,
    ],
    [
      "gasPrice at transaction 2: is not there",
      (copy) => {
        delete copy.receipts[2]!.effectiveGasPrice;
        delete copy.block.transactions[2]!.gasPrice;
      },
      FULL,
    ],
    ["blobGas at transaction 3: is 0x1 for 2 blobs", (copy) => (copy.receipts[3]!.blobGasUsed = "0x1"), FULL],
    [
      "blobGas at transaction 3: costs 0x8, more than the 0x7 offered",
      (copy) => (copy.receipts[3]!.blobGasPrice = "0x8"),
      FULL,
    ],
    [
      `contractAddress at transaction 5: is ${SOMEBODY}`,
      (copy) => (copy.receipts[5]!.contractAddress = SOMEBODY),
      FULL,
    ],
    [
      "fork at block: has the fields slotNumber, epoch; this release knows no fork with it: install one that does, then redrive (docs/runbook.md)",
      (copy) => Object.assign(copy.block, { slotNumber: "0x7", epoch: "0x1", stateRoot: OTHER }),
      FULL,
    ],
    ["headerHash at block: the header's hash is A HASH", (copy) => (copy.block.timestamp = "0x1"), FULL],
    [
      "transactionHash at transaction 0: its content's hash is A HASH",
      (copy) => (copy.block.transactions[0]!.value = "0x8"),
      FULL,
    ],
    [
      "transactionsRoot at block: the transactions' root is A HASH",
      (copy) => {
        copy.block.transactions.pop();
        copy.receipts.pop();
      },
      FULL,
    ],
    ["receiptsRoot at block: the receipts' root is A HASH", (copy) => (copy.receipts[0]!.status = "0x0"), FULL],
    [
      "withdrawalsRoot at block: the withdrawals' root is A HASH",
      (copy) => (copy.block.withdrawals[0]!.amount = "0x4"),
      FULL,
    ],
    [
      "withdrawalsRoot at block: its withdrawals are left out",
      (copy) => delete (copy.block as Record<string, unknown>).withdrawals,
      FULL,
    ],
  ])("is told %s", (told, mutate, proof) => {
    const copy = structuredClone(full) as unknown as Loose; // read-only fields are written on purpose
    mutate(copy);
    const said = messageOf(copy, proof);
    // A hash that follows from the change has no meaning of its own.
    const text = told.endsWith("A HASH") ? said.replace(/0x[0-9a-f]{64}$/, "A HASH") : said;
    expect(text).toBe(`IntegrityError: block 18000000 (${full.block.hash}): ${told}`);
  });

  function messageOf(copy: Loose, proof: Proof): string {
    try {
      checkBlock(copy.block as never, copy.receipts as never, expectedOf(full), proof);
    } catch (error) {
      return String(error);
    }
    return "passed";
  }

  test("a block of before Shanghai has no withdrawals", () => {
    const plain = { number: 9, timestamp: 1_700_000_000, fork: "london", transactions: [] } as const;
    const before = generatedBlock(plain, NOBODY);
    expect(broken(before, () => undefined)).toBe("passed");
    expect(broken(before, (copy) => (copy.block.withdrawals = []))).toBe("passed");
    expect(broken(before, (copy) => (copy.block.withdrawals = [...withdrawals]))).toBe("withdrawalsRoot");
  });

  test("what a node may leave out or write as null is not missed", () => {
    const without = (copy: Loose, value: null | undefined) => {
      copy.receipts[2]!.type = value;
      copy.receipts[3]!.blobGasUsed = value;
      copy.receipts[2]!.effectiveGasPrice = value; // the transaction's own says it
    };
    expect(broken(full, (copy) => without(copy, null))).toBe("passed");
    expect(broken(full, (copy) => without(copy, undefined))).toBe("passed");
    // A failed creation made nothing; one that did not fail made a contract.
    for (const nothing of [null, undefined]) {
      expect(broken(full, (copy) => (copy.receipts[5]!.contractAddress = nothing))).toBe("contractAddress");
      expect(
        broken(full, (copy) => Object.assign(copy.receipts[5]!, { contractAddress: nothing, status: "0x0" }), LINKED),
      ).toBe("passed");
    }
  });

  test("what a fork to come brings is told with what to do", () => {
    const copy = structuredClone(full) as unknown as Loose; // read-only fields are written on purpose
    copy.block.transactions[2]!.type = "0x5";
    copy.receipts[2]!.type = "0x5";
    expect(() => checkBlock(copy.block as never, copy.receipts as never, expectedOf(full))).toThrow(
      "transactionType at transaction 2: is 0x5; this release knows no fork with it: install one that does",
    );
  });
});

describe("senders", () => {
  const touches = (of: FullBlock) => touchesOf(of, watchSet([ada.address, ben.address]));
  test("of watched wallets' transactions are those who signed", () => {
    checkSenders(touches(full), expectedOf(full), false);
    const copy = structuredClone(full) as unknown as Loose; // read-only fields are written on purpose
    copy.block.transactions[0]!.from = ada.address; // ben's
    copy.receipts[0]!.from = ada.address;
    const forged = copy as unknown as FullBlock; // changed, of the same shape
    checkBlock(forged.block, forged.receipts, expectedOf(full)); // the roots do not know
    expect(() => checkSenders(touches(forged), expectedOf(full), false)).toThrow("sender at transaction 0");
  });

  test("without a signature pass where the recording is generated, and nowhere else", () => {
    const planned = {
      number: 9,
      timestamp: 1_700_000_000,
      transactions: [{ from: ada.address, to: USDC, logs: [log(5n)] }],
    };
    const unsigned = generatedBlock(planned, NOBODY);
    checkSenders(touches(unsigned), expectedOf(unsigned), true);
    expect(() => checkSenders(touches(unsigned), expectedOf(unsigned), false)).toThrow("signed by null");
    const renamed = structuredClone(unsigned) as unknown as Loose; // read-only fields are written on purpose
    for (const one of [renamed.block.transactions[0]!, renamed.receipts[0]!]) {
      one[one === renamed.receipts[0] ? "transactionHash" : "hash"] = OTHER;
    }
    renamed.receipts[0]!.logs[0]!.transactionHash = OTHER;
    // A development chain hashes what it was never given a signature for in its own way.
    checkBlock(renamed.block as never, renamed.receipts as never, expectedOf(unsigned), {
      verify: "full",
      unsigned: true,
    });
    expect(broken(unsigned, (copy) => Object.assign(copy, renamed))).toBe("transactionHash");
  });
});

test("blocks are proven by links only far behind the head, and only where that is allowed", () => {
  expect(proofFor("linked", 12)).toBe("full");
  expect(proofFor("linked", 768)).toBe("full");
  expect(proofFor("linked", 769)).toBe("linked");
  expect(proofFor("linked", Number.NaN)).toBe("full");
  expect(proofFor("full", 100_000)).toBe("full");
});

test("a block with a status in words of before Byzantium is proven by its state roots", () => {
  const old = sealed(
    { ...full.block, transactions: full.block.transactions.slice(0, 1), withdrawals: undefined },
    full.receipts.slice(0, 1).map(({ status: _, ...receipt }) => ({ ...receipt, root: OTHER })),
  );
  expect(broken(old, () => undefined)).toBe("passed");
  expect(broken(old, (copy) => (copy.receipts[0]!.root = `0x${"78".repeat(32)}`))).toBe("receiptsRoot");
});

const shared = sharedFolder();
describe.skipIf(!shared)("recorded mainnet blocks (../shared/data)", () => {
  const blocks = shared ? blockPaths(shared).map(readBlock) : [];
  // Two come from a feed that leaves out the withdrawals: nothing else of them may fail.
  const lacking = new Set([17_686_164, 17_686_312]);

  test("all 56 are proven in full", () => {
    expect(blocks.length).toBe(56);
    for (const one of blocks) {
      const left = lacking.has(Number(one.block.number));
      expect(broken(one, () => undefined)).toBe(left ? "withdrawalsRoot" : "passed");
      const { withdrawalsRoot: _, ...before } = one.block;
      if (!left) continue;
      const without = sealed(one.block, one.receipts).block;
      expect([without.transactionsRoot, without.receiptsRoot]).toEqual([before.transactionsRoot, before.receiptsRoot]);
    }
  });

  test("every transaction's hash and the senders of a sample are those that were recorded", () => {
    const all: RawTransaction[] = blocks.flatMap(({ block }) => [...block.transactions]);
    for (const one of all) expect(hexOf(keccakOf(encodeTransaction(one)))).toBe(one.hash);
    for (const one of all.filter((_, i) => i % 50 === 0)) expect(senderOf(one)).toBe(one.from);
  });

  test("any log that is left out or changed is found", () => {
    const one = blocks.find(({ block }) => Number(block.number) === 15_000_003) as FullBlock;
    one.receipts.forEach(({ logs }, i) => {
      for (const k of logs.keys()) {
        if ((i + k) % 9 > 0) continue;
        expect(["logIndex", "receiptsRoot"]).toContain(broken(one, (copy) => copy.receipts[i]!.logs.splice(k, 1)));
      }
    });
  });
});
