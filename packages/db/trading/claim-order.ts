import { type Claim, claimMove, type StoredOrder } from "#trading/orders/stored-order";
import type { OrderId } from "#units/ids";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { holdControl } from "./kill-switch.ts";
import { moveOrder } from "./move-order.ts";
import { readOrder } from "./orders.ts";

/**
 * Claims an approved order for one POST: approved → submitting with `expiresAt` stored, under a share lock on the kill
 * switch, so that a change of epoch comes before the claim or after it. Returns the order when this call won, else null:
 * someone else has it, or it was voided (canceled) because the switch moved since it was approved.
 */
export async function claimOrder(db: Db, id: OrderId, claim: Claim): Promise<StoredOrder | null> {
  return drizzleOf(db).transaction(async (tx) => {
    const order = await readOrder(tx, id);
    if (order?.status !== "approved") return null;
    const [event, move] = claimMove(order, await holdControl(tx, order.mode), claim);
    const moved = await moveOrder(tx, order, event, move);
    return event === "claimed" ? moved : null;
  });
}
