import { expect, test } from "vitest";
import { instantOf } from "#units/time";
import { type ControlChange, type StoredControl, tightening } from "./control.ts";
import type { Control } from "./plans/limits.ts";

const AT = instantOf("2022-06-21T01:00:00.000Z");
const now = (state: Control["state"]): StoredControl => ({
  ...{ state, epoch: 3, reason: "daily loss", actor: "reconcile-orders", changedAt: AT },
});
const to = (state: Control["state"], overrides: Partial<ControlChange> = {}): ControlChange => ({
  ...{ state, reason: "daily loss", actor: "reconcile-orders", at: instantOf("2022-06-21T01:01:00.000Z") },
  ...overrides,
});

test("the desk only tightens", () => {
  expect(tightening(now("ACTIVE"), to("REDUCING"))).toBe("change");
  expect(tightening(now("ACTIVE"), to("HALTED"))).toBe("change");
  expect(tightening(now("REDUCING"), to("HALTED"))).toBe("change");
  expect(tightening(now("HALTED"), to("REDUCING"))).toBe("stays");
  expect(tightening(now("HALTED"), to("ACTIVE"))).toBe("stays");
  expect(tightening(now("REDUCING"), to("REDUCING"))).toBe("stays");
});

test("what this actor did at this instant is repeated; another actor's, or another instant's, is not", () => {
  expect(tightening(now("REDUCING"), to("REDUCING", { at: AT }))).toBe("repeated");
  expect(tightening(now("REDUCING"), to("REDUCING", { at: AT, reason: "drawdown" }))).toBe("repeated");
  expect(tightening(now("REDUCING"), to("REDUCING", { at: AT, actor: "submit-order" }))).toBe("stays");
  expect(tightening(now("REDUCING"), to("HALTED", { at: AT }))).toBe("change");
});
