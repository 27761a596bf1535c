import type { Instrument } from "#trading/instrument";
import { clientOrderId } from "#trading/orders/client-order-id";
import type { StoredOrder } from "#trading/orders/stored-order";
import {
  candlesFrom,
  isIdle,
  isTold,
  type Lane,
  type LaneFacts,
  type LaneState,
  openingFault,
  planInputOf,
  planIntent,
  plannedOrder,
} from "#trading/plans/lane";
import { listingFaults } from "#trading/plans/listing";
import { type Decided, planOrder, refused } from "#trading/plans/plan";
import type { Policy } from "#trading/plans/policy";
import { isDust } from "#trading/positions/dust";
import { type EquityState, isRecent } from "#trading/positions/equity-state";
import type { TradingStore } from "#trading/store";
import type { Exchange } from "#trading/venue";
import { big, type Decimal, text, ZERO } from "#units/decimal";

/** An order, approved or denied (or further, when the plan was made before); or why there is none. */
export type Planned =
  | { readonly order: StoredOrder; readonly codes: readonly string[] }
  | { readonly order: null; readonly reason: string };

const nothing = (reason: string): Planned => ({ order: null, reason });

/**
 * Plans an instrument from its newest bias: writes the order, approved or denied, with the policy that decided, and returns it.
 * One bias gives at most one order: a repeated call returns the order that the first one wrote, whatever became of it. Nothing
 * to do writes nothing, and neither does a denial that the lane was told of before. The venue is asked only when there is
 * something to decide.
 */
export async function planLane(store: TradingStore, exchange: Exchange, lane: Lane, policy: Policy): Promise<Planned> {
  const { at, mode, venue, asset, barSeconds } = lane;
  const bias = await store.bias(asset, policy.timeframe, at);
  if (bias === null) return nothing("no bias yet");
  const id = clientOrderId(planIntent(lane, bias.at, policy));
  const before = (await store.ordersByClientId([id])).get(id);
  if (before) return { order: before, codes: before.errorMessage?.split(", ") ?? [] };
  const booked = await store.held(lane, lane.instrument);
  if (isIdle(bias, booked, policy)) return nothing("flat, and no signal to enter");
  const [instrument] = await store.instruments([lane.instrument]);
  if (!instrument) return nothing("the venue has not listed it yet");
  const [equity, { quote, quotedAt }] = await Promise.all([
    equityOf(store, exchange, lane, policy),
    quoteOf(exchange, lane.instrument),
  ]);
  const held = isDust(booked, instrument, quote.mark, policy) ? ZERO : booked;
  if (held !== booked && isIdle(bias, held, policy)) return nothing("what is left is dust: too small to close");
  const facts = await store.laneFacts({
    ...{ mode, venue, at, asset, instrument: instrument.id, barSeconds, candlesFrom: candlesFrom(at, policy) },
    ...{ timeframe: policy.timeframe, biasAt: bias.at, earlier: Math.max(1, policy.closeLooks - 1) },
    eventIds: bias.contributions.map((contribution) => contribution.event_id),
  });
  const taken = await takenOf(store, lane, facts);
  const state = { bias, held, instrument, equity, quote, quotedAt, facts, taken };
  const wanted = planOrder(planInputOf(lane, state, policy), policy);
  if (wanted.verdict === "nothing") return nothing(wanted.reason);
  const opens = wanted.verdict === "approved" && !wanted.order.reduceOnly;
  const fault = opens ? openingFault(facts, lane.at, policy) : null;
  if (fault !== null) return nothing(fault);
  const plan = opens ? await asListed(exchange, instrument, wanted, lane, policy) : wanted;
  if (isTold(plan, state, policy)) return nothing(`denied as before: ${plan.codes.join(", ")}`);
  return { order: await store.insert(plannedOrder(lane, state, plan, policy)), codes: plan.codes };
}

/** Returns the contracts of the lane's open position that take-profits have closed. */
async function takenOf(store: TradingStore, { mode, instrument }: Lane, { positions }: LaneFacts): Promise<Decimal> {
  const open = positions.find((position) => position.instrument === instrument);
  if (open === undefined) return ZERO;
  const legs = await store.takeProfits(mode, [open]);
  const ours = legs.filter(({ biasAt }) => biasAt === open.openedAt);
  return text(ours.reduce((sum, { filledSize }) => sum.plus(filledSize), big(0)));
}

/** Returns a plan that opens or adds as it may be, given how the venue lists its instrument at this moment. */
async function asListed(exchange: Exchange, instrument: Instrument, plan: Decided, { at }: Lane, policy: Policy) {
  const listing = await exchange.listing(instrument.id);
  const codes = listingFaults(listing, instrument, at, policy);
  return codes.length === 0
    ? plan
    : refused(plan, codes, listing && { state: listing.state, changes: [...listing.changes] });
}

/** Returns a quote with the venue's clock after it, which says how old it is. */
async function quoteOf(exchange: Exchange, instrument: string): Promise<Pick<LaneState, "quote" | "quotedAt">> {
  const quote = await exchange.quote(instrument);
  return { quote, quotedAt: await exchange.now() };
}

/** Returns the equity to plan by: the newest reconciled one, else the venue's own word. */
async function equityOf(
  store: TradingStore,
  exchange: Exchange,
  lane: Lane,
  { maxEquityAgeSeconds }: Policy,
): Promise<Pick<EquityState, "equity" | "dayStart" | "peak">> {
  const stored = await store.equity(lane, lane.at);
  if (stored !== null && isRecent(stored, lane.at, maxEquityAgeSeconds)) return stored;
  const { equity } = await exchange.balance();
  return { equity, dayStart: equity, peak: equity };
}
