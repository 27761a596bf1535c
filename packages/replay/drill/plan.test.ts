import { expect, test } from "vitest";
import { type FaultPlan, faultPlan, KilledError, type PlanOptions, type Rates } from "./plan.ts";

const NO_FAULTS: Rates = { redelivered: 0, killed: 0, refused: 0, refusedByBus: 0 };
const renewed: number[] = [];
const plan = (options: Partial<PlanOptions> = {}): FaultPlan =>
  faultPlan({
    aim: "around",
    seed: "test",
    rates: { redelivered: 0.1, killed: 0.2, refused: 0.1, refusedByBus: 0.1 },
    restarts: [],
    submitting: async () => null,
    windows: null,
    renew: () => renewed.push(1),
    ...options,
  });

/** A job of six waits; counts those that it came past. */
const sixWaits = (faults: FaultPlan, past: { waits: number }) => async () => {
  for (let i = 0; i < 6; i++) {
    await faults.pass("database");
    past.waits += 1;
  }
  return "done";
};

async function runs(faults: FaultPlan, times: number): Promise<string[]> {
  const list: string[] = [];
  for (let i = 0; i < times; i++) {
    const past = { waits: 0 };
    const end = await faults.run("job", [`message-${i}`], sixWaits(faults, past)).catch((error: Error) => error.name);
    list.push(`${end} ${past.waits}`);
  }
  return list;
}

test("the same seed gives the same faults, another seed others", async () => {
  const first = await runs(plan(), 100);
  expect(await runs(plan(), 100)).toEqual(first);
  expect(await runs(plan({ seed: "other" }), 100)).not.toEqual(first);
});

test("invocations end at every wait, and after the last one", async () => {
  const ended = (await runs(plan(), 400)).filter((line) => line.startsWith("KilledError"));
  expect(ended.length).toBeGreaterThan(50);
  expect(ended.length).toBeLessThan(110);
  expect(new Set(ended)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6].map((waits) => `KilledError ${waits}`)));
});

test("without faults everything runs to its end", async () => {
  const faults = plan({ rates: NO_FAULTS });
  expect(new Set(await runs(faults, 50))).toEqual(new Set(["done 6"]));
  expect(faults.refuse("queues", "SendMessage", true)).toBeNull();
  expect(faults.redelivers("message")).toBe(false);
});

test("what a dead invocation still does has no effect, and the next one begins as a new process", async () => {
  const faults = plan({ rates: { ...NO_FAULTS, killed: 1 } });
  const before = renewed.length;
  let after = 0;
  const stubborn = async () => {
    for (let i = 0; i < 20; i++)
      await faults.pass("queues").then(
        () => after++,
        () => undefined,
      );
  };
  await expect(faults.run("job", ["one"], stubborn)).rejects.toBeInstanceOf(KilledError);
  const passed = after;
  expect(passed).toBeLessThan(10);
  expect(renewed.length).toBe(before + 1);
  await expect(faults.pass("queues")).resolves.toBeUndefined(); // outside of an invocation nobody waits
});

test("a message is troubled at most twice, so that it never dies of the drill alone", async () => {
  const faults = plan({ rates: { redelivered: 1, killed: 1, refused: 1, refusedByBus: 1 } });
  const ends: string[] = [];
  for (let i = 0; i < 4; i++)
    ends.push(await faults.run("job", ["one"], sixWaits(faults, { waits: 0 })).catch((error: Error) => error.name));
  expect(ends).toEqual(["KilledError", "KilledError", "done", "done"]);
  expect(faults.redelivers("one")).toBe(false);
  expect(faults.mayLose(["one", "two"])).toBe(false);
});

test("the spared window is left alone, or is the only aim", async () => {
  let isOpen = false;
  const job = (faults: FaultPlan, seen: boolean[]) => async () => {
    for (const open of [false, false, true, true, true, true, true, true, true, true, false, false]) {
      isOpen = open;
      try {
        await faults.pass("venue");
      } catch (error) {
        seen.push(open);
        throw error;
      }
    }
  };
  for (const [aim, expected] of [
    ["around", false],
    ["inside", true],
  ] as const) {
    const faults = plan({ aim, rates: { ...NO_FAULTS, killed: 1 }, submitting: async () => (isOpen ? "order" : null) });
    const seen: boolean[] = [];
    for (let i = 0; i < 40; i++) await faults.run("submit-order", [`${i}`], job(faults, seen)).catch(() => undefined);
    expect(seen.length).toBeGreaterThan(10);
    expect(new Set(seen)).toEqual(new Set([expected]));
  }
});

test("the database breaks once per planned restart, never in the window", async () => {
  let isOpen = true;
  const faults = plan({ rates: NO_FAULTS, restarts: [1, 1], submitting: async () => (isOpen ? "order" : null) });
  const breaks: boolean[] = [await faults.breaksNow(false)];
  await faults.run("job", ["one"], async () => {
    breaks.push(await faults.breaksNow(false));
    isOpen = false;
    for (let i = 0; i < 3; i++) breaks.push(await faults.breaksNow(false));
  });
  expect(breaks).toEqual([false, false, true, true, false]);
});
