import type { Instant } from "#units/time";
import type { TradingMode } from "./mode.ts";
import { CONTROL_STATES, type Control, type ControlState } from "./plans/limits.ts";

/** The kill switch of a mode, with who changed it last and why. */
export interface StoredControl extends Control {
  readonly reason: string;
  readonly actor: string;
  readonly changedAt: Instant;
  /** The causes that alone keep it at REDUCING, and that lift themselves once they are gone; empty = a person loosens it. */
  readonly lifts: readonly string[];
}

export interface ControlChange {
  readonly state: ControlState;
  readonly reason: string;
  readonly actor: string;
  /** Time of the work. */
  readonly at: Instant;
  /** The causes of it that lift themselves, when no other is among them; empty by default. */
  readonly lifts?: readonly string[];
}

/** Returns how tight a kill switch is: 0 = ACTIVE, 1 = REDUCING, 2 = HALTED. */
export const tightness = (state: ControlState): number => CONTROL_STATES.indexOf(state);

/**
 * Returns what a change that tightens makes of the kill switch as it is: `repeated` when this actor already made it at this
 * instant, `change` when it is tighter, else `stays`. The desk tightens by itself; loosening is a person's.
 */
export function tightening(now: StoredControl, change: ControlChange): "repeated" | "change" | "stays" {
  if (now.state === change.state && now.changedAt === change.at && now.actor === change.actor) return "repeated";
  return tightness(change.state) > tightness(now.state) ? "change" : "stays";
}

/**
 * Returns which causes alone keep a kill switch at REDUCING after one more change that `stays`; null when they are the same.
 * One that does not lift itself ends that: what else would then be over, a person has to look.
 */
export function liftsAfter(now: StoredControl, { state, lifts = [] }: ControlChange): readonly string[] | null {
  if (now.state !== "REDUCING" || state !== "REDUCING" || now.lifts.length === 0) return null;
  const after = lifts.length === 0 ? [] : [...new Set([...now.lifts, ...lifts])].sort();
  return after.length === now.lifts.length ? null : after;
}

/** Returns the part of a stored kill switch that decides. */
export const decisive = ({ state, epoch }: Control): Control => ({ state, epoch });

/** What a person asks of the kill switch, and what is known when they do. */
export interface AskedByHand {
  readonly mode: TradingMode;
  /** Null: the state that it has, in a new epoch, so that nothing leaves that was approved before. */
  readonly to: ControlState | null;
  /** Orders of the mode whose fate at the venue is not known. */
  readonly inDoubt: number;
  /** The person has said that they mean it. */
  readonly confirmed: boolean;
}

/**
 * Returns what a person's word makes of the kill switch: the state of its next epoch; `stays` when it has that state
 * already; or why it is refused. To tighten is always allowed. To loosen, or to let go on what a new epoch is asked for,
 * wants every order's fate known, and in live a confirmation.
 */
export function changeByHand(
  now: Control,
  { mode, to, inDoubt, confirmed }: AskedByHand,
): { readonly state: ControlState } | "stays" | { readonly refused: string } {
  if (to === now.state) return "stays";
  if (to !== null && tightness(to) > tightness(now.state)) return { state: to };
  if (inDoubt > 0)
    return {
      refused: `${inDoubt === 1 ? "an order is" : `${inDoubt} orders are`} in doubt: npm run status names them, npm run judge decides one`,
    };
  if (mode === "live" && !confirmed) return { refused: "live trades with money: add --yes if you mean it" };
  return { state: to ?? now.state };
}
