import type { Horizon, Instant } from "#units/time";
import { decayOf } from "./decay.ts";

/** What one event adds to a bias: direction d in [−1, 1] and weight w in [0, 1], frozen when it was seen. */
export interface Term {
  readonly eventId: string;
  /** Who stands behind it: its weights are capped together. */
  readonly walletId: string;
  readonly at: Instant;
  readonly channel: string;
  readonly d: number;
  readonly w: number;
  /** 0 to 10; null = the wallet had no score. */
  readonly credibility: number | null;
}

/** Decayed Σ w·d, Σ w and Σ w². */
export interface Sums {
  readonly a: number;
  readonly b: number;
  readonly q: number;
}

/** Sums per wallet as of one time: all that a bias needs of the past. */
export interface Tally {
  readonly timeframe: Horizon;
  readonly at: Instant;
  readonly wallets: ReadonlyMap<string, Sums>;
}

/** One wallet may hold at most this share of B + K. */
export const ENTITY_CAP = 0.35;

export const emptyTally = (timeframe: Horizon, at: Instant): Tally => ({ timeframe, at, wallets: new Map() });

/** Returns the tally at a later time: A ← δA, B ← δB, Q ← δ²Q. @throws RangeError when `at` is earlier. */
export function advance(tally: Tally, at: Instant): Tally {
  const delta = decayOf(tally.timeframe, tally.at, at);
  const wallets = new Map(
    [...tally.wallets].map(([id, s]): [string, Sums] => [
      id,
      { a: s.a * delta, b: s.b * delta, q: s.q * delta * delta },
    ]),
  );
  return { ...tally, at, wallets };
}

function shift(tally: Tally, term: Term, sign: 1 | -1): Tally {
  const w = term.w * decayOf(tally.timeframe, term.at, tally.at);
  const old = tally.wallets.get(term.walletId) ?? { a: 0, b: 0, q: 0 };
  const next = { a: old.a + sign * w * term.d, b: old.b + sign * w, q: old.q + sign * w * w };
  return { ...tally, wallets: new Map(tally.wallets).set(term.walletId, next) };
}

/** Returns the tally with a term that is not newer than it: A ← A + w·d, B ← B + w, Q ← Q + w². */
export const add = (tally: Tally, term: Term): Tally => shift(tally, term, 1);

/** Returns the tally without a term that is in it: exactly what it adds now is taken off. */
export const retract = (tally: Tally, term: Term): Tally => shift(tally, term, -1);

/**
 * Returns, per wallet, the factor in (0, 1] on its weights with which none holds more than 35 % of B + K, where B is the
 * sum after capping. Wallets of `masses` with nothing get 1. At most two wallets can be over the cap at once, because
 * three of 35 % are more than all.
 */
export function capsOf(masses: ReadonlyMap<string, number>, k: number): ReadonlyMap<string, number> {
  const sorted = [...masses].sort(([x, a], [y, b]) => b - a || (x < y ? -1 : 1));
  let rest = sorted.reduce((sum, [, mass]) => sum + mass, 0);
  const caps = new Map(sorted.map(([id]) => [id, 1]));
  for (let over = 0; over < sorted.length; over++) {
    const total = (over * ENTITY_CAP * k + rest) / (1 - over * ENTITY_CAP);
    const limit = ENTITY_CAP * (total + k);
    const [, mass] = sorted[over] ?? ["", 0];
    if (mass <= limit || 1 - (over + 1) * ENTITY_CAP <= 0) {
      for (const [id, own] of sorted.slice(0, over)) caps.set(id, limit / own);
      return caps;
    }
    rest = sorted.slice(over + 1).reduce((sum, [, m]) => sum + m, 0);
  }
  const limit = ENTITY_CAP * ((sorted.length * ENTITY_CAP * k) / (1 - sorted.length * ENTITY_CAP) + k);
  for (const [id, own] of sorted) caps.set(id, limit / own);
  return caps;
}

/** Returns A, B and Q over all wallets, each wallet capped, summed in the order of wallet id. */
export function sumsOf(tally: Tally, k: number): Sums {
  const sorted = [...tally.wallets].sort(([x], [y]) => (x < y ? -1 : 1));
  const caps = capsOf(new Map(sorted.map(([id, sums]) => [id, Math.max(0, sums.b)])), k);
  return sorted.reduce(
    (sum, [id, own]) => {
      const cap = caps.get(id) ?? 1;
      return { a: sum.a + cap * own.a, b: sum.b + cap * own.b, q: sum.q + cap * cap * own.q };
    },
    { a: 0, b: 0, q: 0 },
  );
}
