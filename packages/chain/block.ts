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

/** A receipt. `status` is absent before Byzantium (block 4,370,000). */
export interface RawReceipt {
  readonly transactionHash: string;
  readonly blockHash: string;
  readonly blockNumber: string;
  readonly gasUsed: string;
  readonly effectiveGasPrice?: string;
  readonly contractAddress?: string | null;
  readonly status?: string;
  readonly blobGasUsed?: string;
  readonly blobGasPrice?: string;
  readonly logs: readonly RawLog[];
}

/** A transaction in full. `to` is null when it creates a contract. */
export interface RawTransaction {
  readonly hash: string;
  readonly blockHash: string;
  readonly blockNumber: string;
  readonly from: string;
  readonly to: string | null;
  readonly value: string;
  readonly input: string;
  readonly gasPrice?: string;
}

/** A block with full transactions, as `eth_getBlockByHash(hash, true)` returns it. */
export interface RawBlock {
  readonly number: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: string;
  readonly logsBloom: string;
  readonly miner: string;
  readonly transactions: readonly RawTransaction[];
  readonly withdrawals?: readonly { readonly address: string; readonly amount: string }[];
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

/** A node's answer has not the shape that the JSON-RPC specification gives it. */
export class ShapeError extends Error {
  override name = "ShapeError";
  readonly path: string;
  constructor(path: string, expected: string) {
    super(`${path}: expected ${expected}`);
    this.path = path;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** Returns a JSON-RPC quantity ("0x1a") as a number. @throws ShapeError when it is none, or above 2^53. */
export function quantity(value: unknown, path: string): number {
  const number = typeof value === "string" && /^0x[0-9a-f]+$/i.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new ShapeError(path, "a quantity");
  return number;
}

/** Returns the header of a block object. @throws ShapeError naming the field. */
export function headerOf(value: unknown): Header {
  const block = fields(value, "block");
  return {
    number: quantity(block.number, "block.number"),
    hash: digest(block.hash, "block.hash"),
    parentHash: digest(block.parentHash, "block.parentHash"),
    timestamp: quantity(block.timestamp, "block.timestamp"),
  };
}

/**
 * Returns an untrusted answer as a block with receipts after one cheap pass over its shape; nothing is copied.
 * What the values say is `checkBlock`'s business.
 * @throws ShapeError naming the first field that is missing or of another type.
 */
export function asFullBlock(block: unknown, receipts: unknown): FullBlock {
  const fieldsOfBlock = fields(block, "block");
  headerOf(block);
  text(fieldsOfBlock, "block", "logsBloom", "miner");
  list(fieldsOfBlock.transactions, "block.transactions").forEach((item, i) => {
    const path = `transactions[${i}]`;
    const transaction = fields(item, path);
    text(transaction, path, "hash", "blockHash", "from", "value", "input");
    if (transaction.to !== null && transaction.to !== undefined) text(transaction, path, "to");
  });
  list(receipts, "receipts").forEach((item, i) => {
    const path = `receipts[${i}]`;
    const receipt = fields(item, path);
    text(receipt, path, "transactionHash", "blockHash", "gasUsed");
    list(receipt.logs, `${path}.logs`).forEach((entry, k) => {
      checkLog(entry, `${path}.logs[${k}]`);
    });
  });
  return { block: block as RawBlock, receipts: receipts as readonly RawReceipt[] };
}

function checkLog(value: unknown, path: string): void {
  const log = fields(value, path);
  text(log, path, "address", "data", "blockHash", "transactionHash", "logIndex");
  for (const topic of list(log.topics, `${path}.topics`)) {
    if (typeof topic !== "string" || topic.length !== 66) throw new ShapeError(`${path}.topics`, "32-byte words");
  }
}

function fields(value: unknown, path: string): Fields {
  if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
  return value as Fields;
}

function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ShapeError(path, "an array");
  return value;
}

function text(object: Fields, path: string, ...names: readonly string[]): void {
  for (const name of names) {
    if (typeof object[name] !== "string") throw new ShapeError(`${path}.${name}`, "text");
  }
}

function digest(value: unknown, path: string): string {
  if (typeof value !== "string" || !/^0x[0-9a-f]{64}$/.test(value)) throw new ShapeError(path, "a 32-byte hash");
  return value;
}
