import { asc, eq, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { writeDeskRows } from "#testing/desk-rows";
import { deskTests } from "#testing/desk-tests";
import { bias, equitySnapshots, orderFills, orders, positions, tradingControl, walletOutcomes } from "./schema.ts";
import { together } from "./together.ts";

const desk = deskTests();
test("selects that are read together give what each gives alone, in its order and types", async () => {
  const { db } = desk;
  await writeDeskRows(db);
  await db.update(tradingControl).set({ lifts: ["break:a, b", 'it said "no"'] });
  const selects = {
    control: db.select().from(tradingControl).orderBy(asc(tradingControl.tradingMode)),
    orders: db.select().from(orders).orderBy(asc(orders.decidedAt), asc(orders.id)),
    positions: db.select().from(positions),
    bias: db.select().from(bias).orderBy(asc(bias.timestamp), asc(bias.asset)),
    outcomes: db.select().from(walletOutcomes).orderBy(asc(walletOutcomes.excess)),
    equity: db.select().from(equitySnapshots).orderBy(asc(equitySnapshots.at)),
    // Two columns of one name, a value that is asked for by another, a sum, and nothing.
    joined: db
      .select({ order: orders.id, fill: orderFills.instrument, instrument: orders.instrument })
      .from(orders)
      .innerJoin(orderFills, eq(orderFills.orderId, orders.id)),
    sums: db
      .select({ instrument: orderFills.instrument, contracts: sql`sum(${orderFills.size})`.mapWith(orderFills.size) })
      .from(orderFills)
      .groupBy(orderFills.instrument),
    none: db.select().from(orders).where(eq(orders.clientOrderId, "no such order")),
  };
  const found = await together(db, selects);
  for (const [name, select] of Object.entries(selects)) {
    const alone: readonly unknown[] = await select;
    expect(found[name as keyof typeof found], name).toEqual(alone);
    if (name !== "none") expect(alone.length, name).toBeGreaterThan(0);
  }
  expect(found.sums).toEqual([{ instrument: "ETH-USDT-SWAP", contracts: "12" }]);
});

test("an expression that no column maps is refused", async () => {
  const bare = desk.db.select({ n: sql`1` }).from(orders);
  await expect(together(desk.db, { bare })).rejects.toThrow("mapped with one");
});
