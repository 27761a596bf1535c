import { expect, test } from "vitest";
import { decimalOf } from "#units/decimal";
import { POLICY } from "./policy.ts";
import { Trigger, triggerOf } from "./trigger.ts";

const sized = (s: number, phase: "enter" | "hold" | "exit", held: string, target: string) => ({
  ...{ s, phase, held: decimalOf(held), target: decimalOf(target), cap: decimalOf("15"), rest: null },
});

test.each<[string, Parameters<typeof triggerOf>[0], boolean, Trigger]>([
  ["flat", sized(0.31, "enter", "0", "12"), false, { crossed: "enter", value: 0.31, threshold: 0.25 }],
  ["flat, down", sized(-0.31, "enter", "0", "-12"), false, { crossed: "enter", value: -0.31, threshold: 0.25 }],
  ["weak", sized(0.08, "exit", "12", "0"), false, { crossed: "exit", value: 0.08, threshold: 0.1 }],
  ["weakly against", sized(-0.05, "exit", "12", "0"), false, { crossed: "exit", value: -0.05, threshold: 0.1 }],
  ["against", sized(-0.15, "exit", "12", "0"), false, { crossed: "turned", value: -0.15, threshold: 0.1 }],
  [
    "against, enough to enter",
    sized(-0.4, "enter", "12", "-9"),
    false,
    { crossed: "turned", value: -0.4, threshold: 0.25 },
  ],
  ["a short, against", sized(0.4, "enter", "-12", "9"), false, { crossed: "turned", value: 0.4, threshold: 0.25 }],
  ["old", sized(0, "exit", "12", "0"), true, { crossed: "stale", value: 0, threshold: 0.1 }],
  ["larger", sized(0.5, "enter", "8", "12"), false, { crossed: "grow", value: 0.5, threshold: 0.5 }],
  ["smaller", sized(0.3, "enter", "12", "8"), false, { crossed: "shrink", value: 0.333333, threshold: 0.35 }],
  ["smaller, held only", sized(-0.2, "hold", "-12", "-9"), false, { crossed: "shrink", value: 0.25, threshold: 0.35 }],
  [
    "against, by the threshold itself",
    sized(-0.1, "hold", "12", "9"),
    false,
    { crossed: "turned", value: -0.1, threshold: 0.1 },
  ],
  ["back under the cap", sized(0.3, "enter", "20", "10"), false, { crossed: "shrink", value: 0.5, threshold: 0.35 }],
  [
    "under the cap, and left alone",
    { ...sized(0.3, "enter", "12", "9"), rest: "weak_once" },
    false,
    { crossed: "shrink", value: 0.25, threshold: 0.35 },
  ],
  ["less than a lot", sized(0.3, "enter", "12", "0"), false, { crossed: "shrink", value: 1, threshold: 0.35 }],
])("which threshold was crossed: %s", (_, sizing, stale, trigger) =>
  expect(triggerOf(sizing, { stale, mustReduce: false }, POLICY)).toEqual(trigger),
);

test("what the limits do not allow, and what the kill switch alone makes due, are named as such", () => {
  const above = { ...sized(0.5, "enter", "20", "20"), rest: null };
  const cap: Trigger = { crossed: "cap", value: 20, threshold: 15 };
  expect(triggerOf(above, { stale: false, mustReduce: false }, POLICY)).toEqual(cap);
  const left = { ...sized(0.05, "exit", "20", "0"), rest: "weak_once" } as const;
  expect(triggerOf(left, { stale: false, mustReduce: false }, POLICY)).toEqual(cap);
  const less = sized(0.3, "enter", "12", "9");
  const reducing: Trigger = { crossed: "reducing", value: 0.25, threshold: 0.35 };
  expect(triggerOf(less, { stale: false, mustReduce: true }, POLICY)).toEqual(reducing);
  const muchLess = sized(0.3, "enter", "12", "6");
  expect(triggerOf(muchLess, { stale: false, mustReduce: true }, POLICY)).toMatchObject({ crossed: "shrink" });
});

test("no signal is none against what is held, though a policy closes at none alone", () => {
  const none = sized(0, "exit", "12", "0");
  const trigger = triggerOf(none, { stale: false, mustReduce: false }, { ...POLICY, exit: 0 });
  expect(trigger).toEqual({ crossed: "exit", value: 0, threshold: 0 });
});

test.each(["enter", "exit", "turned", "grow", "shrink", "cap", "reducing", "stale"])(
  "a stored trigger that says %s is read with its figures; another word is refused",
  (crossed) => {
    const kept = { crossed, value: 0.3, threshold: 0.25 };
    expect(Trigger.parse(kept)).toEqual(kept);
    expect(Trigger.safeParse({ ...kept, crossed: "" }).success).toBe(false);
    expect(Trigger.safeParse({ ...kept, value: "0.3" }).success).toBe(false);
  },
);
