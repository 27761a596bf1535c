import { sweepOf } from "#trading/orders/claim-look";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { Run, TradingStore } from "#trading/store";

/**
 * Looks after the orders that are approved and that nobody has claimed: one whose message was lost is returned, to be sent
 * once more; one that is too old is voided, and its instrument is free for the next plan.
 */
export async function sweepApproved(
  store: TradingStore,
  { account, at, by, policy }: Run,
): Promise<readonly StoredOrder[]> {
  const lost: StoredOrder[] = [];
  for (const order of await store.unclaimed(account.mode)) {
    const act = sweepOf(order, at, policy);
    if (act === "resend") lost.push(order);
    // Null: someone claimed it meanwhile, and looks at its age as well.
    if (act === "void") await store.move(order, "voided", { at, by, change: { errorMessage: "voided: stale" } });
  }
  return lost;
}
