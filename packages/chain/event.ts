import * as z from "zod";
import { Decimal } from "#units/decimal";
import { EventId, WalletId } from "#units/ids";
import { Instant } from "#units/time";

/** What a change of one asset for one wallet was. `complex` = moved, but not understood: it has no direction. */
export const EventType = z.enum([
  "swap",
  "cex_deposit",
  "cex_withdrawal",
  "transfer_in",
  "transfer_out",
  "liquidity_add",
  "liquidity_remove",
  "stake",
  "unstake",
  "lend",
  "unlend",
  "borrow",
  "repay",
  "bridge_out",
  "bridge_in",
  "wrap",
  "mint_burn",
  "complex",
]);
export type EventType = z.infer<typeof EventType>;

const EvidenceLeg = z.object({
  /** Null = not on the allow-list. */
  asset: z.string().nullable(),
  /** "native" or the contract. */
  token: z.string(),
  /** Whole tokens; base units of an unknown token. Positive. */
  amount: Decimal,
  direction: z.union([z.literal(-1), z.literal(1)]),
  logIndexes: z.array(z.number().int()),
  source: z.enum(["log", "value", "unwrap-inferred", "balance"]),
  counterparties: z.array(z.string()),
});

/** What is needed to check an event by hand against the block: `events.raw_data`. */
export const Evidence = z.object({
  txIndex: z.number().int(),
  from: z.string(),
  to: z.string().nullable(),
  /** The label of `to`, where it is a known router. */
  router: z.string().nullable(),
  gasUsed: z.string(),
  /** All legs of the wallet in the transaction, in log order, and what was dropped as dust. */
  legs: z.array(EvidenceLeg),
  dust: z.array(EvidenceLeg),
  venues: z.array(z.object({ name: z.string(), address: z.string(), logIndex: z.number().int(), proven: z.boolean() })),
  /** Of the event's asset, or where it has none, of the other leg of a swap (`of`). */
  price: z.object({ of: z.string(), usd: Decimal, source: z.string(), openedAt: Instant.nullable() }).nullable(),
  equityUsd: Decimal.nullable(),
  /** Each in [0, 1]: how sure the decoding is, and how sure the label. */
  quality: z.object({ decode: z.number(), label: z.number() }),
});
export type Evidence = z.infer<typeof Evidence>;

/**
 * The change of one asset for one watched wallet in one transaction: a row of `events`.
 * `amount` is whole tokens and positive; `direction` is +1 gained, -1 lost, 0 none. `logIndex` is the leg's first own
 * token log, -1 for ether alone. `notionalUsd` and `sizeFraction` are null where unknown, never 0 instead.
 */
export const ChainEvent = z.object({
  id: EventId,
  chain: z.string(),
  walletId: WalletId,
  /** Lower case. */
  wallet: z.string(),
  /** Of the block. */
  timestamp: Instant,
  /** When the desk saw the block. */
  observedAt: Instant,
  blockNumber: z.number().int(),
  blockHash: z.string(),
  txHash: z.string(),
  logIndex: z.number().int(),
  type: EventType,
  asset: z.string(),
  tokenAddress: z.string(),
  amount: Decimal,
  direction: z.union([z.literal(-1), z.literal(0), z.literal(1)]),
  notionalUsd: Decimal.nullable(),
  sizeFraction: Decimal.nullable(),
  venue: z.string().nullable(),
  /** The other side, where it is one address. */
  counterparty: z.string().nullable(),
  gasPriceGwei: Decimal,
  /** The wallet's first event since it is watched, by chain position. */
  isFirstSinceWatch: z.boolean(),
  evidence: Evidence,
});
export type ChainEvent = z.infer<typeof ChainEvent>;

/** Returns an event's quality in [0, 1]: decoding × label. */
export const qualityOf = ({ quality }: Pick<Evidence, "quality">): number => quality.decode * quality.label;
