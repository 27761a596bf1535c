import { big, type Decimal } from "#units/decimal";
import type { Side, VenueStop } from "../venue.ts";

/** One step towards a position that one stop covers. `algoId` is the venue's id of a stop that waits there. */
export type Command =
  | { readonly act: "cancel"; readonly algoId: string }
  /** `size` absent = of the whole position. */
  | { readonly act: "place"; readonly side: Side; readonly trigger: Decimal; readonly size?: Decimal }
  | { readonly act: "amend"; readonly algoId: string; readonly trigger: Decimal }
  | { readonly act: "resize"; readonly algoId: string; readonly size: Decimal }
  /** The stop's price is reached, and no stop waits there: close at market. */
  | { readonly act: "close" };

/** What is to be covered. */
export interface Covered {
  /** Signed contracts, from whatever shows them first. */
  readonly exposure: Decimal;
  /** Null = not known: nothing is then judged to be passed. */
  readonly mark: Decimal | null;
  /** Where the policy wants the stop; null = no order set one. */
  readonly trigger: Decimal | null;
  /** Whether it is certain that nothing is held when `exposure` is 0: then what is left of the stops is swept. */
  readonly isSure: boolean;
}

/** Returns whether `trigger` is nearer to profit than `than`, for a stop on `side`: a sell stop rises, a buy stop falls. */
export const isNearer = (side: Side, trigger: Decimal, than: Decimal): boolean =>
  side === "sell" ? big(trigger).gt(than) : big(trigger).lt(than);

/** Returns whether the mark has reached the trigger of a stop on `side`; an unknown mark has reached none. */
export const isPassed = (side: Side, trigger: Decimal, mark: Decimal | null): boolean =>
  mark !== null && (side === "sell" ? big(mark).lte(trigger) : big(mark).gte(trigger));

/** Returns whether a waiting stop closes what is held on `side`, or a part of it: it can only reduce, at market, by the mark. */
export const guards = (stop: VenueStop, side: Side): boolean =>
  stop.side === side && stop.isReduceOnly && stop.isMarket && stop.triggerBy === "mark";

/**
 * Returns what makes the stops that wait at the venue the right ones, in the order to do it; empty when the position is
 * covered. Exactly one stop of the whole position is kept, the one nearest to profit. Its trigger moves toward profit
 * and never away, whatever the policy wants now. The venue has one stop of the whole position per position, so that each of
 * them is touched; of those of a size only the desk's own, the `spares`: they are ended once the position is covered without
 * them, for one that came with an order could open. What no stop can cover any more is to be closed.
 */
export function protect(
  { exposure, mark, trigger, isSure }: Covered,
  stops: readonly VenueStop[],
  spares: readonly VenueStop[] = [],
): Command[] {
  const whole = stops.filter((stop) => stop.isWhole);
  const cancel = (list: readonly VenueStop[]): Command[] =>
    list.map(({ algoId }) => ({ act: "cancel" as const, algoId }));
  if (big(exposure).eq(0)) return isSure ? cancel([...whole, ...spares]) : [];
  const side = big(exposure).gt(0) ? "sell" : "buy";
  const [kept, ...spare] = whole
    .filter((stop) => guards(stop, side))
    .sort((a, b) => (isNearer(side, a.trigger, b.trigger) ? -1 : 1));
  const wrong = whole.filter((stop) => !guards(stop, side));
  if (kept !== undefined) {
    const moves = trigger !== null && isNearer(side, trigger, kept.trigger);
    if (!moves) return cancel([...wrong, ...spare, ...spares]);
    const amend: Command = { act: "amend", algoId: kept.algoId, trigger };
    return [...cancel([...wrong, ...spare, ...spares]), isPassed(side, trigger, mark) ? { act: "close" } : amend];
  }
  if (trigger === null) return [];
  if (isPassed(side, trigger, mark)) return [...cancel([...wrong, ...spares]), { act: "close" }];
  // A spare may be all that covers until the stop is live.
  return [...cancel(wrong), { act: "place", side, trigger }, ...cancel(spares)];
}
