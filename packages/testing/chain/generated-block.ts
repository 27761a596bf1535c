import { getCreateAddress, Signature, SigningKey, Transaction } from "ethers";
import type { Authorization, RawBlock, RawReceipt, RawTransaction, RawWithdrawal } from "#chain/block";
import { hexOf, keccakOf } from "#chain/keccak";
import { gasPriceOf } from "#chain/proof/derived";
import { encodeTransaction } from "#chain/proof/encode";
import { sha256 } from "#units/ids";
import { sealed } from "./sealed-block.ts";

/** A key that signs generated transactions, and its address in lower case. */
export interface Account {
  readonly address: string;
  readonly key: SigningKey;
}

const accounts = new Map<string, Account>();

/** Returns the account of a name, always the same. It holds nothing anywhere. */
export function accountOf(name: string): Account {
  const known = accounts.get(name);
  if (known) return known;
  const key = new SigningKey(`0x${sha256(`test account ${name}`)}`);
  const made = { key, address: hexOf(keccakOf(Buffer.from(key.publicKey.slice(4), "hex")).subarray(12)) };
  accounts.set(name, made);
  return made;
}

/** A log before it has a place in a block. */
export interface PlannedLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

export type TransactionType = 0 | 1 | 2 | 3 | 4;

/** A transaction before it has a place in a block. From an address alone it stays without a signature. */
export interface PlannedTransaction {
  readonly from: Account | string;
  /** null creates a contract. */
  readonly to: string | null;
  readonly logs: readonly PlannedLog[];
  readonly type?: TransactionType;
  readonly nonce?: number;
  readonly value?: bigint;
  readonly input?: string;
  readonly gasUsed?: number;
  readonly failed?: boolean;
  /** A legacy transaction as before EIP-155: valid on any chain. */
  readonly unprotected?: boolean;
}

/** What a header holds grew with each. */
export const FORKS = ["berlin", "london", "shanghai", "cancun", "prague"] as const;
export type Fork = (typeof FORKS)[number];

export interface PlannedBlock {
  readonly number: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly transactions: readonly PlannedTransaction[];
  /** The latest when left out. */
  readonly fork?: Fork;
  readonly withdrawals?: readonly RawWithdrawal[];
  /** Tells blocks apart that hold the same: another word, another state root. */
  readonly branch?: string;
}

/** A block and its receipts as a node's JSON. */
export interface GeneratedBlock {
  readonly block: RawBlock;
  readonly receipts: readonly RawReceipt[];
}

/** Who is paid by generated blocks. */
export const MINER = `0x${"b2".repeat(20)}`;
const GWEI = 1_000_000_000n;
const BASE_FEE = GWEI;
const CHAIN_ID = 1;
const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
/** Returns 32 bytes that follow from the parts and mean nothing. */
export const word = (...parts: readonly (string | number)[]): string => `0x${sha256(parts.join(" "))}`;

/**
 * Returns a generated block as a node of mainnet would give it: transactions of all types signed for real, by another
 * library than the one that checks them; receipts with logs, blooms and cumulative gas; all roots and the header's hash
 * valid for the fork. What nobody can check from a block alone (state root, beacon root) is invented.
 */
export function generatedBlock(planned: PlannedBlock, parentHash: string): GeneratedBlock {
  const { number, timestamp, transactions: plans, branch = "main" } = planned;
  const fork = FORKS.indexOf(planned.fork ?? "prague");
  const since = <T extends object>(name: Fork, fields: T): T | object => (fork >= FORKS.indexOf(name) ? fields : {});
  const transactions = plans.map((plan, i) => transactionOf(plan, fork, `${branch} ${number} ${i}`));
  const blobs = transactions.reduce((sum, { blobVersionedHashes: list }) => sum + (list ?? []).length, 0);
  const block = {
    number: hex(number),
    parentHash,
    timestamp: hex(timestamp),
    miner: MINER,
    difficulty: "0x0",
    extraData: "0x746573742d73706f7574",
    gasLimit: "0x1c9c380",
    nonce: "0x0000000000000000",
    mixHash: word("mix", number),
    sha3Uncles: "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    stateRoot: word("state", branch, number),
    size: "0x400",
    uncles: [],
    ...since("london", { baseFeePerGas: hex(BASE_FEE) }),
    ...since("shanghai", { withdrawals: planned.withdrawals ?? [] }),
    ...since("cancun", { blobGasUsed: hex(131_072 * blobs), excessBlobGas: "0x0" }),
    ...since("cancun", { parentBeaconBlockRoot: word("beacon", number) }),
    ...since("prague", { requestsHash: word("requests", number) }),
    transactions,
  };
  const receipts = plans.map((plan, i) => receiptOf(plan, transactions[i] as RawTransaction, fork));
  return sealed(block as unknown as RawBlock, receipts); // its roots and places are not there before it is sealed
}

/** Returns generated blocks that follow each other, the first one after `parentHash`. */
export function generatedChain(planned: readonly PlannedBlock[], parentHash: string): GeneratedBlock[] {
  const chain: GeneratedBlock[] = [];
  for (const one of planned) chain.push(generatedBlock(one, chain.at(-1)?.block.hash ?? parentHash));
  return chain;
}

const addressOf = (from: Account | string): string => (typeof from === "string" ? from : from.address);

function transactionOf(plan: PlannedTransaction, fork: number, seed: string): RawTransaction {
  const { from, to, type = 0, nonce = 0, value = 0n, input = "0x" } = plan;
  const common = { nonce: hex(nonce), gas: hex(2 * (plan.gasUsed ?? 21_000)), value: hex(value), input, to };
  const fees =
    type < 2 ? { gasPrice: hex(2n * GWEI) } : { maxFeePerGas: hex(3n * GWEI), maxPriorityFeePerGas: hex(GWEI / 2n) };
  const accessList = [{ address: MINER, storageKeys: [word("slot", seed), word("other slot", seed)] }];
  const content = {
    ...{ type: hex(type), from: addressOf(from), ...common, ...fees },
    ...(type === 0 && plan.unprotected ? {} : { chainId: hex(CHAIN_ID) }),
    ...(type > 0 ? { accessList } : {}),
    ...(type === 3 ? { maxFeePerBlobGas: hex(7), blobVersionedHashes: [blobHash(seed, 1), blobHash(seed, 2)] } : {}),
    ...(type === 4 ? { authorizationList: [authorization(seed)] } : {}),
  };
  const signed = typeof from === "string" ? unsigned(content) : signedBy(from, content);
  const baseFee = fork > 0 ? hex(BASE_FEE) : undefined;
  return (type < 2 ? signed : { ...signed, gasPrice: hex(gasPriceOf(signed, baseFee)) }) as RawTransaction;
}

const blobHash = (seed: string, n: number): string => `0x01${word("blob", seed, n).slice(4)}`;

function authorization(seed: string) {
  const { r, s, yParity } = accountOf("delegating").key.sign(word("delegation", seed));
  return { chainId: hex(CHAIN_ID), address: MINER, nonce: "0x7", yParity: hex(yParity), r: bare(r), s: bare(s) };
}

/** Returns a number without leading zeros, as a quantity. */
const bare = (padded: string): string => hex(BigInt(padded));

type Content = Readonly<Record<string, unknown>>;

function unsigned(content: Content): RawTransaction {
  const parts = { r: "0x0", s: "0x0", v: "0x0", ...(content.type === "0x0" ? {} : { yParity: "0x0" }) };
  // Its hash comes below, its place when the block is sealed.
  const transaction = { ...content, ...parts } as unknown as RawTransaction;
  return { ...transaction, hash: hexOf(keccakOf(encodeTransaction(transaction))) };
}

function signedBy({ key }: Account, content: Content): RawTransaction {
  const { from: _, gas, input, authorizationList, ...rest } = content;
  const list = (authorizationList ?? []) as readonly Authorization[];
  const pad = (part: string) => `0x${part.slice(2).padStart(64, "0")}`;
  const transaction = Transaction.from({
    ...rest,
    ...(authorizationList === undefined
      ? {}
      : {
          authorizationList: list.map(({ yParity, r, s, ...of }) => ({
            ...{ address: of.address, nonce: BigInt(of.nonce), chainId: BigInt(of.chainId) },
            signature: Signature.from({ yParity: yParity === "0x1" ? 1 : 0, r: pad(r), s: pad(s) }),
          })),
        }),
    gasLimit: gas as string,
    data: input as string,
    type: Number(content.type),
    nonce: Number(content.nonce),
  });
  transaction.signature = key.sign(transaction.unsignedHash);
  const { signature, hash } = transaction;
  if (!signature || hash === null) throw new TypeError("ethers did not sign");
  const { r, s, yParity, networkV } = signature;
  const legacyV = content.chainId === undefined ? 27 + yParity : (networkV ?? BigInt(35 + 2 * CHAIN_ID + yParity));
  const v = content.type === "0x0" ? hex(legacyV) : hex(yParity);
  const parts = { v, ...(content.type === "0x0" ? {} : { yParity: hex(yParity) }), r: bare(r), s: bare(s) };
  return { ...content, ...parts, hash } as unknown as RawTransaction; // its place comes with sealing
}

function receiptOf(plan: PlannedTransaction, transaction: RawTransaction, fork: number): RawReceipt {
  const { from, to, logs, failed = false, gasUsed = 21_000, nonce = 0 } = plan;
  const sender = addressOf(from);
  return {
    type: transaction.type,
    status: failed ? "0x0" : "0x1",
    from: sender,
    to,
    contractAddress: to === null ? getCreateAddress({ from: sender, nonce }).toLowerCase() : null,
    gasUsed: hex(gasUsed),
    effectiveGasPrice: hex(gasPriceOf(transaction, fork > 0 ? hex(BASE_FEE) : undefined)),
    ...(plan.type === 3 ? { blobGasUsed: hex(2 * 131_072), blobGasPrice: "0x1" } : {}),
    logs: failed ? [] : logs.map((log) => ({ ...log, removed: false })),
  } as unknown as RawReceipt; // sealing adds places, blooms and cumulative gas
}
