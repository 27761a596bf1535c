import { afterAll, expect, test } from "vitest";
import { watchedIds } from "#db/chain/wallets";
import { openEmbedded } from "./embedded-postgres.ts";
import { vacuumAfter } from "./vacuum.ts";

const embedded = openEmbedded(null);
afterAll(async () => (await embedded).close());

test("whole vacuums come at each doubling, and at least every 64 times", () => {
  const due = Array.from({ length: 500 * 200 }, (_, polls) => [polls, vacuumAfter(polls)] as const);
  const at = (extent: string | null) => due.flatMap(([polls, found]) => (found === extent ? [polls / 500] : []));
  expect(at("all")).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 192]);
  expect(at("updated")).toHaveLength(199 - 9);
  expect(vacuumAfter(501)).toBeNull();
});

test("both extents run beside the desk's own statements", async () => {
  const { db, vacuum } = await embedded;
  const [, , watched] = await Promise.all([vacuum("updated"), vacuum("all"), watchedIds(db, "ethereum")]);
  expect(watched).toEqual(new Map());
});
