import type { StoredControl } from "#trading/control";
import type { Policy } from "#trading/plans/policy";
import type { Run, TradingStore } from "#trading/store";
import type { Exchange } from "#trading/venue";
import { big } from "#units/decimal";

/** The part of the venue that leverage is asked of, and what may stand in the way of it. */
export type Margined = Pick<
  Exchange,
  "leverage" | "setLeverage" | "positions" | "stops" | "takeProfits" | "openOrders"
>;

/** Returns whether nothing is held of an instrument and nothing waits: then alone may its leverage be changed. */
async function isFree(exchange: Margined, instrument: string): Promise<boolean> {
  const { positions, stops, takeProfits, openOrders } = exchange;
  const all = await Promise.all([positions(), stops(), takeProfits(), openOrders()]);
  return !all.flat().some((one) => one.instrument === instrument);
}

/**
 * Sees that the venue margins an instrument at the policy's leverage: sets it where it is free, else halts. Returns what the
 * kill switch became, or null. @throws when the venue does not answer.
 */
export async function ensureLeverage(
  store: Pick<TradingStore, "tighten">,
  exchange: Margined,
  { account, at, by, policy }: Pick<Run, "account" | "at" | "by"> & { readonly policy: Pick<Policy, "venueLeverage"> },
  instrument: string,
): Promise<StoredControl | null> {
  const wanted = policy.venueLeverage;
  const found = await exchange.leverage(instrument);
  if (big(found).eq(wanted)) return null;
  if ((await isFree(exchange, instrument)) && (await exchange.setLeverage(instrument, wanted))) return null;
  const reason = `${instrument} is margined at leverage ${found}, the policy says ${wanted}, and it is in use`;
  return store.tighten(account.mode, { state: "HALTED", reason, actor: by, at });
}
