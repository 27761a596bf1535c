import { STABLES } from "#units/candle";
import { millis } from "#units/time";
import type { AssetFlow, ObservedEvent, PastEvent } from "./observed-event.ts";

const HOUR_MS = 3_600_000;
const STREAK = 3;
const LARGE_FRACTION = 0.25;

/** What an event may be called. Closed: nothing from the chain becomes a word here. */
export const PATTERNS = [
  "first_buy_since_watch",
  "first_sale_since_watch",
  "accumulation_streak",
  "distribution_streak",
  "exchange_inflow",
  "exchange_outflow",
  "stable_to_exchange",
  "stable_from_exchange",
  "rotation_to_stable",
  "round_trip",
  "leverage_up",
  "leverage_down",
  "short_borrow",
  "stake",
  "unstake",
  "unstake_then_sell",
  "bridge_out",
  "bridge_in",
  "buy",
  "sale",
  "liquidation",
  "transfer",
  "other",
  "unclear",
] as const;
export type Pattern = (typeof PATTERNS)[number];

/** What policy would have a person look at. Never an order: orders come from the bias alone. */
export type ProposedAction = "watch" | "consider_long" | "consider_short";

export interface Analysis {
  readonly pattern: Pattern;
  /** Where the event leans: for its asset, or for the majors when the asset is a stablecoin. */
  readonly direction: -1 | 0 | 1;
  /** direction × strength, in [−1, 1]. */
  readonly impact: number;
  /** How sure the rule is of the pattern, in [0, 1]. Not a probability of profit. */
  readonly confidence: number;
  readonly proposedAction: ProposedAction | null;
  /** What the rule saw. */
  readonly features: Readonly<Record<string, number | boolean | string | null>>;
}

/** Strength of a pattern and confidence in it. Source: docs/glossary.md; magnitudes follow the channels' weights. */
const SCALE: Readonly<Record<Pattern, readonly [strength: number, confidence: number]>> = {
  first_buy_since_watch: [1, 0.8],
  first_sale_since_watch: [1, 0.8],
  accumulation_streak: [0.9, 0.8],
  distribution_streak: [0.9, 0.8],
  rotation_to_stable: [0.9, 0.75],
  unstake_then_sell: [1, 0.75],
  leverage_up: [0.8, 0.7],
  leverage_down: [0.3, 0.6],
  short_borrow: [0.3, 0.5],
  round_trip: [0.3, 0.4],
  buy: [0.7, 0.7],
  sale: [0.7, 0.7],
  exchange_inflow: [0.35, 0.6],
  exchange_outflow: [0.25, 0.6],
  stable_to_exchange: [0.25, 0.6],
  stable_from_exchange: [0, 0.6],
  stake: [0.15, 0.7],
  unstake: [0.15, 0.7],
  liquidation: [0.5, 0.8],
  bridge_out: [0, 0.6],
  bridge_in: [0, 0.6],
  transfer: [0, 0.6],
  other: [0, 0.5],
  unclear: [0, 0.2],
};

/** The wallet's recent past, reduced to what the rules ask. */
interface Past {
  readonly sameDirection: number;
  readonly opposite: number;
  readonly streak: number;
  readonly undone: boolean;
  readonly unstaked: boolean;
  readonly borrowedStable: boolean;
  readonly soldBefore: boolean;
}

const isStable = (asset: string | null): boolean => asset !== null && STABLES.includes(asset);

const within = (event: ObservedEvent, past: PastEvent, hours: number): boolean =>
  millis(event.timestamp) - millis(past.timestamp) <= hours * HOUR_MS;

/** `history` is newest first, by position on the chain. */
function pastOf(event: ObservedEvent, history: readonly PastEvent[]): Past {
  const swaps = history.filter((past) => past.type === "swap" && past.asset === event.asset && past.direction !== 0);
  const turn = swaps.findIndex((past) => past.direction !== event.direction);
  const lastDay = history.filter((past) => within(event, past, 24));
  return {
    sameDirection: swaps.filter((past) => past.direction === event.direction).length,
    opposite: swaps.filter((past) => past.direction === -event.direction).length,
    streak: 1 + (turn === -1 ? swaps.length : turn),
    undone: swaps.some((past) => past.direction === -event.direction && within(event, past, 1) && alike(past, event)),
    unstaked: lastDay.some((past) => past.type === "unstake" && (past.asset === event.asset || past.asset === null)),
    borrowedStable: lastDay.some((past) => past.type === "borrow" && isStable(past.asset)),
    soldBefore: lastDay.some((past) => past.type === "swap" && past.direction === -1),
  };
}

/** Two amounts are alike when neither is twice the other; unknown amounts are not. */
function alike(a: Pick<PastEvent, "notionalUsd">, b: Pick<PastEvent, "notionalUsd">): boolean {
  if (!a.notionalUsd || !b.notionalUsd) return false;
  return a.notionalUsd < 2 * b.notionalUsd && b.notionalUsd < 2 * a.notionalUsd;
}

function buyPattern(event: ObservedEvent, past: Past): Pattern {
  if (past.undone) return "round_trip";
  if (past.borrowedStable) return "leverage_up";
  if (event.isFirstSinceWatch) return "first_buy_since_watch";
  return past.streak >= STREAK ? "accumulation_streak" : "buy";
}

function salePattern(event: ObservedEvent, past: Past): Pattern {
  if (past.unstaked) return "unstake_then_sell";
  if (past.undone) return "round_trip";
  if (event.isFirstSinceWatch) return "first_sale_since_watch";
  if (past.streak >= STREAK) return "distribution_streak";
  const large = (event.sizeFraction ?? 0) >= LARGE_FRACTION;
  return large && event.otherAssets.some(isStable) ? "rotation_to_stable" : "sale";
}

/** Patterns that follow from the type alone: of an asset, and of a stablecoin. */
const BY_TYPE: Readonly<Record<string, readonly [asset: Pattern, stable: Pattern]>> = {
  cex_deposit: ["exchange_inflow", "stable_to_exchange"],
  cex_withdrawal: ["exchange_outflow", "stable_from_exchange"],
  borrow: ["short_borrow", "leverage_up"],
  stake: ["stake", "other"],
  unstake: ["unstake", "other"],
  liquidation: ["liquidation", "other"],
  bridge_out: ["bridge_out", "bridge_out"],
  bridge_in: ["bridge_in", "bridge_in"],
  transfer_in: ["transfer", "transfer"],
  transfer_out: ["transfer", "transfer"],
  complex: ["unclear", "unclear"],
};

function patternOf(event: ObservedEvent, past: Past): Pattern {
  if (event.asset === null) return "unclear";
  const stable = isStable(event.asset);
  if (event.type === "swap" && !stable && event.direction !== 0) {
    return event.direction === 1 ? buyPattern(event, past) : salePattern(event, past);
  }
  if (event.type === "repay" && stable && past.soldBefore) return "leverage_down";
  return BY_TYPE[event.type]?.[stable ? 1 : 0] ?? "other";
}

function directionOf(pattern: Pattern, event: ObservedEvent): -1 | 0 | 1 {
  if (pattern === "other" || pattern === "unclear") return 0;
  if (event.type === "swap") return event.direction;
  if (["exchange_outflow", "stable_to_exchange", "leverage_up", "stake"].includes(pattern)) return 1;
  if (["exchange_inflow", "short_borrow", "unstake", "liquidation", "leverage_down"].includes(pattern)) return -1;
  return 0;
}

const proposal = (impact: number): ProposedAction | null => {
  if (impact === 0) return null;
  if (Math.abs(impact) < 0.5) return "watch";
  return impact > 0 ? "consider_long" : "consider_short";
};

/**
 * Returns what an event means by rule: the first pattern that fits. `history` is the wallet's earlier events of seven
 * days, newest first by position on the chain; `flow` is what the others did with the asset. Flow in the same direction
 * makes the rule surer, flow against it less sure; it never changes the direction.
 */
export function analyze(event: ObservedEvent, history: readonly PastEvent[], flow: AssetFlow): Analysis {
  const past = pastOf(event, history);
  const pattern = patternOf(event, past);
  const direction = directionOf(pattern, event);
  const [strength, base] = SCALE[pattern];
  const gross = flow.boughtUsd + flow.soldUsd;
  const lean = gross > 0 ? (flow.boughtUsd - flow.soldUsd) / gross : 0;
  const confidence = Math.min(1, Math.max(0, base + 0.1 * lean * direction));
  const impact = direction === 0 ? 0 : direction * strength;
  return {
    pattern,
    direction,
    impact,
    confidence: Math.round(confidence * 1000) / 1000,
    proposedAction: proposal(impact),
    features: {
      sameDirection: past.sameDirection,
      opposite: past.opposite,
      streak: past.streak,
      undoneWithinHour: past.undone,
      unstakedWithinDay: past.unstaked,
      borrowedStableWithinDay: past.borrowedStable,
      firstSinceWatch: event.isFirstSinceWatch,
      sizeFraction: event.sizeFraction,
      notionalUsd: event.notionalUsd,
      flowLean: Math.round(lean * 1000) / 1000,
    },
  };
}
