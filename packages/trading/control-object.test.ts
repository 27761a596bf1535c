import { expect, test } from "vitest";
import { instantOf } from "#units/time";
import type { StoredControl } from "./control.ts";
import {
  adoptionOf,
  agrees,
  type ControlObject,
  type ControlSeen,
  controlIn,
  fencedControl,
  objectOf,
} from "./control-object.ts";
import type { ControlState } from "./plans/limits.ts";

const AT = instantOf("2026-01-02T03:00:00.000Z");
const books = (state: ControlState = "ACTIVE", epoch = 4): StoredControl => ({
  ...{ state, epoch, reason: "why", actor: "anna", changedAt: AT, lifts: [] },
});
const object = (over: Partial<ControlObject> = {}): ControlObject => ({ ...objectOf("demo", books()), ...over });
const absent: ControlSeen = { problem: "is not there", blank: true };

test("an object says what the books say, and is read as it was written", () => {
  const made = object();
  expect(made).toEqual({
    mode: "demo",
    state: "ACTIVE",
    epoch: 4,
    reason: "why",
    actor: "anna",
    changedAt: AT,
    booked: true,
  });
  expect(controlIn("a file", JSON.stringify(made))).toEqual({ object: made });
  for (const text of ["", "{}", JSON.stringify({ ...made, epoch: -1 })])
    expect(controlIn("a file", text)).toEqual({ problem: "a file holds no control object", blank: true });
});

test.each<[string, StoredControl, ControlSeen, ControlState, string | undefined]>([
  ["it agrees", books(), { object: object() }, "ACTIVE", undefined],
  ["it is absent", books(), absent, "REDUCING", "the control object: is not there"],
  ["it is absent, and the books are as tight", books("REDUCING"), absent, "REDUCING", undefined],
  ["it is absent, and the books are tighter", books("HALTED"), absent, "HALTED", undefined],
  [
    "it is of another mode",
    books(),
    { object: object({ mode: "live", state: "HALTED" }) },
    "REDUCING",
    "the control object is of live",
  ],
  [
    "a person halts by it alone",
    books(),
    { object: object({ state: "HALTED", booked: false, actor: "bo" }) },
    "HALTED",
    "the control object is HALTED by bo, and the books do not have it yet",
  ],
  [
    "a person wrote it in an older epoch",
    books(),
    { object: object({ state: "HALTED", booked: false, epoch: 3 }) },
    "HALTED",
    "the control object is HALTED by anna, and the books do not have it yet",
  ],
  [
    "it is older than the books",
    books(),
    { object: object({ state: "HALTED", epoch: 3 }) },
    "REDUCING",
    "the control object is of epoch 3, the books of 4",
  ],
  [
    "it is newer than the books",
    books(),
    { object: object({ state: "HALTED", epoch: 5 }) },
    "HALTED",
    "the control object is of epoch 5, the books of 4",
  ],
  ["it is tighter in the same epoch", books(), { object: object({ state: "HALTED" }) }, "HALTED", undefined],
])("what holds where %s", (_, booked, seen, state, fence) => {
  const held = fencedControl("demo", booked, seen);
  expect([held.state, held.fence]).toEqual([state, fence]);
  expect(held).toMatchObject({ epoch: booked.epoch, reason: booked.reason });
});

test.each<[string, StoredControl, Partial<ControlObject>, unknown]>([
  ["it says the same", books(), {}, null],
  [
    "it is tighter",
    books(),
    { state: "HALTED", actor: "bo", reason: "stop" },
    { state: "HALTED", reason: "stop", actor: "bo" },
  ],
  ["it is tighter, of another mode", books(), { state: "HALTED", mode: "live" }, null],
  ["it is tighter, of before", books(), { state: "HALTED", epoch: 3 }, null],
  [
    "it is tighter, of before, and the books never had it",
    books(),
    { state: "HALTED", epoch: 3, booked: false },
    { state: "HALTED" },
  ],
  [
    "the books are older than it",
    books(),
    { epoch: 5 },
    { state: "REDUCING", reason: "the control object is of epoch 5, the books of 4: was an older database restored?" },
  ],
  ["the books are older than it, and tight", books("REDUCING"), { epoch: 5 }, null],
])("what the books take over where %s", (_, booked, over, change) => {
  const adopted = adoptionOf("demo", booked, object(over));
  if (change === null) expect(adopted).toBeNull();
  else expect(adopted).toMatchObject(change as object);
});

test("an object that says something else is written anew", () => {
  expect(agrees("demo", books(), { object: object() })).toBe(true);
  for (const over of [{ booked: false }, { mode: "live" }, { state: "HALTED" }, { epoch: 3 }] as const)
    expect(agrees("demo", books(), { object: object(over) })).toBe(false);
  expect(agrees("demo", books(), absent)).toBe(false);
});
