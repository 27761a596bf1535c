import * as fc from "fast-check";
import { WETH } from "#chain/tokens";
import { TOPIC } from "#chain/topics";
import {
  accountOf,
  FORKS,
  MINER,
  type PlannedBlock,
  type PlannedLog,
  type PlannedTransaction,
} from "./generated-block.ts";
import { transferLog } from "./tiny-recording.ts";

const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const POOL = "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640"; // USDC/WETH 0.05 %
/** Who sends and receives in planned blocks; the first three are worth watching. */
export const PEOPLE = ["ada", "ben", "cid", "dot", "eva"].map(accountOf);

const person = fc.constantFrom(...PEOPLE);
const place = fc.constantFrom(...PEOPLE.map(({ address }) => address), POOL, MINER);
const amount = fc.bigInt({ min: 0n, max: 10n ** 24n });
const padded = (address: string): string => `0x${address.slice(2).padStart(64, "0")}`;
const uint = (value: bigint): string => BigInt.asUintN(256, value).toString(16).padStart(64, "0");

const transfer = fc
  .record({ token: fc.constantFrom(USDC, WETH, `0x${"e5".repeat(20)}`), from: place, to: place, amount })
  .map((one) => transferLog(one.token, one.from, one.to, one.amount));
const wrapping = fc
  .record({ topic: fc.constantFrom(TOPIC.wethDeposit, TOPIC.wethWithdrawal), holder: place, amount })
  .map(
    (one): PlannedLog => ({ address: WETH, topics: [one.topic, padded(one.holder)], data: `0x${uint(one.amount)}` }),
  );
const swap = fc.record({ to: place, a: amount, b: amount }).map(
  ({ to, a, b }): PlannedLog => ({
    address: POOL,
    topics: [TOPIC.v3Swap, padded(to), padded(to)],
    data: `0x${[a, -b, 1n, 1n, 1n].map(uint).join("")}`,
  }),
);
const strange = fc
  .record({
    topics: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 4 }),
    data: fc.uint8Array(),
  })
  .map(
    ({ topics, data }): PlannedLog => ({
      address: USDC,
      topics: topics.map((topic) => `0x${Buffer.from(topic).toString("hex")}`),
      data: `0x${Buffer.from(data).toString("hex")}`,
    }),
  );

/** The types of transactions that each fork knows. */
const TYPES = [1, 2, 2, 3, 4] as const;

const transaction = (fork: number): fc.Arbitrary<PlannedTransaction> =>
  fc
    .record({
      from: person,
      to: fc.option(place, { freq: 8 }),
      logs: fc.array(fc.oneof(transfer, transfer, wrapping, swap, strange), { maxLength: 5 }),
      type: fc.integer({ min: 0, max: TYPES[fork] ?? 0 }).map((type) => type as 0 | 1 | 2 | 3 | 4),
      nonce: fc.nat({ max: 300 }),
      value: fc.oneof(fc.constant(0n), amount),
      input: fc.uint8Array({ maxLength: 100 }).map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`),
      gasUsed: fc.integer({ min: 21_000, max: 900_000 }),
      failed: fc.boolean(),
      unprotected: fc.boolean(),
    })
    // Neither blobs nor a delegation can create a contract. Source: EIP-4844, EIP-7702
    .map((one) => (one.to === null && one.type > 2 ? { ...one, to: MINER } : one));

const withdrawal = fc.record({ address: place, gwei: fc.nat(), index: fc.nat() }).map(({ address, gwei, index }) => ({
  ...{ index: `0x${index.toString(16)}`, validatorIndex: "0x7", address, amount: `0x${gwei.toString(16)}` },
}));

/** Blocks of any fork from Berlin on: up to eight transactions of its types, with transfers, wraps, swaps and odd logs. */
export const plannedBlocks: fc.Arbitrary<PlannedBlock> = fc.nat({ max: FORKS.length - 1 }).chain((fork) =>
  fc.record({
    number: fc.integer({ min: 1, max: 30_000_000 }),
    timestamp: fc.integer({ min: 1_500_000_000, max: 1_900_000_000 }),
    fork: fc.constant(FORKS[fork] ?? "prague"),
    transactions: fc.array(transaction(fork), { maxLength: 8 }),
    withdrawals: fc.array(withdrawal, { maxLength: 4 }),
    branch: fc.constant("main"),
  }),
);
