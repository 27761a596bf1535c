import { sweepOf } from "#trading/orders/claim-look";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { Run, TradingStore } from "#trading/store";

/** What a sweep came to. */
export interface Swept {
  /** Orders whose message was lost. */
  readonly lost: readonly StoredOrder[];
  readonly hasVoided: boolean;
}

/**
 * Looks after the orders that are approved and that nobody has claimed: one whose message was lost is returned, to be sent
 * once more; one that is too old is voided, and its instrument is free for the next plan.
 */
export async function sweepApproved(
  store: TradingStore,
  { at, by, policy }: Run,
  unclaimed: readonly StoredOrder[],
): Promise<Swept> {
  const lost: StoredOrder[] = [];
  let hasVoided = false;
  for (const order of unclaimed) {
    const act = sweepOf(order, at, policy);
    if (act === "resend") lost.push(order);
    // Null: someone claimed it meanwhile, and looks at its age as well.
    if (act !== "void") continue;
    const voided = await store.move(order, "voided", { at, by, change: { errorMessage: "voided: stale" } });
    hasVoided ||= voided !== null;
  }
  return { lost, hasVoided };
}
