import { expect, test } from "vitest";
import { equitySnapshots, positions } from "#db/schema";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { quietDesk } from "#testing/quiet-desk";
import { decimalOf } from "#units/decimal";
import { assertExplained, UnexplainedEquityError } from "./assert-explained.ts";

const tests = deskTests();
const ACCOUNT = { mode: "demo", venue: "paper" } as const;

/** A desk that holds a position, at another mark than its entry. */
async function held() {
  const desk = await quietDesk(tests.db);
  tests.closeAfter(desk.venue.close);
  await desk.reconcile();
  desk.pass(60_000);
  await desk.trade("buy", "10", decimalOf("900"));
  await desk.reconcile();
  return desk;
}

test("what is held is explained by bills and positions; an account without a balance has nothing to explain", async () => {
  const { db } = await held();
  const [position] = await db.select().from(positions);
  expect(position).toMatchObject({ instrument: ETH_SWAP.id, closedAt: null });
  expect(Number(position?.unrealizedPnl)).not.toBe(0);
  await assertExplained(db, ACCOUNT);
  await assertExplained(db, { ...ACCOUNT, venue: "okx" });
});

test("a balance that the bills leave open fails by name", async () => {
  const { db } = await held();
  await db.update(equitySnapshots).set({ gap: decimalOf("0.000000000000000001") });
  await expect(assertExplained(db, ACCOUNT)).rejects.toThrow(UnexplainedEquityError);
  await expect(assertExplained(db, ACCOUNT)).rejects.toThrow(/bills leave 0\.000000000000000001 USDT/);
});

test("positions that come to something else fail by name; where a newer balance came without bills they are not compared", async () => {
  const { db, store, run, exchange, pass } = await held();
  await db.update(positions).set({ unrealizedPnl: decimalOf("5") });
  await expect(assertExplained(db, ACCOUNT)).rejects.toThrow(/not realized, and the open positions of the books 5\. /);
  pass(60_000);
  await store.recordEquity(run(), await exchange.balance());
  await assertExplained(db, ACCOUNT);
});
