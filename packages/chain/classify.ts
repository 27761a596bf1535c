import { big } from "#units/decimal";
import type { EventType } from "./event.ts";
import type { LabelBook } from "./labels.ts";
import { amountOf, isMoney, isStaked, signOf } from "./leg.ts";
import { lendingVerdict, liquidityVerdict, type Role, stakingVerdict } from "./markers.ts";
import type { Leg, Move } from "./net.ts";
import { ZERO_ADDRESS } from "./tokens.ts";
import { notionalUsd, type Prices } from "./value.ts";
import { type Venue, venueNames, venuesOf } from "./venues.ts";

/** What a move is, and which of its legs become events. */
export interface Verdict {
  readonly roles: readonly Role[];
  /** All legs that counted, and those dropped as dust. */
  readonly legs: readonly Leg[];
  readonly dust: readonly Leg[];
  /** The venue's name for display; null = unknown or none. */
  readonly venue: string | null;
  readonly venues: readonly Venue[];
  /** How sure the decoding is, and how sure the label behind it, each in [0, 1]. */
  readonly decode: number;
  readonly label: number;
}

/** Legs under this share of the largest priced leg are fees, refunds and rounding. */
const DUST = "0.005";
/** An incoming transfer of less, in USD, that the wallet did not send for is an advertisement or a poisoned address. */
const POISON_USD = "1";

/** How far a decoding is trusted. */
export const DECODE = {
  exact: 1,
  /** A swap through a pool whose factory is not known, or that only looks like a swap. */
  forkedPool: 0.9,
  noPool: 0.8,
  /** Ether that was inferred from what others unwrapped. */
  inferred: 0.8,
  /** The other side is a token that is not on the allow-list. */
  unknownToken: 0.5,
  complex: 0.3,
} as const;

/** A label that is younger than the event, or without a date, is probably but not surely true of that day. */
const UNDATED_LABEL = 0.9;

/**
 * Names a move: protocols' own markers first, then labels, then the shape of what is left after dust: one leg out and
 * one in is a swap, one leg is a transfer, anything else is `complex` without a direction. Null when nothing of it is on
 * the allow-list, or when it is an unasked-for trifle. It never guesses a direction.
 * `day` is the block's date ("2022-06-21").
 */
export function classify(move: Move, labels: LabelBook, prices: Prices, day: string): Verdict | null {
  const { kept, dust } = withoutDust(move.legs, prices);
  const known = kept.filter((leg) => leg.token);
  const sender = move.transaction.from === move.wallet;
  if (known.length === 0) return wrapVerdict(move, dust);
  if (!sender && kept.length === 1 && isPoison(known, prices)) return null;
  const venues = venuesOf(move);
  const inferred = kept.some((leg) => leg.source === "unwrap-inferred") ? DECODE.inferred : DECODE.exact;
  const verdict = (
    roles: readonly Role[],
    decode: number = DECODE.exact,
    label = 1,
    venue: string | null = null,
  ): Verdict => ({
    roles,
    legs: kept,
    dust,
    venue,
    venues,
    decode: decode * inferred,
    label,
  });
  const marked = lendingVerdict(move, known, labels) ?? stakingVerdict(known, labels) ?? liquidityVerdict(move, kept);
  if (marked) return verdict(marked.roles, DECODE.exact, 1, marked.venue);
  const spam = kept.filter((leg) => !leg.token && leg.amount > 0n && !(sender && known.length === 1));
  const shape = kept.filter((leg) => !spam.includes(leg));
  const labelled = labelledVerdict(move, shape, labels, day);
  if (labelled) return verdict(labelled.roles, DECODE.exact, labelled.quality, labelled.venue);
  const swap = swapOf(venues, shape, sender);
  if (swap) return verdict(swap.roles, swap.decode, 1, venueNames(venues));
  const only = shape.length === 1 ? shape[0] : undefined;
  if (only?.token && isPlainTransfer(move, only, labels)) return verdict([transferRole(only)]);
  return verdict(complexRoles(known), DECODE.complex);
}

function withoutDust(legs: readonly Leg[], prices: Prices): { kept: readonly Leg[]; dust: readonly Leg[] } {
  const values = legs.map((leg) => notionalUsd(prices, leg.token?.asset ?? null, amountOf(leg)));
  const largest = values.reduce((max, value) => (value !== null && big(value).gt(max) ? big(value) : max), big(0));
  const isDust = (_: Leg, i: number) => {
    const value = values[i];
    return value !== null && value !== undefined && big(value).lt(largest.times(DUST));
  };
  return { kept: legs.filter((leg, i) => !isDust(leg, i)), dust: legs.filter(isDust) };
}

function wrapVerdict(move: Move, dust: readonly Leg[]): Verdict | null {
  if (!move.wrap || move.legs.length > 0) return null;
  return { roles: [], legs: [], dust, venue: "weth", venues: [], decode: DECODE.exact, label: 1 };
}

function isPoison(known: readonly Leg[], prices: Prices): boolean {
  return known.every((leg) => {
    const value = notionalUsd(prices, leg.token?.asset ?? null, amountOf(leg));
    return leg.amount > 0n && value !== null && big(value).lt(POISON_USD);
  });
}

/** Returns exchange and bridge legs where every side of every leg carries the label, and the wallet itself does not. */
function labelledVerdict(move: Move, legs: readonly Leg[], labels: LabelBook, day: string) {
  if (legs.length === 0 || legs.some((leg) => !leg.token || leg.counterparties.length === 0)) return null;
  for (const kind of ["exchange", "bridge"] as const) {
    if (labels.as(move.wallet, kind)) continue;
    const found = legs.flatMap((leg) => leg.counterparties.map((party) => labels.as(party, kind)));
    const [first] = found;
    if (!first || found.some((label) => !label)) continue;
    const type = (leg: Leg): EventType => {
      if (kind === "exchange") return leg.amount < 0n ? "cex_deposit" : "cex_withdrawal";
      return leg.amount < 0n ? "bridge_out" : "bridge_in";
    };
    const quality =
      found.every((label) => label?.date && label.date <= day) || first.source.startsWith("protocol")
        ? 1
        : UNDATED_LABEL;
    return {
      roles: legs.map((leg): Role => ({ leg, type: type(leg), direction: signOf(leg) })),
      quality,
      venue: first.name,
    };
  }
  return null;
}

interface Swapped {
  readonly roles: readonly Role[];
  readonly decode: number;
}

function swapOf(venues: readonly Venue[], legs: readonly Leg[], sender: boolean): Swapped | null {
  const [a, b] = legs;
  if (legs.length !== 2 || !a || !b || a.amount > 0n === b.amount > 0n || a.nft || b.nft) return null;
  const [out, into] = a.amount < 0n ? [a, b] : [b, a];
  if (out.token && into.token) return knownSwap(venues, out, into);
  // Anyone can emit a Transfer of an own token: believed only where the wallet sent the transaction and a pool swapped.
  if (!sender || venues.length === 0) return null;
  const leg = out.token ? out : into;
  return { roles: [{ leg, type: "swap", direction: isMoney(leg) ? 0 : signOf(leg) }], decode: DECODE.unknownToken };
}

function knownSwap(venues: readonly Venue[], out: Leg, into: Leg): Swapped {
  if (out.token?.asset === into.token?.asset) {
    return { roles: [{ leg: into, type: "wrap", direction: 0 }], decode: DECODE.exact };
  }
  const decode = decodeOf(venues);
  if (isMoney(out) && isMoney(into)) return { roles: [{ leg: into, type: "swap", direction: 0 }], decode };
  // Staked ether for ether changes the wrapping, not the exposure.
  const etherish = [out, into].every((leg) => isStaked(leg) || leg.token?.asset === "ETH");
  const risky = [out, into].filter((leg) => !isMoney(leg));
  return { roles: risky.map((leg): Role => ({ leg, type: "swap", direction: etherish ? 0 : signOf(leg) })), decode };
}

function decodeOf(venues: readonly Venue[]): number {
  if (venues.length === 0) return DECODE.noPool;
  return venues.every((venue) => venue.proven) ? DECODE.exact : DECODE.forkedPool;
}

/** A leg to or from a pool, or ether sent with calldata to an unlabelled contract, is half of something not seen. */
function isPlainTransfer(move: Move, leg: Leg, labels: LabelBook): boolean {
  const { transaction, marks, wallet } = move;
  const pools = new Set(marks.swaps.map((swap) => swap.pool));
  if (leg.counterparties.some((party) => pools.has(party) || labels.as(party, "router"))) return false;
  if (marks.swaps.length > 0 && transaction.from === wallet) return false;
  const calls = leg.source === "value" && leg.amount < 0n && transaction.input.length > 2;
  return !calls && leg.source !== "unwrap-inferred";
}

function transferRole(leg: Leg): Role {
  const direction = leg.amount < 0n ? -1 : 1;
  const minted = leg.counterparties.length === 1 && leg.counterparties[0] === ZERO_ADDRESS;
  return { leg, type: minted ? "mint_burn" : direction < 0 ? "transfer_out" : "transfer_in", direction };
}

/** Returns the risky legs of something not understood; where there are none, the first money leg that came in, or out. */
function complexRoles(known: readonly Leg[]): Role[] {
  const risky = known.filter((leg) => !isMoney(leg));
  const money = known.find((leg) => leg.amount > 0n) ?? known[0];
  const legs = risky.length > 0 ? risky : money ? [money] : [];
  return legs.map((leg): Role => ({ leg, type: "complex", direction: 0 }));
}
