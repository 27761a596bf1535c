import { worstOf } from "#trading/account-check";
import type { StoredControl } from "#trading/control";
import type { Policy } from "#trading/plans/policy";
import type { Run, TradingStore } from "#trading/store";
import type { Exchange } from "#trading/venue";
import { millis } from "#units/time";
import { ensureLeverage, type Margined } from "./ensure-leverage.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** The venues that this process has asserted: a cold start opens a new one. */
const asserted = new WeakSet<object>();

/**
 * Asserts the key, the account, the venue and its leverage in the first run of a process and once an hour. What does not fit tightens the
 * kill switch, by its name; returns what it became, or null. @throws when the venue does not answer.
 */
export async function assertAccount(
  store: Pick<TradingStore, "tighten">,
  exchange: Pick<Exchange, "assertions"> & Margined,
  run: Pick<Run, "account" | "at" | "by"> & { readonly policy: Pick<Policy, "venueLeverage"> },
  instruments: readonly string[],
): Promise<StoredControl | null> {
  const { account, at, by } = run;
  const [instrument] = instruments;
  if (instrument === undefined) return null;
  if (asserted.has(exchange) && millis(at) % HOUR_MS >= MINUTE_MS) return null;
  const worst = worstOf(await exchange.assertions(instrument));
  if (worst === null) {
    let halted: StoredControl | null = null;
    for (const id of instruments) halted = (await ensureLeverage(store, exchange, run, id)) ?? halted;
    asserted.add(exchange);
    return halted;
  }
  asserted.add(exchange);
  const reason = `start-up assertion ${worst.name}: ${worst.says}`;
  return store.tighten(account.mode, {
    ...{ state: worst.verdict === "halt" ? "HALTED" : "REDUCING", reason },
    ...{ actor: by, at },
  });
}
