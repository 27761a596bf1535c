import { type Big, big, type Decimal, floorTo, text, ZERO } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { type Instant, millis } from "#units/time";
import type { Account } from "../account.ts";
import { decisive } from "../control.ts";
import type { Instrument } from "../instrument.ts";
import { clientOrderId } from "../orders/client-order-id.ts";
import { IN_FLIGHT } from "../orders/order.ts";
import { GRACE_MS } from "../orders/resolve.ts";
import { LOOKED_FOR, type LookedUp } from "../orders/settle.ts";
import type { NewOrder, StoredOrder } from "../orders/stored-order.ts";
import type { Control } from "../plans/limits.ts";
import type { Policy } from "../plans/policy.ts";
import type { Side, Submission } from "../venue.ts";
import type { OpenPosition } from "./position-row.ts";

/** What is to be done about a stop that the mark has reached. */
export type StopStep =
  | { readonly act: "wait" }
  /** Stored before, approved, and claimed by nobody: a run ended between the two, and nobody else sends it. */
  | { readonly act: "send"; readonly orderId: OrderId }
  /** `attempt` = stops that this position has had. */
  | { readonly act: "place"; readonly attempt: number };

/** The venue's code for a position that is less than one order may be. Source: OKX v5, error codes. */
const TOO_SMALL = "51132";

const codeOf = ({ errorMessage }: Pick<StoredOrder, "errorMessage">): string => errorMessage?.slice(0, 5) ?? "";

/** Returns whether the venue called what is held too small to be closed by an order. */
export const isCalledDust = (
  stops: readonly Pick<StoredOrder, "biasAt" | "errorMessage">[],
  openedAt: Instant,
): boolean => stops.some((order) => order.biasAt === openedAt && codeOf(order) === TOO_SMALL);

/**
 * Returns whether the orders that were to close the position opened at `openedAt` have failed so often, or in such a way, that the
 * venue is to close it by itself. One that was held back and never sent is no try.
 */
export function isLastResort(
  stops: readonly Pick<StoredOrder, "biasAt" | "errorMessage" | "status" | "filledSize" | "venueOrderId">[],
  openedAt: Instant,
  { maxCloseTries }: Pick<Policy, "maxCloseTries">,
): boolean {
  const inVain = stops.filter(
    ({ biasAt, status, filledSize, venueOrderId }) =>
      biasAt === openedAt &&
      big(filledSize).eq(0) &&
      (status === "rejected" || status === "expired" || (status === "canceled" && venueOrderId !== null)),
  );
  return inVain.length >= maxCloseTries || isCalledDust(stops, openedAt);
}

/** Returns whether nobody knows of an order that is in flight whether the venue has it. */
export const isUnheard = ({ status }: Pick<StoredOrder, "status">): boolean => LOOKED_FOR.includes(status);

/**
 * Returns what to do about a reached stop at `now` by the venue's clock, given the instrument's stop orders, oldest first:
 * those in flight, and those of the position that was opened at `openedAt`. One that nobody has heard of since its deadline
 * is not waited for: the venue takes it no more, and had it been taken, two that only reduce close no more than is held.
 */
export function stopStep(
  stops: readonly Pick<StoredOrder, "id" | "status" | "biasAt" | "expiresAt">[],
  openedAt: Instant,
  now: Instant,
): StopStep {
  const waiting = stops.find((order) => order.status === "approved");
  if (waiting) return { act: "send", orderId: waiting.id };
  const isLost = (order: Pick<StoredOrder, "status" | "expiresAt">): boolean =>
    isUnheard(order) && order.expiresAt !== null && millis(now) > millis(order.expiresAt) + GRACE_MS;
  if (stops.some((order) => IN_FLIGHT.includes(order.status) && !isLost(order))) return { act: "wait" };
  return { act: "place", attempt: stops.filter((order) => order.biasAt === openedAt).length };
}

/** What the venue says of an order when it is looked up. */
type Shown = Pick<LookedUp, "order" | "found">;

/**
 * Returns stop orders as the venue says that they ended, where it shows them as over: with that status and what they filled. The
 * books leave one in flight until its fills are shown, which may be long after, while what it left over has no stop.
 */
export function asShown<T extends Pick<StoredOrder, "id" | "status" | "filledSize">>(
  stops: readonly T[],
  shown: readonly Shown[],
): T[] {
  const found = new Map(shown.map((one) => [one.order.id, one.found]));
  return stops.map((order) => {
    const { state, filledSize } = found.get(order.id) ?? {};
    const isOver = IN_FLIGHT.includes(order.status) && (state === "filled" || state === "canceled");
    return isOver ? { ...order, status: state, filledSize: filledSize ?? order.filledSize } : order;
  });
}

/** The venue's codes for a market order, or a close, that is too large. Source: OKX v5, error codes; ccxt 4.5.84. */
const TOO_LARGE: readonly string[] = ["51202", "51108", "51207"];
/** The same for a price outside its limit, which a market order goes in at. */
const PRICE_LIMIT: readonly string[] = ["51006", "51116", "51137", "51138"];

/** How what is held is closed at market. */
export interface Closing {
  /** Contracts of each order, the first to be sent first; they add up to what is held. */
  readonly sizes: readonly Decimal[];
  /** The most contracts of one order; null = no bound is known. */
  readonly most: Decimal | null;
  /** How each is sent. */
  readonly market: Exclude<Submission["type"], "ioc" | "whole">;
}

/** Returns whether the venue refused an order for its size or its price, which another can do better. */
export const isRefusedByForm = (order: Pick<StoredOrder, "status" | "errorMessage"> | undefined): boolean =>
  order?.status === "rejected" && [...TOO_LARGE, ...PRICE_LIMIT].includes(codeOf(order));

type Past = Pick<StoredOrder, "status" | "biasAt" | "size" | "errorMessage">;

/**
 * Returns how to close `contracts`, given the most of one market order by the venue's list and what became of the position's
 * stop orders before: one that was too large is sent in halves, and after one that the venue canceled or whose price was outside
 * its limit the next is bound by that limit. At most `ids` orders: what is left over is closed by a later look.
 */
export function closingOf(
  contracts: Decimal,
  limit: Decimal | null,
  { lotSize, minSize }: Pick<Instrument, "lotSize" | "minSize">,
  before: { readonly stops: readonly Past[]; readonly openedAt: Instant; readonly ids: number },
): Closing {
  const past = before.stops.filter(({ biasAt }) => biasAt === before.openedAt);
  const said = (codes: readonly string[]) => past.filter((order) => codes.includes(codeOf(order)));
  const bounds = [...(limit === null ? [] : [big(limit)]), ...said(TOO_LARGE).map(({ size }) => big(size).div(2))];
  const least = bounds.reduce<Big | null>((low, bound) => (low === null || bound.lt(low) ? bound : low), null);
  const floored = least === null ? null : big(floorTo(text(least), lotSize));
  const most = floored === null ? null : floored.lt(minSize) ? big(minSize) : floored;
  const isBound = said(PRICE_LIMIT).length > 0 || past.some(({ status }) => status === "canceled");
  let left = big(contracts).abs();
  const sizes: Decimal[] = [];
  while (left.gt(0) && sizes.length < before.ids) {
    const size = most !== null && left.gt(most) ? most : left;
    sizes.push(text(size));
    left = left.minus(size);
  }
  return { sizes, most: most && text(most), market: isBound ? "optimal" : "market" };
}

/** What a stop order is made from. */
export interface Stopped {
  readonly account: Account;
  readonly at: Instant;
  readonly by: string;
  readonly policy: Pick<Policy, "timeframe">;
  readonly control: Control;
  readonly instrument: Instrument;
  readonly position: Pick<OpenPosition, "contracts" | "stopPrice" | "openedAt">;
  readonly mark: Decimal;
  /** Stops that the position has had: each gets an id of its own. */
  readonly attempt: number;
}

/** What the order of a stop or take-profit whose price was reached is made from. */
export interface Fired extends Omit<Stopped, "position" | "mark" | "attempt"> {
  readonly type: "stop" | "take_profit";
  /** `venue` = it waited there and has placed the order itself; `desk` = the price came before it could wait. */
  readonly sentBy: "venue" | "desk";
  /** `stopPrice` = of the position; for a take-profit the price that it was reached at. */
  readonly position: Pick<OpenPosition, "stopPrice" | "openedAt">;
  /** Of what was to place it: its client order id here. */
  readonly stopId: string;
  readonly side: Side;
  readonly size: Decimal;
}

/** Returns the reduce-only market order of a stop or take-profit, for the books. Nobody sends again what the venue has sent. */
export function firedOrder({ type, sentBy, stopId, side, size, ...fired }: Fired): NewOrder {
  const contracts = text(side === "sell" ? big(size) : big(size).neg());
  const { stopPrice } = fired.position;
  const made = stopOrder({ ...fired, position: { ...fired.position, contracts }, mark: stopPrice ?? ZERO, attempt: 0 });
  const leg = `${type === "stop" ? "stop" : "take-profit"}${sentBy === "venue" ? " at the venue" : ""}`;
  const detail = { leg, [type]: stopPrice, control: { ...decisive(fired.control) } };
  return { ...made, detail, order: { ...made.order, type, clientOrderId: stopId } };
}

/** Returns the client order id of the order that has the venue close a whole position by itself. */
const wholeId = ({
  account,
  instrument,
  policy,
  position,
}: Omit<Stopped, "attempt" | "mark" | "control" | "at" | "by">): string =>
  clientOrderId({
    ...account,
    ...{ instrument: instrument.id, timeframe: policy.timeframe, biasAt: position.openedAt, leg: "whole" as const },
  });

/** Returns the order among a position's stop orders that has the venue close all of it by itself; null = it was not asked for yet. */
export const wholeIn = <O extends Pick<StoredOrder, "clientOrderId">>(
  stops: readonly O[],
  of: Parameters<typeof wholeId>[0],
): O | null => {
  const id = wholeId(of);
  return stops.find((order) => order.clientOrderId === id) ?? null;
};

/** Returns the approved order that has the venue close a position by itself. A position has one: its id is always the same. */
export function wholeOrder(stopped: Omit<Stopped, "attempt">): NewOrder {
  const made = stopOrder({ ...stopped, attempt: 0 });
  return {
    ...made,
    detail: { ...made.detail, leg: "close-position" },
    order: { ...made.order, clientOrderId: wholeId(stopped) },
  };
}

/** Returns the approved reduce-only market order that closes a position whose mark has reached its stop. */
export function stopOrder(stopped: Stopped): NewOrder {
  const { account, at, by, policy, control, instrument, position, mark, attempt } = stopped;
  const { contracts, stopPrice, openedAt } = position;
  const intent = {
    ...account,
    ...{ instrument: instrument.id, timeframe: policy.timeframe, biasAt: openedAt, leg: "stop" as const },
  };
  return {
    mode: account.mode,
    venue: account.venue,
    asset: instrument.asset,
    instrument: instrument.id,
    timeframe: policy.timeframe,
    biasAt: openedAt,
    epoch: control.epoch,
    at,
    by,
    verdict: "approved",
    codes: [],
    policySnapshot: null,
    detail: { leg: "stop", mark, stop: stopPrice, contracts, control: { ...decisive(control) } },
    order: {
      clientOrderId: clientOrderId(intent, Math.min(attempt, 99)),
      side: big(contracts).gt(0) ? "sell" : "buy",
      type: "stop",
      size: text(big(contracts).abs()),
      price: stopPrice,
      reduceOnly: true,
      stopLoss: null,
      riskUsd: ZERO,
      signal: null,
    },
  };
}
