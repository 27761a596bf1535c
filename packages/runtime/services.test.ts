import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import { memoryStore } from "#testing/memory/store";
import { instant } from "#units/time";
import { provide, services } from "./services.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  provide("books", null);
  provide("database", null);
  await database.close();
});

test("the books are those of the database that is open now, unless others are given", async () => {
  const state = async () => (await (await services(["books"])).books.control("demo")).state;
  provide("database", {} as never); // one that was ended
  await expect(state()).rejects.toThrow();
  provide("database", database.db);
  expect(await state()).toBe("ACTIVE");
  const halted = { state: "HALTED", epoch: 3, reason: "", actor: "anna", changedAt: instant(0), lifts: [] } as const;
  const control = { demo: halted, live: halted };
  const nothing = { instruments: [], candles: new Map(), biases: [], analyses: [], funding: [] };
  provide("books", memoryStore({ ...nothing, control }).store);
  expect(await state()).toBe("HALTED");
});
