import { fieldsOf, KIND, listOf, lowered, quantity, type Shape, ShapeError, shaped, textOf } from "./proof/shape.ts";

// What nodes give or leave out by the fork, and some as null.
type Maybe = string | null | undefined;

/** A log as `eth_getBlockReceipts` returns it: quantities and bytes are "0x…" in lower case. */
export interface RawLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly logIndex: string;
}

/** A receipt. `status` is absent before Byzantium (block 4,370,000), which has the state's `root` instead. */
export interface RawReceipt {
  readonly transactionHash: string;
  readonly blockHash: string;
  readonly blockNumber: string;
  readonly from: string;
  readonly type?: Maybe;
  readonly gasUsed: string;
  readonly cumulativeGasUsed: string;
  readonly effectiveGasPrice?: Maybe;
  readonly contractAddress?: Maybe;
  readonly status?: Maybe;
  readonly root?: Maybe;
  readonly blobGasUsed?: Maybe;
  readonly blobGasPrice?: Maybe;
  readonly logsBloom: string;
  readonly logs: readonly RawLog[];
}

/** Addresses and storage that a transaction declares beforehand.   Source: EIP-2930 */
export interface AccessEntry {
  readonly address: string;
  readonly storageKeys: readonly string[];
}

/** A signed delegation of an account's code.   Source: EIP-7702 */
export interface Authorization {
  readonly chainId: string;
  readonly address: string;
  readonly nonce: string;
  readonly yParity?: Maybe;
  readonly v?: Maybe;
  readonly r: string;
  readonly s: string;
}

/** A transaction in full. `to` is null when it creates a contract; `type` is absent on old nodes for the first type. */
export interface RawTransaction {
  readonly hash: string;
  readonly blockHash: string;
  readonly blockNumber: string;
  readonly type?: Maybe;
  readonly chainId?: Maybe;
  readonly nonce: string;
  readonly from: string;
  readonly to: string | null;
  readonly gas: string;
  readonly value: string;
  readonly input: string;
  readonly gasPrice?: Maybe;
  readonly maxFeePerGas?: Maybe;
  readonly maxPriorityFeePerGas?: Maybe;
  readonly accessList?: readonly AccessEntry[] | null | undefined;
  readonly maxFeePerBlobGas?: Maybe;
  readonly blobVersionedHashes?: readonly string[] | null | undefined;
  readonly authorizationList?: readonly Authorization[] | null | undefined;
  readonly v?: Maybe;
  readonly yParity?: Maybe;
  readonly r: string;
  readonly s: string;
}

/** What a validator took out of its stake; `amount` in gwei.   Source: EIP-4895 */
export interface RawWithdrawal {
  readonly index: string;
  readonly validatorIndex: string;
  readonly address: string;
  readonly amount: string;
}

/** What a block's hash commits to. The last six came with London, Shanghai, Cancun and Prague. */
export interface RawHeader {
  readonly parentHash: string;
  readonly sha3Uncles: string;
  readonly miner: string;
  readonly stateRoot: string;
  readonly transactionsRoot: string;
  readonly receiptsRoot: string;
  readonly logsBloom: string;
  readonly difficulty: string;
  readonly number: string;
  readonly gasLimit: string;
  readonly gasUsed: string;
  readonly timestamp: string;
  readonly extraData: string;
  readonly mixHash: string;
  readonly nonce: string;
  readonly baseFeePerGas?: Maybe;
  readonly withdrawalsRoot?: Maybe;
  readonly blobGasUsed?: Maybe;
  readonly excessBlobGas?: Maybe;
  readonly parentBeaconBlockRoot?: Maybe;
  readonly requestsHash?: Maybe;
}

/** A block with full transactions, as `eth_getBlockByHash(hash, true)` returns it. */
export interface RawBlock extends RawHeader {
  readonly hash: string;
  readonly transactions: readonly RawTransaction[];
  readonly withdrawals?: readonly RawWithdrawal[] | null | undefined;
}

/** A block and its receipts, in transaction order. */
export interface FullBlock {
  readonly block: RawBlock;
  readonly receipts: readonly RawReceipt[];
}

/** What the desk keeps of a header. `timestamp` is seconds since the epoch. */
export interface Header {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: number;
}

/** Returns the header of a block object. @throws ShapeError naming the field. */
export function headerOf(value: unknown): Header {
  const block = fieldsOf(value, "block");
  return {
    number: quantity(block.number, "block.number"),
    hash: textOf(block.hash, "block.hash", KIND.digest),
    parentHash: textOf(block.parentHash, "block.parentHash", KIND.digest),
    timestamp: quantity(block.timestamp, "block.timestamp"),
  };
}

const { quantity: number, quantity64, padded, address, digest, bytes, bloom, nonce } = KIND;

const BLOCK: Shape = [
  ...(["sha3Uncles", "stateRoot", "transactionsRoot", "receiptsRoot", "mixHash"] as const).map(
    (name) => [name, digest] as const,
  ),
  ...(["gasLimit", "gasUsed"] as const).map((name) => [name, quantity64] as const),
  ...([
    ["miner", address],
    ["logsBloom", bloom],
    ["difficulty", number],
    ["extraData", bytes],
    ["nonce", nonce],
  ] as const),
];
const BLOCK_LATER: Shape = [
  ...([
    ["baseFeePerGas", number],
    ["blobGasUsed", quantity64],
    ["excessBlobGas", quantity64],
  ] as const),
  ...(["withdrawalsRoot", "parentBeaconBlockRoot", "requestsHash"] as const).map((name) => [name, digest] as const),
];
const PLACE: Shape = [
  ["blockHash", digest],
  ["blockNumber", number],
];
const TRANSACTION: Shape = [
  ...PLACE,
  ...([
    ["hash", digest],
    ["from", address],
    ["nonce", quantity64],
    ["gas", quantity64],
  ] as const),
  ...([
    ["value", number],
    ["input", bytes],
    ["r", padded],
    ["s", padded],
  ] as const),
];
const TRANSACTION_LATER: Shape = [
  ...([
    ["to", address],
    ["type", quantity64],
    ["chainId", number],
    ["v", padded],
    ["yParity", padded],
  ] as const),
  ...(["gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "maxFeePerBlobGas"] as const).map(
    (name) => [name, number] as const,
  ),
];
const RECEIPT: Shape = [
  ...PLACE,
  ...([
    ["transactionHash", digest],
    ["from", address],
    ["logsBloom", bloom],
  ] as const),
  ...([
    ["gasUsed", quantity64],
    ["cumulativeGasUsed", quantity64],
  ] as const),
];
const STATUS = { says: '"0x0" or "0x1"', form: /^0x[01]$/ };
const RECEIPT_LATER: Shape = [
  ...([
    ["type", quantity64],
    ["status", STATUS],
    ["root", digest],
    ["contractAddress", address],
  ] as const),
  ...([
    ["effectiveGasPrice", number],
    ["blobGasUsed", number],
    ["blobGasPrice", number],
  ] as const),
];
const LOG: Shape = [
  ...PLACE,
  ...([
    ["address", address],
    ["data", bytes],
    ["transactionHash", digest],
    ["logIndex", number],
  ] as const),
];
const WITHDRAWAL: Shape = [
  ...([
    ["index", quantity64],
    ["validatorIndex", quantity64],
    ["address", address],
    ["amount", quantity64],
  ] as const),
];
const AUTHORIZATION: Shape = [
  ...([
    ["chainId", number],
    ["address", address],
    ["nonce", quantity64],
    ["r", padded],
    ["s", padded],
  ] as const),
];

/** What a type must have beyond the fields of every transaction. */
const OF_TYPE: Readonly<Record<string, readonly (keyof RawTransaction)[]>> = {
  "0x0": ["gasPrice", "v"],
  "0x1": ["chainId", "gasPrice", "accessList"],
  "0x2": ["chainId", "maxFeePerGas", "maxPriorityFeePerGas", "accessList"],
  "0x3": ["chainId", "maxFeePerGas", "maxPriorityFeePerGas", "accessList", "maxFeePerBlobGas", "blobVersionedHashes"],
  "0x4": ["chainId", "maxFeePerGas", "maxPriorityFeePerGas", "accessList", "authorizationList"],
};

/**
 * Returns an untrusted answer as a block with receipts, after one pass over every field that the desk reads or hashes:
 * each is text of its form, so that nothing later can fail on it. Nothing is copied, but where a node writes digits in
 * upper case (checksummed addresses): then all of it is taken in lower case, as it is compared. What the values say is
 * `checkBlock`'s business.
 * @throws ShapeError naming the first field that is missing or of another form.   Source: EIP-1474, execution-apis
 */
export function asFullBlock(block: unknown, receipts: unknown): FullBlock {
  try {
    return checked(block, receipts);
  } catch (error) {
    if (!(error instanceof ShapeError && error.byCase)) throw error;
    return checked(lowered(block), lowered(receipts));
  }
}

function checked(block: unknown, receipts: unknown): FullBlock {
  headerOf(block);
  const { transactions, withdrawals } = shaped(block, "block", BLOCK, BLOCK_LATER);
  listOf(transactions, "block.transactions").forEach((item, i) => {
    checkTransaction(item, `transactions[${i}]`);
  });
  if (withdrawals !== undefined && withdrawals !== null) {
    listOf(withdrawals, "block.withdrawals").forEach((item, i) => {
      shaped(item, `withdrawals[${i}]`, WITHDRAWAL);
    });
  }
  listOf(receipts, "receipts").forEach((item, i) => {
    const path = `receipts[${i}]`;
    const receipt = shaped(item, path, RECEIPT, RECEIPT_LATER);
    if ((receipt.status ?? receipt.root ?? null) === null) throw new ShapeError(`${path}.status`, STATUS.says);
    listOf(receipt.logs, `${path}.logs`).forEach((entry, k) => {
      const log = shaped(entry, `${path}.logs[${k}]`, LOG);
      checkEach(log.topics, `${path}.logs[${k}].topics`, digest);
    });
  });
  return { block: block as RawBlock, receipts: receipts as readonly RawReceipt[] };
}

function checkTransaction(item: unknown, path: string): void {
  const transaction = shaped(item, path, TRANSACTION, TRANSACTION_LATER);
  const { type, accessList, blobVersionedHashes, authorizationList } = transaction;
  for (const name of OF_TYPE[typeof type === "string" ? type : "0x0"] ?? []) {
    if ((transaction[name] ?? null) === null)
      throw new ShapeError(`${path}.${name}`, `it in a transaction of its type`);
  }
  if (present(accessList)) {
    listOf(accessList, `${path}.accessList`).forEach((entry, i) => {
      const { storageKeys } = shaped(entry, `${path}.accessList[${i}]`, [["address", address]]);
      checkEach(storageKeys, `${path}.accessList[${i}].storageKeys`, digest);
    });
  }
  if (present(blobVersionedHashes)) checkEach(blobVersionedHashes, `${path}.blobVersionedHashes`, digest);
  if (present(authorizationList)) {
    listOf(authorizationList, `${path}.authorizationList`).forEach((entry, i) => {
      shaped(entry, `${path}.authorizationList[${i}]`, AUTHORIZATION, [
        ["v", padded],
        ["yParity", padded],
      ]);
    });
  }
}

const present = (value: unknown): boolean => value !== undefined && value !== null;

function checkEach(value: unknown, path: string, kind: typeof digest): void {
  listOf(value, path).forEach((item, i) => {
    textOf(item, `${path}[${i}]`, kind);
  });
}
