import type { AccountFacts, KeptLedger, Run, TradingStore } from "#trading/store";
import type { Exchange, VenueBalance } from "#trading/venue";

/**
 * Stores every bill that is new, `newest` being the newest that is stored, and explains the balance of the run by them. The
 * venue may show a bill a moment after the balance that has it in it: the gap of one run is then closed by the next. @throws a
 * transport failure.
 */
export async function keepLedger(
  store: TradingStore,
  exchange: Exchange,
  run: Pick<Run, "account" | "at">,
  balance: VenueBalance,
  newest: AccountFacts["lastBill"],
): Promise<KeptLedger> {
  return store.keepLedger(run, balance, await exchange.bills(newest));
}
