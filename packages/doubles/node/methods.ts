import * as z from "zod";
import type { RecordedBlock } from "#recording/blocks";
import type { Recording } from "#recording/recording";
import type { ChainView } from "./view.ts";

/** A JSON-RPC error reply. Source: JSON-RPC 2.0; codes as go-ethereum uses them. */
export class RpcReplyError extends Error {
  override name = "RpcReplyError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The JSON text of a result: a string, or bytes that are passed on as they are. */
export type JsonText = string | Uint8Array;
/** What a call was refused with: for what is no mistake of the caller, and comes often. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
}
/** @throws RpcReplyError */
export type Method = (view: ChainView, params: readonly unknown[]) => JsonText | Refusal;

const hex = (number: number): string => JSON.stringify(`0x${number.toString(16)}`);
const invalid = (message: string) => new RpcReplyError(-32602, message);

const Hash = z.string().regex(/^0x[0-9a-fA-F]{64}$/);
const Quantity = z.string().regex(/^0x[0-9a-fA-F]{1,13}$/);
const Address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const oneOrMany = <S extends z.ZodType>(schema: S) => z.union([schema, z.array(schema)]);
const LogFilter = z.object({
  address: oneOrMany(Address).nullish(),
  topics: z.array(oneOrMany(Hash).nullable()).nullish(),
  blockHash: Hash.optional(),
  fromBlock: z.string().optional(),
  toBlock: z.string().optional(),
});
type LogFilter = z.output<typeof LogFilter>;
const Log = z.looseObject({ address: z.string(), topics: z.array(z.string()) });
const LogsOfReceipts = z.array(z.looseObject({ logs: z.array(Log) }));
const FullBlock = z.looseObject({ transactions: z.array(z.looseObject({ hash: z.string() })) });
const Receipts = z.array(z.looseObject({ transactionHash: z.string() }));

function numberOf(view: ChainView, tag: unknown): number {
  if (tag === undefined || tag === null || tag === "latest" || tag === "pending") return view.head;
  if (tag === "safe") return view.safe;
  if (tag === "finalized") return view.finalized;
  if (tag === "earliest") return 0;
  const quantity = Quantity.safeParse(tag);
  if (!quantity.success) throw invalid(`invalid block number or tag: ${JSON.stringify(tag)}`);
  return Number(quantity.data);
}

const BlockHashParameter = z.object({ blockHash: Hash });
const BlockNumberParameter = z.object({ blockNumber: Quantity });

/** Returns the block of a number, a tag, a hash, or EIP-1898's object of one of them. */
function blockOf(view: ChainView, parameter: unknown): RecordedBlock | undefined {
  // A text, as it mostly is, is spared the look at the object's two shapes: a block brings sixty questions for balances.
  const { blockHash, blockNumber } = typeof parameter === "object" ? named(parameter) : { blockHash: parameter };
  const hash = Hash.safeParse(blockHash).data;
  if (hash) return view.blockOf(hash.toLowerCase());
  return view.blockAt(numberOf(view, blockNumber ?? parameter));
}

const named = (parameter: unknown): { readonly blockHash?: unknown; readonly blockNumber?: unknown } => ({
  ...BlockHashParameter.safeParse(parameter).data,
  ...BlockNumberParameter.safeParse(parameter).data,
});

/** Returns a function that remembers its last `size` results by block hash. */
function remembered<R>(size: number, compute: (block: RecordedBlock) => R): (block: RecordedBlock) => R {
  const kept = new Map<string, R>();
  return (block) => {
    const known = kept.get(block.hash);
    if (known !== undefined) return known;
    const result = compute(block);
    kept.set(block.hash, result);
    const [oldest] = kept.keys();
    if (kept.size > size && oldest !== undefined) kept.delete(oldest);
    return result;
  };
}

const parsed = <S extends z.ZodType>(schema: S, bytes: Buffer): z.output<S> =>
  schema.parse(JSON.parse(bytes.toString("utf8")));

const headerOnly = (block: RecordedBlock): string => {
  const full = parsed(FullBlock, block.blockJson);
  return JSON.stringify({ ...full, transactions: full.transactions.map(({ hash }) => hash) });
};

const includes = (allowed: string | readonly string[] | null | undefined, value: string | undefined): boolean => {
  if (allowed === null || allowed === undefined || allowed.length === 0) return true;
  if (value === undefined) return false;
  return typeof allowed === "string"
    ? allowed.toLowerCase() === value
    : allowed.some((one) => one.toLowerCase() === value);
};

/** Returns the blocks that a filter names, ascending, as far as the node knows them. */
function* blocksOf(view: ChainView, { blockHash, fromBlock, toBlock }: LogFilter): Generator<RecordedBlock> {
  if (blockHash) {
    if (fromBlock || toBlock) throw invalid("eth_getLogs: blockHash excludes fromBlock and toBlock");
    const block = view.blockOf(blockHash.toLowerCase());
    if (!block) throw new RpcReplyError(-32000, "unknown block");
    yield block;
    return;
  }
  const [from, to] = [numberOf(view, fromBlock), numberOf(view, toBlock)];
  if (from > to) throw invalid("invalid block range params");
  for (let number = from; number <= Math.min(to, view.head); number += 1) {
    const block = view.blockAt(number);
    if (block) yield block;
  }
}

/** Returns a method for eth_getLogs. Source: Ethereum execution APIs, eth_getLogs */
function logsMethod(): Method {
  const logsOf = remembered(16, (block) =>
    parsed(LogsOfReceipts, block.receiptsJson).flatMap((receipt) => receipt.logs),
  );
  return (view, [parameter]) => {
    const result = LogFilter.safeParse(parameter);
    if (!result.success) throw invalid("eth_getLogs: the filter is not valid");
    const { address, topics } = result.data;
    const addresses = typeof address === "string" ? [address] : (address ?? []);
    // A search for the address in the raw bytes spares most blocks from being parsed.
    const named = (block: RecordedBlock) =>
      addresses.length === 0 || addresses.some((one) => block.receiptsJson.includes(one.toLowerCase()));
    const matches = (log: z.output<typeof Log>) =>
      includes(addresses, log.address) && (topics ?? []).every((wanted, place) => includes(wanted, log.topics[place]));
    const found: unknown[] = [];
    for (const block of blocksOf(view, result.data)) {
      if (named(block)) found.push(...logsOf(block).filter(matches));
    }
    return JSON.stringify(found);
  };
}

/** Returns a method that finds a receipt by looking for the hash in the bytes of each block, newest first. */
function receiptMethod(recording: Recording): Method {
  return (view, [hash]) => {
    const wanted = Hash.safeParse(hash).data?.toLowerCase();
    if (!wanted) throw invalid("eth_getTransactionReceipt: not a transaction hash");
    for (let number = view.head; number >= recording.manifest.fromBlock; number -= 1) {
      const block = view.blockAt(number);
      if (!block?.receiptsJson.includes(wanted)) continue;
      const receipt = parsed(Receipts, block.receiptsJson).find((one) => one.transactionHash === wanted);
      if (receipt) return JSON.stringify(receipt);
    }
    return "null";
  };
}

const BALANCE_OF = "0x70a08231";
const Call = z.looseObject({
  to: Address,
  data: z.string().optional(),
  input: z.string().optional(),
});

/** Returns the methods for balances: what was recorded, else the error of a node that pruned that state. */
function balanceMethods(recording: Recording): Record<string, Method> {
  const key = (block: number, token: string, address: string) => `${block} ${token} ${address}`;
  const known = new Map(recording.balances.map((row) => [key(row.block, row.token, row.address), row.balance]));
  const balance = (view: ChainView, parameter: unknown, token: string, address: string): string | Refusal => {
    const block = blockOf(view, parameter);
    if (!block) throw new RpcReplyError(-32000, "header not found");
    const own = view.isRecorded(block.number) && view.headerAt(block.number)?.hash === block.hash;
    const value = own ? known.get(key(block.number, token.toLowerCase(), address.toLowerCase())) : undefined;
    if (value !== undefined) return value;
    const message = `missing trie node: the recording holds no ${token} balance of ${address} at block ${block.number}`;
    return { code: -32000, message };
  };
  return {
    eth_getBalance: (view, [address, block]) => {
      const holder = Address.safeParse(address).data;
      if (!holder) throw invalid("eth_getBalance: not an address");
      const value = balance(view, block, "native", holder);
      return typeof value === "string" ? JSON.stringify(value) : value;
    },
    eth_call: (view, [parameter, block]) => {
      const call = Call.safeParse(parameter).data;
      const calldata = call?.input ?? call?.data ?? "";
      if (!call || !calldata.startsWith(BALANCE_OF) || calldata.length !== 74) {
        return { code: -32000, message: "missing trie node: a recording answers eth_call only for balanceOf(address)" };
      }
      const value = balance(view, block, call.to, `0x${calldata.slice(-40)}`);
      return typeof value === "string" ? JSON.stringify(`0x${value.slice(2).padStart(64, "0")}`) : value;
    },
  };
}

/** Returns the JSON-RPC methods of a node that holds only a recording. Full blocks and receipts are passed on as bytes. */
export function chainMethods(recording: Recording): Readonly<Record<string, Method>> {
  const { manifest } = recording;
  const header = remembered(64, headerOnly);
  const served = (block: RecordedBlock | undefined, full: unknown): JsonText => {
    if (!block) return "null";
    return full === true ? block.blockJson : header(block);
  };
  return {
    web3_clientVersion: () =>
      JSON.stringify(`spyhop-chain-double/1 (no node: replays the ${manifest.kind} recording ${manifest.name})`),
    net_version: () => JSON.stringify(String(manifest.chainId)),
    eth_chainId: () => hex(manifest.chainId),
    eth_syncing: () => "false",
    eth_blockNumber: (view) => hex(Math.max(0, view.head)),
    eth_getBlockByNumber: (view, [tag, full]) => served(view.blockAt(numberOf(view, tag)), full),
    eth_getBlockByHash: (view, [hash, full]) => {
      const wanted = Hash.safeParse(hash).data;
      if (!wanted) throw invalid("eth_getBlockByHash: not a block hash");
      return served(view.blockOf(wanted.toLowerCase()), full);
    },
    eth_getBlockReceipts: (view, [parameter]) => blockOf(view, parameter)?.receiptsJson ?? "null",
    eth_getTransactionReceipt: receiptMethod(recording),
    eth_getLogs: logsMethod(),
    ...balanceMethods(recording),
  };
}
