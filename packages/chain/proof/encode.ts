import { type NestedUint8Array, RLP } from "@ethereumjs/rlp";
import type { RawHeader, RawReceipt, RawTransaction, RawWithdrawal } from "../block.ts";
import { bytesOf } from "../keccak.ts";

type Item = Uint8Array | NestedUint8Array;
type Quantity = string | null | undefined;

const NOTHING = new Uint8Array(0);

/** Returns a quantity as RLP has it: big-endian, without leading zeros; 0 and nothing are no bytes. */
function integer(quantity: Quantity): Uint8Array {
  if (quantity === null || quantity === undefined) return NOTHING;
  let at = 2;
  while (quantity.charCodeAt(at) === 48) at += 1;
  const digits = quantity.slice(at);
  return bytesOf(digits.length % 2 ? `0x0${digits}` : `0x${digits}`);
}

/** Returns the number of a transaction's type; -1 where the text is no number. Old nodes leave out the first. */
export const typeOf = ({ type }: Pick<RawTransaction, "type">): number => Number(type ?? "0x0");

/** The types that can be encoded.   Source: EIP-155, EIP-2930, EIP-1559, EIP-4844, EIP-7702 */
export const LAST_TYPE = 4;

const accessList = ({ accessList: entries }: RawTransaction): Item[] =>
  (entries ?? []).map(({ address, storageKeys }) => [bytesOf(address), storageKeys.map(bytesOf)]);

const authorizations = ({ authorizationList: list }: RawTransaction): Item[] =>
  (list ?? []).map(({ chainId, address, nonce, yParity, v, r, s }) => [
    ...[integer(chainId), bytesOf(address), integer(nonce)],
    ...[integer(yParity ?? v), integer(r), integer(s)],
  ]);

function contentOf(tx: RawTransaction, type: number): Item[] {
  const to = tx.to === null || tx.to === undefined ? NOTHING : bytesOf(tx.to);
  const call = [integer(tx.gas), to, integer(tx.value), bytesOf(tx.input)];
  const nonce = integer(tx.nonce);
  if (type === 0) return [nonce, integer(tx.gasPrice), ...call];
  if (type === 1) return [integer(tx.chainId), nonce, integer(tx.gasPrice), ...call, accessList(tx)];
  const fees = [integer(tx.maxPriorityFeePerGas), integer(tx.maxFeePerGas)];
  const content = [integer(tx.chainId), nonce, ...fees, ...call, accessList(tx)];
  if (type === 3) return [...content, integer(tx.maxFeePerBlobGas), (tx.blobVersionedHashes ?? []).map(bytesOf)];
  return type === 4 ? [...content, authorizations(tx)] : content;
}

const encoded = (type: number, items: readonly Item[]): Uint8Array => {
  const list = RLP.encode(items as Item[]);
  if (type === 0) return list;
  const typed = new Uint8Array(list.length + 1);
  typed[0] = type;
  typed.set(list, 1);
  return typed;
};

/** Returns what a block holds of a transaction, signature included; its hash is the Keccak-256 of it. `type` 0 to 4. */
export function encodeTransaction(transaction: RawTransaction): Uint8Array {
  const type = typeOf(transaction);
  const { v, yParity, r, s } = transaction;
  const parity = type === 0 ? v : (yParity ?? v);
  return encoded(type, [...contentOf(transaction, type), integer(parity), integer(r), integer(s)]);
}

/** Returns what the sender of a transaction signed the Keccak-256 of, and which of two keys the signature means. */
export function signedContent(transaction: RawTransaction): { readonly content: Uint8Array; readonly parity: number } {
  const type = typeOf(transaction);
  const content = contentOf(transaction, type);
  if (type > 0) return { content: encoded(type, content), parity: Number(transaction.yParity ?? transaction.v) };
  const v = BigInt(transaction.v ?? "0x0");
  if (v < 35n) return { content: encoded(0, content), parity: Number(v) - 27 };
  const chainId = integer(`0x${((v - 35n) / 2n).toString(16)}`); // EIP-155
  return { content: encoded(0, [...content, chainId, NOTHING, NOTHING]), parity: Number((v - 35n) % 2n) };
}

/** Returns what a receipt's trie holds of a receipt of a transaction of `type`. */
export function encodeReceipt(
  { status, root, cumulativeGasUsed, logsBloom, logs }: RawReceipt,
  type: number,
): Uint8Array {
  const outcome = status === null || status === undefined ? bytesOf(root ?? "0x") : integer(status);
  const items = logs.map(({ address, topics, data }) => [bytesOf(address), topics.map(bytesOf), bytesOf(data)]);
  return encoded(type, [outcome, integer(cumulativeGasUsed), bytesOf(logsBloom), items]);
}

/** Returns what the withdrawals' trie holds of a withdrawal.   Source: EIP-4895 */
export const encodeWithdrawal = ({ index, validatorIndex, address, amount }: RawWithdrawal): Uint8Array =>
  RLP.encode([integer(index), integer(validatorIndex), bytesOf(address), integer(amount)]);

/** Header fields in the order of their encoding; those from `baseFeePerGas` on came later and end where the fork does. */
const HEADER = [
  ...(["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"] as const),
  ...(["difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"] as const),
  ...(["baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot"] as const),
  "requestsHash",
] as const satisfies readonly (keyof RawHeader)[];

const INTEGERS: ReadonlySet<string> = new Set([
  ...["difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"],
]);

/** Returns what a block's hash is the Keccak-256 of.   Source: yellow paper, EIP-1559, EIP-4895, EIP-4844, EIP-4788, EIP-7685 */
export function encodeHeader(header: RawHeader): Uint8Array {
  const there = HEADER.filter((name) => header[name] !== undefined && header[name] !== null);
  return RLP.encode(there.map((name) => (INTEGERS.has(name) ? integer(header[name]) : bytesOf(header[name] ?? "0x"))));
}

// What else nodes say of a block; none of it is in the header.
const BESIDE: ReadonlySet<string> = new Set([
  ...["hash", "size", "totalDifficulty", "uncles", "transactions", "withdrawals", "blockTimestamp"],
]);

/** Returns the names of a block's fields that may be a later fork's: neither of the header nor known beside it. */
export const unknownFields = (block: object): string[] =>
  Object.keys(block).filter((name) => !BESIDE.has(name) && !(HEADER as readonly string[]).includes(name));
