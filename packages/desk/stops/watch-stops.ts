import type { StoredControl } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import type { LookedUp } from "#trading/orders/settle";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { Policy } from "#trading/plans/policy";
import { isDust } from "#trading/positions/dust";
import type { OpenPosition } from "#trading/positions/position-row";
import { stopReached } from "#trading/positions/reconcile";
import {
  asShown,
  closingOf,
  isCalledDust,
  isLastResort,
  isRefusedByForm,
  isUnheard,
  stopOrder,
  stopStep,
  wholeIn,
  wholeOrder,
} from "#trading/positions/stop";
import type { Run, TradingStore } from "#trading/store";
import type { Exchange, Submission } from "#trading/venue";
import { big, type Decimal, text } from "#units/decimal";
import { submitOrder, type Terms } from "../submit-order.ts";

/** What stops need of a run. */
export type StopRun = Pick<Run, "account" | "at" | "by"> & {
  /** Instruments are added of which something was to be closed at market: what is left of it has no stop. */
  readonly closing?: Set<string>;
  readonly policy: Terms["policy"] &
    Pick<Policy, "timeframe" | "adoptedStop" | "maxDustUsd" | "maxUncoveredSeconds" | "maxCloseTries">;
};

/**
 * Sends a reduce-only market order for an instrument's position when `mark` has reached its stop. The venue's own stop
 * watches each tick; this is for one that is passed and has not fired, or that could not be placed. Returns what the kill
 * switch became, when the venue's reply tripped it.
 */
export async function watchStop(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  instrument: Instrument,
  position: OpenPosition | null,
  mark: Decimal,
): Promise<StoredControl | null> {
  if (position === null || isDust(position.contracts, instrument, mark, run.policy)) return null;
  if (!stopReached(position.contracts, position.stopPrice, mark)) return null;
  return closeAtMarket(store, exchange, run, instrument, position, mark);
}

/** What a stop order needs of a position. */
type Held = Pick<OpenPosition, "contracts" | "stopPrice" | "openedAt">;

/** Ids of a position's stop orders: two digits. */
const IDS = 100;
/** A close that is too large, or bound by the price limit, is written anew this often within one run. */
const MOST_WRITES = 4;

/**
 * Closes what is held with reduce-only market orders, each of at most what the venue takes at once, unless stop orders of the
 * instrument are under way already: one whose process claimed it and sent nothing is not, once its deadline is over, nor is one
 * that the venue has `shown` as over, asked before it was asked what is held. All are written before the first is sent. One that
 * is too large is sent in halves, one that meets the price limit within it, in the same run. Where they end in vain too often, the
 * venue is asked once to close all that is held by itself. Returns what the kill switch became, when a reply tripped it.
 */
export async function closeAtMarket(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  instrument: Instrument,
  held: Held,
  mark: Decimal,
  shown: readonly Pick<LookedUp, "order" | "found">[] = [],
): Promise<StoredControl | null> {
  run.closing?.add(instrument.id);
  const limit = await exchange.marketLimit(instrument.id).catch(() => null); // not told: the venue says it when it is too large
  let [tripped, writes]: [StoredControl | null, number] = [null, 0];
  for (;;) {
    const stops = asShown(await store.stops(run.account.mode, instrument.id, held.openedAt), shown);
    const now = stops.some(isUnheard) ? await exchange.now() : run.at;
    const step = stopStep(stops, held.openedAt, now);
    if (step.act === "wait") return tripped;
    const whole = wholeIn(stops, { ...run, instrument, position: held });
    if (step.act === "place" && whole === null && isLastResort(stops, held.openedAt, run.policy)) {
      const control = await store.control(run.account.mode);
      await store.insert(wholeOrder({ ...run, control, instrument, position: held, mark }));
      continue;
    }
    const isLeft = isCalledDust(stops, held.openedAt) && worth(held, instrument, mark).lte(run.policy.maxDustUsd);
    if (step.act === "place" && isLeft) return tripped;
    const ids = step.act === "place" ? IDS - step.attempt : IDS;
    const closing = closingOf(held.contracts, limit, instrument, { stops, openedAt: held.openedAt, ids });
    if (step.act === "send") {
      const { most, market } = step.orderId === whole?.id ? ({ most: null, market: "whole" } as const) : closing;
      const terms: Terms = { policy: run.policy, most };
      const sent = await submitOrder(store, sending(exchange, market), step.orderId, run.at, run.by, terms);
      tripped = sent.tripped ?? tripped;
      if (sent.order.status === "approved") return tripped; // held back: whoever looks next sends it
      continue;
    }
    if (writes === MOST_WRITES || (writes > 0 && !isWorthAnother(stops, held))) return tripped;
    writes++;
    await written(store, run, { instrument, held, mark }, closing.sizes, step.attempt);
  }
}

const worth = ({ contracts }: Held, { contractSize }: Instrument, mark: Decimal) =>
  big(contracts).abs().times(contractSize).times(mark);

/** Returns the venue with market orders sent as the closing wants them. */
const sending = (exchange: Exchange, market: Exclude<Submission["type"], "ioc">): Exchange =>
  market === "market" ? exchange : { ...exchange, submit: (order) => exchange.submit({ ...order, type: market }) };

/** Returns whether the newest stop order of a position was refused for what another can do better. */
const isWorthAnother = (stops: readonly StoredOrder[], { openedAt }: Held): boolean =>
  isRefusedByForm(stops.findLast(({ biasAt }) => biasAt === openedAt));

/** Writes the orders that close what is held, one a size. */
async function written(
  store: TradingStore,
  run: StopRun,
  { instrument, held, mark }: { readonly instrument: Instrument; readonly held: Held; readonly mark: Decimal },
  sizes: readonly Decimal[],
  before: number,
): Promise<void> {
  const control = await store.control(run.account.mode);
  const isLong = big(held.contracts).gt(0);
  for (const [nth, size] of sizes.entries()) {
    const position = { ...held, contracts: isLong ? size : text(big(size).neg()) };
    await store.insert(stopOrder({ ...run, control, instrument, position, mark, attempt: before + nth }));
  }
}
