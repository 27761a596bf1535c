import { expect, test } from "vitest";
import { submissionWindows, WINDOWS } from "./windows.ts";

/** Runs submissions of orders, each of three waits: after its claim, after its POST, and once its reply is recorded. */
function ends(orders: readonly string[]): string[] {
  const windows = submissionWindows();
  const met: string[] = [];
  for (const order of orders) {
    const waits = [
      [order, false],
      [order, true],
      [null, false],
    ] as const;
    const at = waits.findIndex(([claimed, posted]) => windows.meet(claimed, posted));
    if (at >= 0) met.push(`${order} ${WINDOWS[at]}`);
  }
  return met;
}

test("one submission ends in each window, and again none of them when its message comes again", () => {
  const orders = [..."abcdefghij"];
  expect(ends(orders)).toEqual(["c POST to reply", "e claim to POST"]);
  expect(ends(orders.flatMap((order) => [order, order]))).toEqual(["c POST to reply", "e claim to POST"]);
  expect(ends(["a", "b"])).toEqual([]);
});

test("where nothing is claimed no window is open", () => {
  const windows = submissionWindows();
  for (let i = 0; i < 9; i += 1) expect([windows.meet(null, false), windows.meet(null, true)]).toEqual([false, false]);
  expect(windows.ended).toEqual({ "claim to POST": null, "POST to reply": null });
});
