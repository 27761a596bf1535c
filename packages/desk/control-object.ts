import { type ArmingLook, mustBeArmed } from "#trading/arming";
import { type ControlChange, type StoredControl, tightening, tightness } from "#trading/control";
import {
  adoptionOf,
  agrees,
  type ControlBoard,
  type FencedControl,
  fencedControl,
  objectOf,
} from "#trading/control-object";
import type { TradingMode } from "#trading/mode";
import type { ControlState } from "#trading/plans/limits";
import type { TradingStore } from "#trading/store";
import type { Instant } from "#units/time";
import { unasked } from "./account/arming.ts";

/** The part of the books that the kill switch is in. */
export type SwitchBooks = Pick<TradingStore, "control" | "tighten">;

/** The control object does not say what the books say, and could not be made to. Nothing opens meanwhile. */
export class ControlObjectError extends Error {
  override name = "ControlObjectError";
  constructor(problem: string) {
    super(`the control object does not say what the books say, and nothing opens until it does: ${problem}`);
  }
}

/**
 * Returns the books behind the control object: the kill switch that they give is the tighter of the two, read from both each
 * time it is asked for, and never ACTIVE without an object of its epoch. A tightening is in the object before it is in the
 * books: a crash in between leaves an object that opens nothing, and the next mending carries it into the books. In live it
 * is never ACTIVE without an arming that holds in its epoch either.
 */
export const fenced = (store: TradingStore, board: ControlBoard, armed: ArmingLook = unasked): TradingStore => ({
  ...store,
  control: async (mode) => {
    const [seen, booked] = await Promise.all([board.read(), store.control(mode)]);
    return withArming(mode, fencedControl(mode, booked, seen), armed);
  },
  tighten: async (mode, change) => {
    await foretell(store, board, mode, change);
    const made = await store.tighten(mode, change);
    await follow(store, board, mode);
    return made;
  },
  lift: async (account, now, by) => {
    const made = await store.lift(account, now, by);
    await follow(store, board, account.mode);
    return made;
  },
});

/**
 * Returns the books, and what the kill switch became through them last; null = it was not tightened. What tightens it may throw
 * right after, and then has no result to tell it by.
 */
export function watchedSwitch(store: TradingStore): { store: TradingStore; tightened: () => StoredControl | null } {
  let last: StoredControl | null = null;
  const tighten: TradingStore["tighten"] = async (mode, change) => {
    const made = await store.tighten(mode, change);
    last = made ?? last;
    return made;
  };
  return { store: { ...store, tighten }, tightened: () => last };
}

/** Returns the kill switch as a lack of an arming leaves it. */
async function withArming(mode: TradingMode, control: FencedControl, look: ArmingLook): Promise<FencedControl> {
  if (!mustBeArmed(mode, control)) return control;
  const verdict = await look(control.epoch);
  return "arming" in verdict ? control : { ...control, state: "REDUCING", fence: `not armed: ${verdict.problem}` };
}

/**
 * Writes a tightening to the object before the books have it, unless it says as much already. When it cannot be written the
 * books are tightened all the same: their new epoch leaves the object behind, and one that is behind opens nothing.
 */
async function foretell(store: SwitchBooks, board: ControlBoard, mode: TradingMode, change: ControlChange) {
  if (board.mode !== mode) return;
  const [seen, now] = await Promise.all([board.read(), store.control(mode)]);
  const { state, reason, actor, at: changedAt } = change;
  const { blank } = "object" in seen ? { blank: false } : seen;
  const says = "object" in seen ? fencedControl(mode, now, seen).state : "REDUCING";
  if (!blank && tightness(says) >= tightness(state)) return; // one that cannot be read may be a halt
  if (tightening(now, change) !== "change") return;
  await board.write({ mode, state, epoch: now.epoch + 1, reason, actor, changedAt, booked: false });
}

/**
 * Has the object say what the books say. One that says something tighter, which the books do not have yet, is left as it is.
 * Returns null when it says the same now, else why it does not.
 */
async function follow(store: SwitchBooks, board: ControlBoard, mode: TradingMode): Promise<string | null> {
  if (board.mode !== mode) return `it is of ${board.mode}`;
  const seen = await board.read(); // before the books: one that is written in between is not taken for a newer one
  const booked = await store.control(mode);
  if (agrees(mode, booked, seen)) return null;
  if ("problem" in seen && !seen.blank) return seen.problem; // nobody writes over what may be a halt
  const ahead = "object" in seen && adoptionOf(mode, booked, seen.object) !== null;
  return ahead ? `it is ${seen.object.state}, which the books take over next` : board.write(objectOf(mode, booked));
}

/** What a mending came to. */
export interface Mended {
  /** What the books became, when the object tightened them. */
  readonly adopted: StoredControl | null;
  /** The kill switch that holds now. */
  readonly holds: StoredControl;
  /** Why the object does not say what the books say; null = it does. */
  readonly problem: string | null;
}

/**
 * Makes books and object say the same: what the object has and the books do not tightens them, then the object is written
 * from them where it differs. One look where they agree.
 */
export async function mendControl(store: SwitchBooks, board: ControlBoard, at: Instant): Promise<Mended> {
  const { mode } = board;
  const seen = await board.read(); // before the books, as in `follow`
  const booked = await store.control(mode);
  if (agrees(mode, booked, seen)) return { adopted: null, holds: booked, problem: null };
  const change = "object" in seen ? adoptionOf(mode, booked, seen.object) : null;
  const adopted = change === null ? null : await store.tighten(mode, { ...change, at });
  const problem = await follow(store, board, mode);
  const now = await store.control(mode);
  return { adopted, holds: problem === null ? now : fencedControl(mode, now, await board.read()), problem };
}

/**
 * Carries out a person's change of the kill switch on both: what the object alone has is taken over first, a tightening is
 * in the object before it is in the books, a loosening after. Returns the reply, and why the object does not say the same;
 * null = it does.
 */
export async function changeBoth<R>(
  store: SwitchBooks,
  board: ControlBoard,
  asked: { readonly mode: TradingMode; readonly to: ControlState | null } & Omit<ControlChange, "state">,
  command: () => Promise<R>,
): Promise<{ readonly reply: R; readonly problem: string | null }> {
  const { mode, to, reason, actor, at } = asked;
  if (mode === board.mode) await mendControl(store, board, at);
  if (to !== null) await foretell(store, board, mode, { state: to, reason, actor, at });
  const reply = await command();
  return { reply, problem: await follow(store, board, mode) };
}
