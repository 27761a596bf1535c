import type { Instant } from "#units/time";
import { CONTROL_STATES, type Control, type ControlState } from "./plans/limits.ts";

/** The kill switch of a mode, with who changed it last and why. */
export interface StoredControl extends Control {
  readonly reason: string;
  readonly actor: string;
  readonly changedAt: Instant;
}

export interface ControlChange {
  readonly state: ControlState;
  readonly reason: string;
  readonly actor: string;
  /** Time of the work. */
  readonly at: Instant;
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

/** Returns the part of a stored kill switch that decides. */
export const decisive = ({ state, epoch }: Control): Control => ({ state, epoch });
