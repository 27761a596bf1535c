import { expect, test } from "vitest";
import { readClock } from "#runtime/okx/requests";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { quietDesk } from "#testing/quiet-desk";
import { big } from "#units/decimal";

// What others do on the desk's instruments, under either policy, against the paper venue, over HTTP, through ccxt.

const tests = deskTests();
async function stage(external: "protect" | "halt") {
  const desk = await quietDesk(tests.db, { policy: { external } });
  tests.closeAfter(desk.venue.close);
  return { ...desk, byHand: (size: number) => desk.venue.trade({ ...BUY, size: big(size) }) };
}

const BUY = { instId: ETH_SWAP.id, side: "buy", cause: "trade" } as const;

test("a position that somebody opens by hand halts the desk by name where the policy says so, and is counted all the same", async () => {
  const desk = await stage("halt");
  expect((await desk.reconcile()).tripped).toBeNull();
  desk.pass(60_000);
  desk.byHand(4);
  const found = await desk.reconcile();
  expect(found.tripped).toMatchObject({
    state: "HALTED",
    reason: "not the desk's: ETH-USDT-SWAP: hand, buy 4 contracts",
  });
  expect(await desk.store.openPositions(desk.run().account)).toMatchObject([{ contracts: "4" }]);
});

test("one that was there before the books halts it too", async () => {
  const desk = await stage("halt");
  desk.byHand(4);
  expect((await desk.reconcile()).tripped?.reason).toBe("not the desk's: ETH-USDT-SWAP: adopted, buy 4 contracts");
});

test("an order that somebody has waiting halts it while it is there", async () => {
  const desk = await stage("halt");
  await desk.reconcile();
  await readClock(desk.client);
  const expTime = String(desk.clock.now() + 4000);
  const { id: resting } = await desk.client.createOrder("ETH/USDT:USDT", "limit", "buy", 1, 990, {
    ...{ tdMode: "cross", expTime },
  });
  const { tripped, external } = await desk.reconcile();
  expect(external).toEqual([resting]);
  expect(tripped).toMatchObject({
    state: "HALTED",
    reason: `not the desk's: ETH-USDT-SWAP: order ${resting}, buy 1`,
  });
});

test("where the policy protects, what others hold is counted and covered, and nothing trips for it", async () => {
  const desk = await stage("protect");
  await desk.reconcile();
  desk.pass(60_000);
  desk.byHand(4);
  expect((await desk.reconcile()).tripped).toBeNull();
  expect(await desk.store.openPositions(desk.run().account)).toMatchObject([{ contracts: "4" }]);
});
