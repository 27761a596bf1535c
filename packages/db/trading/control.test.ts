import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import { instantOf } from "#units/time";
import { changeControl, readControl } from "./control.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const HALT = { state: "HALTED", reason: "drawdown", actor: "test", at: instantOf("2022-06-21T00:00:00.000Z") } as const;

test("demo begins active, live halted", async () => {
  expect(await readControl(database.db, "demo")).toMatchObject({ state: "ACTIVE", epoch: 1 });
  expect(await readControl(database.db, "live")).toMatchObject({ state: "HALTED", epoch: 1, reason: "not armed" });
});

test("a change raises the epoch, and only one of two that read the same epoch is made", async () => {
  const { db } = database;
  const [first, second] = await Promise.all([
    changeControl(db, "demo", 1, HALT),
    changeControl(db, "demo", 1, { ...HALT, state: "REDUCING" }),
  ]);
  expect([first, second].filter((made) => made !== null)).toHaveLength(1);
  expect((await readControl(db, "demo")).epoch).toBe(2);
  expect(await changeControl(db, "demo", 1, HALT)).toBeNull();
  const { at, ...change } = HALT;
  expect(await changeControl(db, "demo", 2, HALT)).toEqual({ ...change, changedAt: at, epoch: 3, lifts: [] });
  expect((await readControl(db, "live")).epoch).toBe(1);
});
