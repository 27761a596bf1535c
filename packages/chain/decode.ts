import { big, type Decimal, fixed, text, units } from "#units/decimal";
import { idOf, type WalletId } from "#units/ids";
import { type Instant, instant } from "#units/time";
import type { RawBlock } from "./block.ts";
import { classify, type Verdict } from "./classify.ts";
import type { ChainEvent, EventType, Evidence } from "./event.ts";
import type { LabelBook } from "./labels.ts";
import { amountOf } from "./leg.ts";
import type { Role } from "./markers.ts";
import type { Leg, Move } from "./net.ts";
import { WETH } from "./tokens.ts";
import { notionalUsd, type Prices, sizeFraction } from "./value.ts";

/** What decoding needs besides the moves. */
export interface DecodeContext {
  readonly chain: string;
  readonly block: RawBlock;
  readonly observedAt: Instant;
  readonly labels: LabelBook;
  /** Known when the block was mined, stablecoins included (`withStables`). */
  readonly prices: Prices;
  /** Watched wallet → its row's id. */
  readonly walletIds: ReadonlyMap<string, WalletId>;
  /** Wallet → USD of its priced tokens at the end of the block before; null or absent = unknown. */
  readonly equity: ReadonlyMap<string, Decimal | null>;
}

/** Returns the events of a block's moves, in block order, per transaction by log index. None is first since watch yet. */
export function eventsOf(moves: readonly Move[], context: DecodeContext): ChainEvent[] {
  const day = instant(Number(context.block.timestamp) * 1000).slice(0, 10);
  return moves.flatMap((move) => {
    const verdict = classify(move, context.labels, context.prices, day);
    const walletId = context.walletIds.get(move.wallet);
    if (!verdict || !walletId) return [];
    if (verdict.roles.length === 0 && move.wrap) return [wrapEvent(move, verdict, walletId, context)];
    const roles = [...verdict.roles].sort((a, b) => a.leg.logIndex - b.leg.logIndex);
    return roles.map((role) => roleEvent(role, move, verdict, walletId, context));
  });
}

function roleEvent(role: Role, move: Move, verdict: Verdict, walletId: WalletId, context: DecodeContext): ChainEvent {
  const { leg } = role;
  const asset = leg.token?.asset ?? "unknown"; // roles are made of allow-listed legs only
  const amount = big(amountOf(leg)).abs();
  const price = priceOf(leg, verdict, context.prices);
  const notional = price && notionalUsd(context.prices, price.of, price.amount);
  return {
    ...common(move, walletId, leg.logIndex, context),
    type: role.type,
    asset,
    tokenAddress: leg.address,
    amount: text(amount),
    direction: role.direction,
    notionalUsd: notional,
    sizeFraction: sizeFraction(notional, context.equity.get(move.wallet) ?? null),
    venue: verdict.venue,
    counterparty: counterpartyOf(role.type, leg, verdict),
    evidence: evidenceOf(move, verdict, price?.of ?? null, context),
  };
}

function wrapEvent(move: Move, verdict: Verdict, walletId: WalletId, context: DecodeContext): ChainEvent {
  const amount = units(move.wrap?.amount ?? 0n, 18);
  const notional = notionalUsd(context.prices, "ETH", amount);
  const type: EventType = "wrap";
  return {
    ...common(move, walletId, move.wrap?.logIndex ?? -1, context),
    type,
    asset: "ETH",
    tokenAddress: WETH,
    amount,
    direction: 0,
    notionalUsd: notional,
    sizeFraction: sizeFraction(notional, context.equity.get(move.wallet) ?? null),
    venue: verdict.venue,
    counterparty: null,
    evidence: evidenceOf(move, verdict, notional === null ? null : "ETH", context),
  };
}

function common(move: Move, walletId: WalletId, logIndex: number, { chain, block, observedAt }: DecodeContext) {
  const { hash: txHash } = move.transaction;
  return {
    id: idOf("event", chain, block.hash, txHash, logIndex, walletId),
    chain,
    walletId,
    wallet: move.wallet,
    timestamp: instant(Number(block.timestamp) * 1000),
    observedAt,
    blockNumber: Number(block.number),
    blockHash: block.hash,
    txHash,
    logIndex,
    gasPriceGwei: units(BigInt(move.receipt.effectiveGasPrice ?? move.transaction.gasPrice ?? "0x0"), 9),
    isFirstSinceWatch: false,
  };
}

interface Priced {
  readonly of: string;
  readonly amount: Decimal;
}

/** Returns what values a leg: its own price, or in a swap of two legs what the priced other side was worth. */
function priceOf(leg: Leg, { roles, legs }: Verdict, prices: Prices): Priced | null {
  const priced = (one: Leg): Priced | null => {
    const asset = one.token?.asset;
    return asset !== undefined && prices.has(asset) ? { of: asset, amount: amountOf(one) } : null;
  };
  const own = priced(leg);
  if (own || roles[0]?.type !== "swap") return own;
  const others = legs.filter((other) => other !== leg && other.token);
  return others.length === 1 && others[0] ? priced(others[0]) : null;
}

function counterpartyOf(type: EventType, leg: Leg, { venues }: Verdict): string | null {
  const parties = type === "swap" ? [...new Set(venues.map((venue) => venue.address))] : leg.counterparties;
  return parties.length === 1 ? (parties[0] ?? null) : null;
}

function evidenceOf(move: Move, verdict: Verdict, pricedBy: string | null, context: DecodeContext): Evidence {
  const price = pricedBy === null ? undefined : context.prices.get(pricedBy);
  const { transaction, receipt } = move;
  return {
    txIndex: move.txIndex,
    from: transaction.from,
    to: transaction.to ?? null,
    router: (transaction.to && context.labels.as(transaction.to, "router")?.name) || null,
    gasUsed: BigInt(receipt.gasUsed).toString(),
    legs: verdict.legs.map(evidenceLeg),
    dust: verdict.dust.map(evidenceLeg),
    venues: [...verdict.venues],
    price: price && pricedBy !== null ? { of: pricedBy, ...price } : null,
    equityUsd: context.equity.get(move.wallet) ?? null,
    quality: { decode: Number(fixed(verdict.decode, 4)), label: verdict.label },
  };
}

const evidenceLeg = (leg: Leg): Evidence["legs"][number] => ({
  asset: leg.token?.asset ?? null,
  token: leg.address,
  amount: text(big(amountOf(leg)).abs()),
  direction: leg.amount < 0n ? -1 : 1,
  logIndexes: [...leg.logIndexes],
  source: leg.source,
  counterparties: [...leg.counterparties],
});
