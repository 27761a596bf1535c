import { keccak256, Transaction } from "ethers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accountOf,
  FORKS,
  type Fork,
  generatedBlock,
  MINER,
  type PlannedTransaction,
  word,
} from "#testing/chain/generated-block";
import { plannedBlocks } from "#testing/chain/planned-blocks";
import { transferLog } from "#testing/chain/tiny-recording";
import { asFullBlock, type RawBlock } from "../block.ts";
import { checkBlock } from "../integrity.ts";
import { hexOf } from "../keccak.ts";
import { createdBy } from "./derived.ts";
import { encodeTransaction, signedContent } from "./encode.ts";
import { senderOf } from "./sender.ts";
import { orderedRoot } from "./trie.ts";

const sender = accountOf("sender");
const TOKEN = `0x${"c0".repeat(20)}`;
const plan = (type: 0 | 1 | 2 | 3 | 4, more: Partial<PlannedTransaction> = {}): PlannedTransaction => ({
  ...{ from: sender, to: TOKEN, type, nonce: type, logs: [transferLog(TOKEN, sender.address, MINER, 5n)] },
  ...more,
});
const PARENT = word("parent");
const expectedOf = ({ number, hash, parentHash }: RawBlock) => ({ number: Number(number), hash, parentHash });

describe("the root of a list", () => {
  const values = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => Uint8Array.from({ length }, (_, k) => ((i * 7 + k + 1) % 251) + 1));
  // Computed with @ethereumjs/mpt 10.1.3, value by value.
  test.each([
    [0, 1, "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"],
    [1, 1, "0x0c6c0e36f63e44856ee063dbf497da186454b1a857b286686461207698a894c5"],
    [2, 1, "0x7cd813113c65c7a9efac2f34ee4fc509eda2ddf490ee4ad6609354e086b590b5"],
    [2, 40, "0x5cea0ee4dfa69199a8b47eac6595256dd0f68a05c70d3fd92e11fdd29e22fb9b"],
    [16, 1, "0xce269a0c6b809c09e9e5d18f9edc4c8fc7c9c626100ae7d48ec7de7c9bf61863"],
    [17, 40, "0x673933dd9cc5a682234a39c2e6476cc7dc7a9f26c5ebc674df785635a5e564e1"],
    [127, 1, "0xb282527ff8b294cb09bee61be95e16f5aa1aa38d8fcfd7ba84cbde424b9a519c"],
    [128, 40, "0xaeaa58ccb1b6aba5e43b0d2d55ca3384d99cd30d737718813eb03906d9158c23"],
    [129, 1, "0x799615acb8ba0625bb50a26cec69b617bba3c997c5c656ef475c9346d64fab81"],
    [300, 40, "0x1a97a2aadb951de5c81286100f1c19b596ff21566b9ba9cbf06b0f209c209f0d"],
    [1000, 1, "0xd3c03d316892aa08b7329b84cc2826c4bfc6601b1b16bbd3e0bdb2951d5f9f4f"],
  ])("of %i values of %i bytes", (count, length, root) => {
    expect(orderedRoot(values(count, length))).toBe(root);
  });
});

describe("a transaction of each type, as ethers signs it", () => {
  const cases = [
    ["before EIP-155", plan(0, { unprotected: true })],
    ...([0, 1, 2, 3, 4] as const).map((type) => [`type ${type}`, plan(type)] as const),
    ["that creates a contract", plan(2, { to: null, input: `0x${"60".repeat(80)}`, value: 2n ** 80n })],
  ] as const;
  test.each(cases)("%s", (_, planned) => {
    const { block, receipts } = generatedBlock(
      { number: 7, timestamp: 1_700_000_000, transactions: [planned] },
      PARENT,
    );
    const [transaction] = block.transactions;
    const raw = hexOf(encodeTransaction(transaction!));
    const theirs = Transaction.from(raw);
    expect([theirs.hash, theirs.serialized, theirs.from?.toLowerCase()]).toEqual([
      transaction!.hash,
      raw,
      sender.address,
    ]);
    expect(keccak256(signedContent(transaction!).content)).toBe(theirs.unsignedHash);
    expect(senderOf(transaction!)).toBe(sender.address);
    const full = asFullBlock(JSON.parse(JSON.stringify(block)), JSON.parse(JSON.stringify(receipts)));
    checkBlock(full.block, full.receipts, expectedOf(full.block));
  });

  test("a signature that is nobody's has no sender", () => {
    const [transaction] = generatedBlock({ number: 7, timestamp: 1, transactions: [plan(2)] }, PARENT).block
      .transactions;
    for (const change of [{ r: "0x0" }, { s: "0x0" }, { r: `0x${"f".repeat(64)}` }, { yParity: "0x2" }]) {
      expect(senderOf({ ...transaction!, ...change })).toBeNull();
    }
    expect(senderOf({ ...transaction!, yParity: transaction!.yParity === "0x0" ? "0x1" : "0x0" })).not.toBe(
      sender.address,
    );
  });
});

test("a created contract's address follows from sender and nonce", () => {
  // The first contract of go-ethereum's crypto tests. Source: go-ethereum, crypto/crypto_test.go, TestNewContractAddress
  const from = "0x970e8128ab834e8eac17ab8e3812f010678cf791";
  expect(createdBy(from, "0x0")).toBe("0x333c3310824b7c685133f2bedb2ca4b8b4df633d");
  expect(createdBy(from, "0x1")).toBe("0x8bda78331c916a08481428e4b07c96d3e916d165");
});

test.each(FORKS)("a block of %s holds what its header commits to", (fork: Fork) => {
  const types = {
    berlin: [0, 1],
    london: [0, 1, 2],
    shanghai: [0, 1, 2],
    cancun: [0, 1, 2, 3],
    prague: [0, 1, 2, 3, 4],
  };
  const transactions = types[fork].map((type) => plan(type as 0 | 1 | 2 | 3 | 4));
  const withdrawals = [{ index: "0x0", validatorIndex: "0xfa8ea", address: MINER, amount: "0x119204e" }];
  const { block, receipts } = generatedBlock(
    { number: 9, timestamp: 1_700_000_000, fork, transactions, withdrawals },
    PARENT,
  );
  const later = ["baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "parentBeaconBlockRoot", "requestsHash"];
  const there = later.filter((name) => name in block);
  expect(there.length).toBe({ berlin: 0, london: 1, shanghai: 2, cancun: 4, prague: 5 }[fork]);
  checkBlock(block, asFullBlock(block, receipts).receipts, expectedOf(block));
});

test("any generated block is proven, linked or in full", () => {
  fc.assert(
    fc.property(plannedBlocks, (planned) => {
      const { block, receipts } = generatedBlock(planned, PARENT);
      const full = asFullBlock(block, receipts);
      checkBlock(full.block, full.receipts, expectedOf(block));
      checkBlock(full.block, full.receipts, expectedOf(block), { verify: "linked", unsigned: false });
      for (const transaction of full.block.transactions.slice(0, 2))
        expect(senderOf(transaction)).toBe(transaction.from);
    }),
    { numRuns: 25 },
  );
});
