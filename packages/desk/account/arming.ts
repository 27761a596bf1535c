import { type ArmingLook, mustBeArmed, overCaps } from "#trading/arming";
import type { StoredControl } from "#trading/control";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { Run, TradingStore } from "#trading/store";
import type { Exchange, Quote } from "#trading/venue";
import { big, text, ZERO } from "#units/decimal";
import type { Instant } from "#units/time";

/** Where nobody looks for an arming, live opens nothing. */
export const unasked: ArmingLook = async () => ({ problem: "this job does not look for an arming" });

/**
 * Tightens a live desk that could open positions without an arming: it never was armed, its arming ended, or was taken back.
 * Returns what the kill switch became, or null.
 */
export async function assertArmed(
  store: Pick<TradingStore, "control" | "tighten">,
  look: ArmingLook,
  { account, at, by }: Pick<Run, "account" | "at" | "by">,
): Promise<StoredControl | null> {
  const control = await store.control(account.mode);
  if (!mustBeArmed(account.mode, control)) return null;
  const verdict = await look(control.epoch);
  if ("arming" in verdict) return null;
  return store.tighten(account.mode, { state: "REDUCING", reason: `not armed: ${verdict.problem}`, actor: by, at });
}

/**
 * Returns why the arming does not let an order of a live desk be sent that opens: there is none, or one of its caps would be
 * passed with what the venue shows; null when it does. In demo nothing is looked at.
 */
export async function armingObjection(
  store: Pick<TradingStore, "control" | "instruments" | "equity">,
  exchange: Pick<Exchange, "positions">,
  look: ArmingLook,
  order: Pick<StoredOrder, "mode" | "venue" | "instrument" | "size">,
  { mark }: Pick<Quote, "mark">,
  at: Instant,
): Promise<string | null> {
  const { mode, venue } = order;
  if (mode !== "live") return null;
  const [{ epoch }, positions, equity] = await Promise.all([
    store.control(mode),
    exchange.positions(),
    store.equity({ mode, venue }, at),
  ]);
  const verdict = await look(epoch);
  if ("problem" in verdict) return verdict.problem;
  if (equity === null) return "armed with a cap on the day's loss, and no equity is known yet";
  const added = { instrument: order.instrument, contracts: order.size, markPrice: mark };
  const all = [...positions, added];
  const listed = await store.instruments([...new Set(all.map(({ instrument }) => instrument))]);
  const sizes = new Map(listed.map(({ id, contractSize }) => [id, contractSize]));
  const unlisted = all.find(({ instrument }) => !sizes.has(instrument));
  if (unlisted) return `armed with a cap on what is held, and the worth of ${unlisted.instrument} is not known`;
  const grossUsd = all.reduce(
    (sum, { instrument, contracts, markPrice }) =>
      sum.plus(
        big(contracts)
          .abs()
          .times(sizes.get(instrument) ?? ZERO)
          .times(markPrice),
      ),
    big(0),
  );
  return overCaps(verdict.arming, {
    ...{ grossUsd: text(grossUsd), dayStartUsd: equity.dayStart, equityUsd: equity.equity },
  });
}
