import type { EventId, WalletId } from "#units/ids";
import type { Instant } from "#units/time";

/** What one event adds to a bias: direction d in [−1, 1] and weight w in [0, 1], frozen when it was seen. */
export interface Term {
  readonly eventId: EventId;
  /** Who stands behind it: its weights are capped together. */
  readonly walletId: WalletId;
  readonly at: Instant;
  readonly channel: string;
  readonly d: number;
  readonly w: number;
  /** 0 to 10; null = the wallet had no score. */
  readonly credibility: number | null;
}

/** One wallet may hold at most this share of B + K. */
export const ENTITY_CAP = 0.35;

/**
 * Returns, per wallet, the factor in (0, 1] on its weights with which none holds more than 35 % of B + K, where B is the
 * sum after capping. Wallets of `masses` with nothing get 1. At most two wallets can be over the cap at once, because
 * three of 35 % are more than all.
 */
export function capsOf(masses: ReadonlyMap<string, number>, k: number): ReadonlyMap<string, number> {
  const sorted = [...masses].sort(([, a], [, b]) => b - a); // of equal masses it is the same who comes first
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
