import * as z from "zod";
import type { Exchange, StopReply, StopSubmission, VenueStop } from "#trading/venue";
import { Decimal } from "#units/decimal";
import type { Operation } from "./codes.ts";
import { VenueError, VenueShapeError } from "./errors.ts";
import { stopReplyOf } from "./reply.ts";
import { parsed, time } from "./rows.ts";
import type { TdMode } from "./td-mode.ts";

type Fields = Record<string, string | boolean>;

/** The requests that stops need, each returning its rows. */
export interface StopCalls {
  readonly place: (fields: Fields) => Promise<unknown[]>;
  readonly amend: (fields: Fields) => Promise<unknown[]>;
  readonly cancel: (list: readonly Fields[]) => Promise<unknown[]>;
  /** All pages, by algoId. */
  readonly pending: (fields: Fields) => Promise<unknown[]>;
}

const Acknowledged = z.object({ algoId: z.string().min(1) });
const StopRow = z.object({
  instId: z.string(),
  algoId: z.string().min(1),
  algoClOrdId: z.string().transform((value) => value || null),
  side: z.enum(["buy", "sell"]),
  closeFraction: z.string(),
  reduceOnly: z.string(),
  slTriggerPx: z.string(),
  slTriggerPxType: z.string(),
  slOrdPx: z.string(),
  cTime: time,
});

/** Returns a row's stop, or null for a row without one: a take-profit alone. @throws VenueShapeError */
function stopOf(value: unknown): VenueStop | null {
  const row = parsed("stops", StopRow, value);
  if (row.slTriggerPx === "") return null;
  const triggerBy = z.enum(["last", "mark", "index"]).safeParse(row.slTriggerPxType || "last").data;
  if (triggerBy === undefined) throw new VenueShapeError("stops", "slTriggerPxType");
  return {
    algoId: row.algoId,
    stopId: row.algoClOrdId,
    instrument: row.instId,
    side: row.side,
    trigger: parsed("stops", Decimal, row.slTriggerPx),
    triggerBy,
    isWhole: row.closeFraction === "1",
    isReduceOnly: row.reduceOnly === "true",
    isMarket: row.slOrdPx === "-1",
    placedAt: row.cTime,
  };
}

/** Says what a request came to. An acknowledgement that names no order says nothing. */
async function replyTo(request: () => Promise<unknown[]>, operations: readonly Operation[]): Promise<StopReply> {
  try {
    const [row] = await request();
    parsed("stop", Acknowledged, row);
    return { kind: "accepted" };
  } catch (error) {
    if (error instanceof VenueShapeError) return { kind: "unknown", code: null, reason: error.message };
    if (error instanceof VenueError) return stopReplyOf(error, operations);
    throw error;
  }
}

const placement = ({ stopId, instrument, side, trigger }: StopSubmission, tdMode: TdMode): Fields => ({
  ...{ instId: instrument, tdMode, side, ordType: "conditional", closeFraction: "1", reduceOnly: true },
  ...{ slTriggerPx: trigger, slTriggerPxType: "mark", slOrdPx: "-1", algoClOrdId: stopId },
});

/**
 * Returns the part of the venue that stops are: conditional orders of the whole position, reduce-only, at market, triggered
 * by the mark. Source: OKX v5, trade/order-algo, amend-algos, cancel-algos, orders-algo-pending.
 */
export function stopsOver(
  { place, amend, cancel, pending }: StopCalls,
  tdMode: TdMode,
): Pick<Exchange, "placeStop" | "moveStop" | "cancelStop" | "stops"> {
  return {
    placeStop: (stop) => replyTo(() => place(placement(stop, tdMode)), ["algo", "place"]),
    moveStop: (instId, algoId, newSlTriggerPx) =>
      replyTo(() => amend({ instId, algoId, newSlTriggerPx }), ["amend", "algo", "cancel", "query"]),
    cancelStop: (instId, algoId) => replyTo(() => cancel([{ instId, algoId }]), ["cancel", "algo", "query"]),
    stops: async () => {
      const rows = await pending({ instType: "SWAP", ordType: "conditional,oco" });
      return rows.map(stopOf).filter((stop) => stop !== null);
    },
  };
}
