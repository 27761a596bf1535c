import * as z from "zod";
import { isLegId } from "#trading/protection/leg-id";
import { isStopId } from "#trading/protection/stop-id";
import type { VenueOrder } from "#trading/venue";
import { type FillRecord, orderOf, parsed } from "./rows.ts";

type Ask = (fields: Record<string, string>) => Promise<unknown[]>;

/** The two look-ups, each returning its rows; none = the venue says that there is none. */
export interface ChildCalls {
  readonly order: Ask;
  readonly stop: Ask;
}

const Stop = z.object({ ordIdList: z.array(z.string()) });

/** Orders that stops placed: OKX gives them no client order id, and tells whose they are in the order alone. */
export interface Children {
  /** Returns the fills with the stop's id for their client order id, where a stop placed their order. */
  named(fills: readonly FillRecord[]): Promise<FillRecord[]>;
  /** Returns the order that the stop of this id placed; null when it has placed none. */
  of(instrument: string, stopId: string): Promise<VenueOrder | null>;
}

const MOST_KEPT = 1000;

/**
 * Returns how the orders of stops are found. A fill without a client order id has its order looked up, each order once.
 * Source: OKX v5, trade/order (algoClOrdId), trade/order-algo (ordIdList).
 */
export function childrenOver({ order, stop }: ChildCalls): Children {
  const parents = new Map<string, string | null>();
  const parentOf = async ({ instrument, venueOrderId }: FillRecord): Promise<string | null> => {
    const known = parents.get(venueOrderId);
    if (known !== undefined) return known;
    const [row] = await order({ instId: instrument, ordId: venueOrderId });
    const parent = row === undefined ? null : orderOf(row).clientOrderId;
    if (parents.size >= MOST_KEPT) parents.clear();
    parents.set(venueOrderId, parent);
    return parent;
  };
  return {
    named: async (fills) => {
      const named: FillRecord[] = [];
      // One after the other: two fills of one order ask once.
      for (const fill of fills)
        named.push(fill.clientOrderId === null ? { ...fill, clientOrderId: await parentOf(fill) } : fill);
      return named;
    },
    of: async (instrument, stopId) => {
      const [row] = await stop({ algoClOrdId: stopId });
      const ordId = row === undefined ? undefined : parsed("stop", Stop, row).ordIdList.at(-1);
      if (ordId === undefined) return null;
      const [child] = await order({ instId: instrument, ordId });
      return child === undefined ? null : orderOf(child);
    },
  };
}

/** Returns whether an id can be that of a stop or take-profit in either mode: longer than a client order id of the desk. */
export const mayBeStop = (id: string): boolean =>
  (["demo", "live"] as const).some((mode) => isStopId(mode, id) || isLegId(mode, id));
