import { expect, test } from "vitest";
import { testDatabase } from "#testing/database";
import { allLabels, upsertLabels } from "./labels.ts";

const label = (n: number, name: string) => ({
  address: `0x${n.toString(16).padStart(40, "0")}`,
  kind: "exchange",
  name,
  source: "test",
  date: "2026-01-02",
});

test("labels are replaced by address and kind, and come back in order", async () => {
  const { db, close } = await testDatabase();
  await upsertLabels(db, "ethereum", [label(2, "two"), label(1, "one"), label(2, "second")]);
  await upsertLabels(db, "ethereum", [label(1, "first")]);
  expect(await allLabels(db, "ethereum")).toEqual([label(1, "first"), label(2, "second")]);
  expect(await allLabels(db, "base")).toEqual([]);
  await close();
});
