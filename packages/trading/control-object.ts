import * as z from "zod";
import { Instant } from "#units/time";
import { type ControlChange, type StoredControl, tightness } from "./control.ts";
import { TradingMode } from "./mode.ts";
import { ControlState } from "./plans/limits.ts";

/**
 * The kill switch of a desk once more, outside of its database: a secret of its own in the cloud, a file on a laptop. It is
 * read before each POST. Without it, or with one of another epoch than the books', nothing opens; what only reduces goes.
 */
export const ControlObject = z.object({
  mode: TradingMode,
  state: ControlState,
  epoch: z.int().min(0),
  reason: z.string(),
  actor: z.string(),
  changedAt: Instant,
  /** False = a person wrote it without the database: the books take it over before anything else is done with it. */
  booked: z.boolean(),
});
export type ControlObject = z.output<typeof ControlObject>;

/**
 * What a look at the control object gave: itself, or why there is none to go by. `blank` = its place answered, and no object
 * is in it; else what it says is not known, and may be a halt.
 */
export type ControlSeen = { readonly object: ControlObject } | { readonly problem: string; readonly blank: boolean };

/** Returns what a text in the object's place says. `place` is for the message. */
export function controlIn(place: string, text: string): ControlSeen {
  try {
    return { object: ControlObject.parse(JSON.parse(text)) };
  } catch {
    return { problem: `${place} holds no control object`, blank: true };
  }
}

/** Where the control object of one mode is kept. Neither call throws for what the place did: that is the answer. */
export interface ControlBoard {
  readonly mode: TradingMode;
  /** Returns it as it is now, never as it was remembered. */
  read(): Promise<ControlSeen>;
  /** Returns null once it is written, else why it could not be; then it says what it said before. */
  write(object: ControlObject): Promise<string | null>;
}

/** A kill switch as books and object together leave it; `fence` says why it is tighter than the books say. */
export interface FencedControl extends StoredControl {
  readonly fence?: string;
}

/** Returns the object that says what the books say. */
export const objectOf = (mode: TradingMode, control: StoredControl): ControlObject => ({
  mode,
  state: control.state,
  epoch: control.epoch,
  reason: control.reason,
  actor: control.actor,
  changedAt: control.changedAt,
  booked: true,
});

/** Returns the tightest of some states. */
const tightest = (...states: readonly ControlState[]): ControlState =>
  states.reduce((a, b) => (tightness(b) > tightness(a) ? b : a));

/** Returns why the object does not let anything be opened in this epoch of the books; null when it does. */
function fenceOf(mode: TradingMode, { epoch }: StoredControl, seen: ControlSeen): string | null {
  if ("problem" in seen) return `the control object: ${seen.problem}`;
  const { object } = seen;
  if (object.mode !== mode) return `the control object is of ${object.mode}`;
  if (!object.booked)
    return `the control object is ${object.state} by ${object.actor}, and the books do not have it yet`;
  if (object.epoch !== epoch) return `the control object is of epoch ${object.epoch}, the books of ${epoch}`;
  return null;
}

/**
 * Returns the kill switch that holds: the tighter of the books and the object, and never ACTIVE where the object is absent,
 * of another mode or of another epoch. An object of an older epoch that the books had is only that: old.
 */
export function fencedControl(mode: TradingMode, booked: StoredControl, seen: ControlSeen): FencedControl {
  const fence = fenceOf(mode, booked, seen);
  const counts = "object" in seen && seen.object.mode === mode && !isOutdated(seen.object, booked);
  const states = [...(counts ? [seen.object.state] : []), ...(fence === null ? [] : (["REDUCING"] as const))];
  const state = tightest(booked.state, ...states);
  return state === booked.state || fence === null ? { ...booked, state } : { ...booked, state, fence };
}

/** Whether the books have had this object, and changed since. */
const isOutdated = (object: ControlObject, { epoch }: StoredControl): boolean => object.booked && object.epoch < epoch;

/**
 * Returns how the books must be tightened to hold what the object says; null when they hold it already, or when the object
 * is of before. An object that is newer than the books without being tighter means that they were put back to an older
 * state: that is a person's to look at, so nothing is opened meanwhile.
 */
export function adoptionOf(
  mode: TradingMode,
  booked: StoredControl,
  object: ControlObject,
): Omit<ControlChange, "at"> | null {
  if (object.mode !== mode || isOutdated(object, booked)) return null;
  const { actor } = object;
  if (tightness(object.state) > tightness(booked.state)) return { state: object.state, reason: object.reason, actor };
  if (object.epoch <= booked.epoch || booked.state !== "ACTIVE") return null;
  const reason = `the control object is of epoch ${object.epoch}, the books of ${booked.epoch}: was an older database restored?`;
  return { state: "REDUCING", reason, actor };
}

/** Returns whether the object says what the books say, so that it need not be written. */
export const agrees = (mode: TradingMode, { state, epoch }: StoredControl, seen: ControlSeen): boolean =>
  "object" in seen &&
  seen.object.booked &&
  seen.object.mode === mode &&
  seen.object.state === state &&
  seen.object.epoch === epoch;
