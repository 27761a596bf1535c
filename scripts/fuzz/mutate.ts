import type { FullBlock, RawBlock, RawReceipt, RawTransaction } from "#chain/block";
import { hexOf, keccakOf } from "#chain/keccak";
import { encodeTransaction } from "#chain/proof/encode";
import type { Random } from "#recording/sample/random";
import { sealed } from "#testing/chain/sealed-block";

/** A block's JSON while it is changed: anything may stand anywhere. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Place = { readonly holder: Json[] | { [name: string]: Json }; readonly key: string | number };

const isBranch = (value: Json): value is Json[] | { [name: string]: Json } =>
  typeof value === "object" && value !== null;
const at = ({ holder, key }: Place): Json => (holder as Record<string, Json>)[key] ?? null;
const put = ({ holder, key }: Place, value: Json): void => {
  (holder as Record<string, Json>)[key] = value;
};

/** Returns a random place of the answer: in the header, a transaction, a receipt or a log, at any depth. */
function placeIn(root: { block: Json; receipts: Json }, random: Random): Place {
  const { block, receipts } = root as { block: { [name: string]: Json }; receipts: Json[] };
  const rows = [
    [block],
    block.transactions as Json[],
    receipts,
    receipts.flatMap((one) => (one as { logs: Json[] }).logs),
  ];
  const list = random.pick(rows.filter((one) => one.length > 0));
  let place: Place = { holder: list, key: random.below(list.length) };
  for (;;) {
    const value = at(place);
    if (!isBranch(value)) return place;
    const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
    const deeper = keys.filter((key) => key !== "transactions");
    if (deeper.length === 0 || (Array.isArray(value) && random.chance(0.3))) return place;
    place = { holder: value, key: random.pick(deeper) };
  }
}

const text = (value: Json): string => (typeof value === "string" ? value : "0x1");

/** What a broken or lying node may write in the place of a value. */
const WRITTEN: readonly ((value: Json, random: Random) => Json | undefined)[] = [
  ...[undefined, null, "", "0x", "zz", "-0x1", "0x00", 0, 1.5, true, {}, [], "0x\ud800", `0x1${"0".repeat(64)}`].map(
    (fixed) => () => fixed as Json | undefined,
  ),
  (value) => `0x${text(value).slice(2).toUpperCase()}`,
  (value) => `0x0${text(value).slice(2)}`,
  (value) => `${text(value)}00`,
  (value) => text(value).slice(0, -1),
  (value) => text(value).toUpperCase(),
  (value) => ` ${text(value)}`,
  (value) => Number(text(value)) || 7,
  (value, random) => flipped(text(value), random),
  (value, random) => flipped(text(value), random),
  (value, random) => flipped(text(value), random),
];

function flipped(hex: string, random: Random): string {
  if (hex.length < 3) return "0x1";
  const place = 2 + random.below(hex.length - 2);
  return `${hex.slice(0, place)}${"0123456789abcdef"[random.below(16)]}${hex.slice(place + 1)}`;
}

/** Changes one place as a node might: a value written otherwise, or a list's item left out, doubled or moved. */
export function mutate(root: { block: Json; receipts: Json }, random: Random): void {
  const place = placeIn(root, random);
  const value = at(place);
  const lists = [(root.block as { transactions: Json[] }).transactions, root.receipts as Json[]];
  if (Array.isArray(value) && value.length > 0) reorder(value, random);
  else if (random.chance(0.05)) reorder(random.pick(lists), random);
  else if (random.chance(0.1))
    put(place, structuredClone(at(placeIn(root, random)))); // another field's value
  else write(place, random.pick(WRITTEN)(value, random));
}

function write(place: Place, written: Json | undefined): void {
  if (written === undefined && !Array.isArray(place.holder)) delete place.holder[place.key];
  else put(place, written ?? null);
}

function reorder(list: Json[], random: Random): void {
  const [a, b] = [random.below(list.length || 1), random.below(list.length || 1)];
  const item = list[a];
  if (item === undefined) return;
  const way = random.below(3);
  if (way === 0) list.splice(a, 1);
  else if (way === 1) list.splice(b, 0, structuredClone(item));
  else [list[a], list[b]] = [list[b] ?? null, item];
}

type Open<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Returns a block that says something else and holds together all the same: logs, outcomes, amounts and times are changed, and
 * every hash and root is computed again. Transactions whose content changed lose their signature.
 */
export function retold({ block, receipts }: FullBlock, random: Random): FullBlock {
  const copy = structuredClone({ block, receipts }) as { block: Open<RawBlock>; receipts: Open<RawReceipt>[] };
  for (let n = 1 + random.below(3); n > 0; n--) random.pick(RETELLINGS)(copy, random);
  return sealed(copy.block, copy.receipts);
}

const amount = (random: Random): string =>
  `0x${Array.from({ length: 8 }, () => (random.chance(0.4) ? random.below(2 ** 32) : 0).toString(16).padStart(8, "0")).join("")}`;

type Retelling = (full: { block: Open<RawBlock>; receipts: Open<RawReceipt>[] }, random: Random) => void;

/** Changes the logs of a random receipt that has some. */
const inLogs =
  (change: (logs: Open<RawReceipt["logs"][number]>[], random: Random) => void): Retelling =>
  ({ receipts }, random) => {
    const having = receipts.filter(({ logs }) => logs.length > 0);
    if (having.length > 0) change(random.pick(having).logs as Open<RawReceipt["logs"][number]>[], random);
  };

/** Changes the content of a random transaction. */
const inTransaction =
  (change: (transaction: Open<RawTransaction>, random: Random) => void): Retelling =>
  ({ block }, random) => {
    if (block.transactions.length === 0) return;
    const transaction = random.pick(block.transactions) as Open<RawTransaction>;
    change(transaction, random);
    Object.assign(transaction, { r: "0x0", s: "0x0" });
    transaction.hash = hexOf(keccakOf(encodeTransaction(transaction)));
  };

const RETELLINGS: readonly Retelling[] = [
  inLogs((logs, random) => {
    random.pick(logs).data = amount(random);
  }),
  inLogs((logs, random) => {
    const log = random.pick(logs);
    log.data = log.data.slice(0, 2 + 2 * random.below(log.data.length / 2));
  }),
  inLogs((logs, random) => {
    random.pick(logs).data += amount(random).slice(2);
  }),
  inLogs((logs, random) => {
    const log = random.pick(logs);
    log.topics = random.shuffled(log.topics);
  }),
  inLogs((logs, random) => {
    const log = random.pick(logs);
    log.topics = log.topics.slice(0, random.below(log.topics.length + 1));
  }),
  inLogs((logs, random) => {
    random.pick(logs).address = random.pick(logs).address;
  }),
  inLogs((logs, random) => void logs.splice(random.below(logs.length), 1)),
  inLogs((logs, random) => void logs.push(structuredClone(random.pick(logs)))),
  inLogs((logs, random) => void logs.splice(0, logs.length, ...random.shuffled(logs))),
  ({ receipts }, random) => {
    if (receipts.length > 0) random.pick(receipts).status = random.pick(["0x0", "0x1"]);
  },
  ({ block }, random) => {
    block.timestamp = `0x${(1_500_000_000 + random.below(400_000_000)).toString(16)}`;
  },
  (full, random) => {
    const gone = random.below(full.receipts.length || 1);
    full.receipts = full.receipts.filter((_, i) => i !== gone);
    full.block.transactions = full.block.transactions.filter((_, i) => i !== gone);
  },
  inTransaction((transaction, random) => {
    transaction.value = `0x${BigInt(amount(random)).toString(16)}`;
  }),
  inTransaction((transaction, random) => {
    transaction.input = amount(random);
  }),
  inTransaction((transaction, random) => {
    if (transaction.to !== null) transaction.to = `0x${amount(random).slice(26)}`;
  }),
];
