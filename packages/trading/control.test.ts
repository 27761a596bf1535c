import { expect, test } from "vitest";
import { instantOf } from "#units/time";
import { type AskedByHand, type ControlChange, changeByHand, type StoredControl, tightening } from "./control.ts";
import { CONTROL_STATES, type Control } from "./plans/limits.ts";

const AT = instantOf("2022-06-21T01:00:00.000Z");
const now = (state: Control["state"]): StoredControl => ({
  ...{ state, epoch: 3, reason: "daily loss", actor: "reconcile-orders", changedAt: AT, lifts: [] },
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

const asked = (to: AskedByHand["to"], overrides: Partial<AskedByHand> = {}): AskedByHand => ({
  ...{ mode: "demo", to, inDoubt: 0, confirmed: false },
  ...overrides,
});

test("a person may always tighten, whatever is in doubt and in whichever mode", () => {
  for (const [index, from] of CONTROL_STATES.entries())
    for (const to of CONTROL_STATES.slice(index + 1))
      expect(changeByHand(now(from), asked(to, { mode: "live", inDoubt: 3 }))).toEqual({ state: to });
});

test("what it is already stays, also unconfirmed and in doubt", () => {
  for (const state of CONTROL_STATES)
    expect(changeByHand(now(state), asked(state, { mode: "live", inDoubt: 1 }))).toBe("stays");
});

test("to loosen wants every order's fate known, and in live a confirmation, which lifts no doubt", () => {
  const looser = [["HALTED", "REDUCING"] as const, ["HALTED", "ACTIVE"] as const, ["REDUCING", "ACTIVE"] as const];
  for (const [from, to] of looser) {
    expect(changeByHand(now(from), asked(to))).toEqual({ state: to });
    expect(changeByHand(now(from), asked(to, { inDoubt: 1, confirmed: true }))).toEqual({
      refused: "an order is in doubt: npm run status names them, npm run judge decides one",
    });
    expect(changeByHand(now(from), asked(to, { mode: "live" }))).toEqual({
      refused: "live trades with money: add --yes if you mean it",
    });
    expect(changeByHand(now(from), asked(to, { mode: "live", confirmed: true }))).toEqual({ state: to });
  }
});

test("a new epoch of the same state is asked for as a loosening is", () => {
  for (const state of CONTROL_STATES) {
    expect(changeByHand(now(state), asked(null))).toEqual({ state });
    expect(changeByHand(now(state), asked(null, { inDoubt: 2 }))).toHaveProperty("refused");
    expect(changeByHand(now(state), asked(null, { mode: "live" }))).toHaveProperty("refused");
  }
});
