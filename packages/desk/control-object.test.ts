import fc from "fast-check";
import { expect, test } from "vitest";
import { controlInMemory } from "#local/control-board";
import { type ControlChange, type StoredControl, tightening, tightness } from "#trading/control";
import { type ControlBoard, type ControlObject, fencedControl, objectOf } from "#trading/control-object";
import { CONTROL_STATES, type ControlState } from "#trading/plans/limits";
import type { TradingStore } from "#trading/store";
import { instant, instantOf, millis } from "#units/time";
import { changeBoth, fenced, mendControl, type SwitchBooks } from "./control-object.ts";

const AT = instantOf("2026-01-05T12:00:00.000Z");
const later = (seconds: number) => instant(millis(AT) + seconds * 1000);
const booked = (state: ControlState, epoch: number): StoredControl => ({
  ...{ state, epoch },
  ...{ reason: "a test", actor: "anna", changedAt: AT, lifts: [] },
});
const change = (state: ControlState, seconds = 1): ControlChange => ({
  ...{ state, at: later(seconds) },
  ...{ reason: `to ${state}`, actor: "desk" },
});

/** A kill switch of a database that can be set to an older state, and that can be gone. */
function books(first: StoredControl) {
  const kept = { now: first, gone: false };
  const store: SwitchBooks = {
    control: async () => {
      if (kept.gone) throw new Error("the database is gone");
      return kept.now;
    },
    tighten: async (_, asked) => {
      const verdict = tightening(kept.now, asked);
      if (verdict !== "change") return verdict === "repeated" ? kept.now : null;
      const { at: changedAt, ...says } = asked;
      kept.now = { lifts: [], ...says, changedAt, epoch: kept.now.epoch + 1 };
      return kept.now;
    },
  };
  return { kept, store: store as TradingStore };
}

/** A board whose place can refuse. */
function failing(board: ControlBoard) {
  const refuse = { read: false, write: false };
  const over: ControlBoard = {
    mode: board.mode,
    read: async () => (refuse.read ? { problem: "no answer", blank: false } : board.read()),
    write: async (object) => (refuse.write ? "no answer" : board.write(object)),
  };
  return { refuse, board: over };
}
const objectIn = async (board: ControlBoard): Promise<ControlObject | null> => {
  const seen = await board.read();
  return "object" in seen ? seen.object : null;
};

test("nothing opens without an object of the books' epoch; what reduces goes; the tighter of the two holds", () => {
  const active = booked("ACTIVE", 5);
  const object = objectOf("demo", active);
  const fence = (seen: Parameters<typeof fencedControl>[2]) => fencedControl("demo", active, seen);
  expect(fence({ object })).toEqual(active);
  expect(fence({ problem: "no answer", blank: false })).toMatchObject({
    state: "REDUCING",
    fence: "the control object: no answer",
  });
  expect(fence({ object: { ...object, epoch: 4 } })).toMatchObject({
    ...{ state: "REDUCING", epoch: 5 },
    fence: "the control object is of epoch 4, the books of 5",
  });
  expect(fence({ object: { ...object, epoch: 6 } })).toMatchObject({ state: "REDUCING" });
  expect(fence({ object: { ...object, mode: "live" } })).toMatchObject({ state: "REDUCING" });
  expect(fence({ object: { ...object, state: "HALTED", booked: false } })).toMatchObject({ state: "HALTED" });
  // The books had this halt and someone has ended it: an old object holds openings back, not what reduces.
  expect(fence({ object: { ...object, state: "HALTED", epoch: 4 } })).toMatchObject({ state: "REDUCING" });
  expect(fencedControl("demo", booked("HALTED", 5), { problem: "no answer", blank: true }).state).toBe("HALTED");
});

test("a tightening is in the object before it is in the books: a crash in between is carried on", async () => {
  const { kept, store } = books(booked("ACTIVE", 1));
  const board = controlInMemory("demo");
  await mendControl(store, board, AT);
  const crashing = fenced({ ...store, tighten: () => Promise.reject(new Error("killed")) }, board);
  await expect(crashing.tighten("demo", change("HALTED"))).rejects.toThrow("killed");
  expect(kept.now.state).toBe("ACTIVE");
  expect(await fenced(store, board).control("demo")).toMatchObject({ state: "HALTED", epoch: 1 });
  expect(await mendControl(store, board, later(60))).toMatchObject({
    ...{ problem: null },
    adopted: { state: "HALTED", epoch: 2, reason: "to HALTED", actor: "desk" },
  });
  expect(await objectIn(board)).toMatchObject({ state: "HALTED", epoch: 2, booked: true });
});

test("a loosening is in the object after it is in the books; one that is lost in between opens nothing", async () => {
  const { kept, store } = books(booked("REDUCING", 3));
  const { board, refuse } = failing(controlInMemory("demo"));
  await mendControl(store, board, AT);
  const resume = async () => {
    expect(await objectIn(board)).toMatchObject({ state: "REDUCING", epoch: 3 }); // not before
    kept.now = booked("ACTIVE", 4);
    refuse.write = true;
    return "resumed";
  };
  const asked = { mode: "demo", to: "ACTIVE", reason: "checked", actor: "anna", at: later(5) } as const;
  expect(await changeBoth(store, board, asked, resume)).toEqual({ reply: "resumed", problem: "no answer" });
  expect((await fenced(store, board).control("demo")).state).toBe("REDUCING");
  refuse.write = false;
  expect(await mendControl(store, board, later(60))).toMatchObject({ adopted: null, problem: null });
  expect((await fenced(store, board).control("demo")).state).toBe("ACTIVE");
});

test("a halt that the object alone has is taken over, and not lost to what the desk does by itself", async () => {
  const { kept, store } = books(booked("ACTIVE", 7));
  const board = controlInMemory("demo");
  await board.write({ ...objectOf("demo", booked("HALTED", 2)), reason: "by keys alone", booked: false });
  expect(await fenced(store, board).tighten("demo", change("REDUCING"))).toMatchObject({ state: "REDUCING", epoch: 8 });
  expect(await objectIn(board)).toMatchObject({ state: "HALTED", reason: "by keys alone", booked: false });
  expect((await mendControl(store, board, later(60))).adopted).toMatchObject({ state: "HALTED", epoch: 9 });
  expect(kept.now).toMatchObject({ state: "HALTED", reason: "by keys alone" });
});

test("a resume first takes over a halt that the object alone has: it is then in the books that it was ended", async () => {
  const { kept, store } = books(booked("ACTIVE", 7));
  const board = controlInMemory("demo");
  await board.write({ ...objectOf("demo", booked("HALTED", 8)), booked: false });
  const asked = { mode: "demo", to: "ACTIVE", reason: "checked", actor: "anna", at: later(5) } as const;
  const command = async () => {
    expect(kept.now).toMatchObject({ state: "HALTED", epoch: 8 });
    kept.now = booked("ACTIVE", 9);
  };
  expect((await changeBoth(store, board, asked, command)).problem).toBeNull();
  expect(await objectIn(board)).toMatchObject({ state: "ACTIVE", epoch: 9, booked: true });
});

test("a database that was put back to an older state opens nothing until a person has looked", async () => {
  const { kept, store } = books(booked("ACTIVE", 9));
  const board = controlInMemory("demo");
  await mendControl(store, board, AT);
  kept.now = booked("ACTIVE", 4);
  expect((await fenced(store, board).control("demo")).state).toBe("REDUCING");
  const { adopted } = await mendControl(store, board, later(60));
  expect(adopted).toMatchObject({ state: "REDUCING", epoch: 5, reason: expect.stringContaining("older database") });
});

test("the books are tightened though the object cannot be written, and it then opens nothing", async () => {
  const { store } = books(booked("ACTIVE", 1));
  const { board, refuse } = failing(controlInMemory("demo"));
  await mendControl(store, board, AT);
  refuse.write = true;
  expect(await fenced(store, board).tighten("demo", change("REDUCING"))).toMatchObject({ epoch: 2 });
  expect((await fenced(store, board).control("demo")).state).toBe("REDUCING");
  expect((await mendControl(store, board, later(60))).problem).toBe("no answer");
});

test("law: whatever is done to either, and wherever it stops, an opening needs both to be ACTIVE in one epoch", async () => {
  const step = fc.record({
    act: fc.constantFrom("desk", "person", "keys", "mend", "restore", "lose"),
    state: fc.constantFrom(...CONTROL_STATES),
    refused: fc.boolean(),
    crash: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { kept, store } = books(booked("ACTIVE", 1));
      const { board, refuse } = failing(controlInMemory("demo"));
      // The tightest that anyone has asked for since a person last loosened.
      let asked: ControlState = "ACTIVE";
      for (const [i, { act, state, refused, crash }] of steps.entries()) {
        refuse.write = refused;
        const tighter = (to: ControlState) => (tightness(to) > tightness(asked) ? to : asked);
        if (act === "desk") {
          const crashed = { ...store, tighten: () => Promise.reject(new Error("killed")) };
          await fenced(crash ? crashed : store, board)
            .tighten("demo", change(state, i))
            .catch(() => null);
          if (!crash) asked = tighter(state);
        }
        if (act === "person") {
          const to = { mode: "demo", to: state, reason: "a law", actor: "anna", at: later(i) } as const;
          await changeBoth(store, board, to, async () => {
            kept.now = { ...kept.now, state, epoch: kept.now.epoch + 1, changedAt: later(i), actor: "anna" };
          });
          asked = state;
        }
        if (act === "keys" && !refused) {
          await board.write({ ...objectOf("demo", booked(state, i)), booked: false });
          // What was written by keys alone can be overwritten by another who has the keys, as long as the books have not
          // taken it over; nobody else loosens.
          asked = tightness(state) > tightness(kept.now.state) ? state : kept.now.state;
        }
        if (act === "mend") await mendControl(store, board, later(i));
        if (act === "restore") kept.now = booked(kept.now.state, Math.max(1, kept.now.epoch - 2));
        if (act === "lose") refuse.read = crash;
        const holds = await fenced(store, board).control("demo");
        const object = refuse.read ? null : await objectIn(board);
        const agree = object?.booked && object.state === "ACTIVE" && object.epoch === kept.now.epoch;
        if (holds.state === "ACTIVE") expect(agree && kept.now.state === "ACTIVE").toBe(true);
        if (asked !== "ACTIVE") expect(holds.state).not.toBe("ACTIVE");
      }
    }),
    { numRuns: 400 },
  );
});
