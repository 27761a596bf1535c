import type { EventId, WalletId } from "#units/ids";
import { type Horizon, type Instant, instant, millis } from "#units/time";
import { type Closes, forwardReturn, type Window, windowOf } from "./forward-return.ts";
import { type Direction, type Outcome, outcomeOf } from "./outcome.ts";
import { marketReturn, type Risk, riskGrid, riskOf, riskStep } from "./volatility.ts";

/** Event types that say where a wallet leans on an asset. */
export const DIRECTIONAL_TYPES = ["swap", "cex_deposit", "cex_withdrawal"] as const;

/** An outcome waits this long after its last bar, so that the bar is in the prices of every asset. */
const SYNC_SECONDS = 60;

/** A directional event without an outcome on one horizon. */
export interface Due {
  readonly eventId: EventId;
  readonly walletId: WalletId;
  readonly asset: string;
  readonly direction: Direction;
  readonly observedAt: Instant;
  readonly horizon: Horizon;
}

export interface Settled extends Outcome {
  readonly due: Due;
}

/** Returns whether the window of a due event has passed at `at`. */
export function isPast(due: Due, barSeconds: number, at: Instant): boolean {
  const { exitedAt } = windowOf(due.observedAt, due.horizon, barSeconds);
  return millis(exitedAt) + SYNC_SECONDS * 1000 <= millis(at);
}

/** Returns every closing time that settling `due` reads, ascending, each once. */
export function closesNeeded(due: readonly Due[], barSeconds: number): Instant[] {
  const times = new Set<number>();
  const grids = new Set<string>();
  for (const one of due) {
    const window = windowOf(one.observedAt, one.horizon, barSeconds);
    times.add(millis(window.enteredAt)).add(millis(window.exitedAt));
    const { from, to } = riskGrid(window.enteredAt, barSeconds);
    if (grids.has(to)) continue;
    grids.add(to);
    for (let t = millis(from); t <= millis(to); t += riskStep(barSeconds) * 1000) times.add(t);
  }
  return [...times].sort((a, b) => a - b).map(instant);
}

/**
 * Returns the outcomes of `due`, in its order. `closes` has the prices of every followed asset at `closesNeeded`. What
 * cannot be known (a missing bar of the asset or of another, too little past to know its risk) is left out.
 */
export function settle(due: readonly Due[], closes: ReadonlyMap<string, Closes>, barSeconds: number): Settled[] {
  const risks = new Map<string, Risk | null>();
  const riskAt = (asset: string, own: Closes, others: readonly Closes[], { enteredAt }: Window): Risk | null => {
    const key = `${asset} ${riskGrid(enteredAt, barSeconds).to}`;
    const known = risks.get(key);
    if (known !== undefined) return known;
    const risk = riskOf(own, others, enteredAt, barSeconds);
    risks.set(key, risk);
    return risk;
  };
  return due.flatMap((one) => {
    const own = closes.get(one.asset);
    if (!own) return [];
    const others = [...closes].filter(([asset]) => asset !== one.asset).map(([, series]) => series);
    const window = windowOf(one.observedAt, one.horizon, barSeconds);
    const forward = forwardReturn(own, window);
    const market = marketReturn(others.map((series) => forwardReturn(series, window)?.value ?? null));
    if (forward === null || market === null) return [];
    const risk = riskAt(one.asset, own, others, window);
    return risk === null ? [] : [{ due: one, ...outcomeOf(one.direction, one.horizon, forward, market, risk) }];
  });
}
