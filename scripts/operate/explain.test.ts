/** The command that explains an order, as a process of its own, on the folder of a desk of this machine. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drizzleOf } from "#db/drizzle";
import { openEmbedded } from "#local/postgres/embedded-postgres";
import { Explanation } from "#reporting/explanation";
import { runToEnd } from "#testing/command";
import { laneWriter, snapshotWith } from "#testing/lane-orders";
import { idOf } from "#units/ids";

const root = mkdtempSync(join(tmpdir(), "explain-"));
const desk = join(root, "desk");
afterAll(() => rmSync(root, { recursive: true, force: true }));

const explain = (...args: string[]) => runToEnd("operate/explain.ts", [...args, "--directory", desk]);

beforeAll(async () => {
  mkdirSync(desk);
  const { db, close } = await openEmbedded(join(desk, "db"));
  const { order } = await laneWriter(drizzleOf(db));
  const policySnapshot = snapshotWith(0.4, "0", "ab".repeat(32));
  await order("dfirst", { at: 0, side: "buy", size: "5", fills: [["5", "1100"]], stopLoss: "1080", policySnapshot });
  await order("dfinal", {
    at: 9,
    side: "sell",
    size: "5",
    fills: [["5", "1110"]],
    policySnapshot: snapshotWith(0.05, "5", "cd"),
  });
  await close();
});

test("an order is explained as text and as JSON; a name of none or of two says which there are, and exits with 1", async () => {
  const text = await explain("dfir");
  expect(text.text).toMatch(/^OPEN long ETH 0 → 5 ct \(0 → 0\.5 ETH, 0 → 550 USD\) · 03:00:01 · filled 1,122 · cost /);
  for (const part of ["Stop\n  none → 1,080", "1 R = 10.00 USD", "edge off", "Position\n", "(this one)"])
    expect(text.text).toContain(part);
  expect(text.code).toBe(0);

  const json = await explain(idOf("order", "dfirst"), "--json");
  const explanation = Explanation.parse(JSON.parse(json.text));
  expect(text.text.startsWith(`${explanation.text}\n${explanation.whyText}\n`)).toBe(true);
  expect(explanation.stop.after).toMatchObject({ price: "1080", riskUsd: "10" });

  const none = await explain("nobody");
  expect(none.text).toMatch(
    /^NoSuchOrderError: .*: nobody: no order has it; the newest are\n {2}[0-9a-f-]{36} dfinal CLOSE long ETH/,
  );
  expect(none.code).toBe(1);
  expect(await explain("dfi")).toMatchObject({
    code: 1,
    text: expect.stringContaining("give 4 letters of it at least"),
  });
  expect(await explain()).toMatchObject({ code: 2, text: expect.stringContaining("name an order by its id") });
}, 300_000);
