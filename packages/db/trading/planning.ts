import { clientOrderId } from "#trading/client-order-id";
import type { TradingMode } from "#trading/mode";
import { credibilityOf, planOrder } from "#trading/plan";
import type { Policy } from "#trading/policy";
import { signalOf } from "#trading/sizing";
import type { StoredOrder } from "#trading/stored-order";
import type { Exchange } from "#trading/venue";
import { big } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import type { EquityState } from "./equity.ts";
import { listedInstruments } from "./instruments.ts";
import { insertOrder } from "./move-order.ts";
import { ordersByClientId } from "./orders.ts";
import { heldContracts, latestBias, planInput, plannedEquity } from "./plans.ts";

/** One instrument to plan for, and what the plan needs to know of its desk. */
export interface Lane {
  readonly at: Instant;
  readonly by: string;
  readonly mode: TradingMode;
  readonly venue: string;
  readonly asset: string;
  readonly instrument: string;
  readonly barSeconds: number;
  /** Instruments that share the desk's limits. */
  readonly lanes: number;
  readonly gitSha: string;
}

/** An order, approved or denied (or further, when the plan was made before); or why there is none. */
export type Planned =
  | { readonly order: StoredOrder; readonly codes: readonly string[] }
  | { readonly order: null; readonly reason: string };

const nothing = (reason: string): Planned => ({ order: null, reason });

/** Returns the equity to plan by: the newest reconciled one, else the venue's own word. */
async function equityOf(
  db: Db,
  exchange: Exchange,
  lane: Lane,
): Promise<Pick<EquityState, "equity" | "dayStart" | "peak">> {
  const stored = await plannedEquity(db, lane, lane.at);
  if (stored !== null) return stored;
  const { equity } = await exchange.balance();
  return { equity, dayStart: equity, peak: equity };
}

/**
 * Plans an instrument from its newest bias: writes the order, approved or denied, with the policy that decided, and
 * returns it. One bias gives at most one order: a repeated call returns the order that the first one wrote, whatever
 * became of it. Nothing to do writes nothing. The venue is asked only when there is something to decide.
 */
export async function planLane(db: Db, exchange: Exchange, lane: Lane, policy: Policy): Promise<Planned> {
  const { at, by, mode, venue, asset } = lane;
  const { timeframe } = policy;
  const bias = await latestBias(db, asset, timeframe, at);
  if (bias === null) return nothing("no bias yet");
  const id = clientOrderId({ venue, mode, instrument: lane.instrument, timeframe, biasAt: bias.at, leg: "plan" });
  const before = (await ordersByClientId(db, [id])).get(id);
  if (before) return { order: before, codes: before.errorMessage?.split(", ") ?? [] };
  const held = await heldContracts(db, lane, lane.instrument);
  const { s } = signalOf(
    { ...bias, bias: bias.value, credibility: credibilityOf(bias.contributions), stale: false },
    policy,
  );
  if (big(held).eq(0) && Math.abs(s) <= policy.enter) return nothing("flat, and no signal to enter");
  const [instrument] = await listedInstruments(db, [lane.instrument]);
  if (!instrument) return nothing("the venue has not listed it yet");
  const [equity, quote] = await Promise.all([equityOf(db, exchange, lane), exchange.quote(lane.instrument)]);
  const { by: _, ...desk } = lane;
  const input = await planInput(db, { ...desk, instrument, bias, held, equity, quote }, policy);
  const plan = planOrder(input, policy);
  if (plan.verdict === "nothing") return nothing(plan.reason);
  const { order, verdict, codes, policySnapshot } = plan;
  const { epoch } = input.control;
  const lot = { mode, venue, asset, instrument: instrument.id, timeframe, biasAt: bias.at, epoch, at, by };
  return { order: await insertOrder(db, { ...lot, order, verdict, codes, policySnapshot }), codes };
}
