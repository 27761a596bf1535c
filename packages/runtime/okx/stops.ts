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
  sz: z.string(),
  closeFraction: z.string(),
  reduceOnly: z.string(),
  slTriggerPx: z.string(),
  slTriggerPxType: z.string(),
  slOrdPx: z.string(),
  tpTriggerPx: z.string(),
  tpTriggerPxType: z.string(),
  tpOrdPx: z.string(),
  cTime: time,
});

/** A row is a stop when it has one, whatever else it has. */
const legOf = (row: z.infer<typeof StopRow>): "sl" | "tp" => (row.slTriggerPx === "" ? "tp" : "sl");

/** Returns a row's stop or take-profit. @throws VenueShapeError */
function stopOf(row: z.infer<typeof StopRow>): VenueStop {
  const leg = legOf(row);
  const triggerBy = z.enum(["last", "mark", "index"]).safeParse(row[`${leg}TriggerPxType`] || "last").data;
  if (triggerBy === undefined) throw new VenueShapeError("stops", `${leg}TriggerPxType`);
  const isWhole = row.closeFraction === "1";
  return {
    algoId: row.algoId,
    stopId: row.algoClOrdId,
    instrument: row.instId,
    side: row.side,
    trigger: parsed("stops", Decimal, row[`${leg}TriggerPx`]),
    triggerBy,
    isWhole,
    size: isWhole ? null : parsed("stops", Decimal, row.sz),
    isReduceOnly: row.reduceOnly === "true",
    isMarket: row[`${leg}OrdPx`] === "-1",
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

const placement = (leg: "sl" | "tp", stop: StopSubmission, tdMode: TdMode): Fields => ({
  ...{ instId: stop.instrument, tdMode, side: stop.side, ordType: "conditional", reduceOnly: true },
  ...(stop.size === undefined ? { closeFraction: "1" } : { sz: stop.size }),
  ...{ [`${leg}TriggerPx`]: stop.trigger, [`${leg}TriggerPxType`]: "mark", [`${leg}OrdPx`]: "-1" },
  algoClOrdId: stop.stopId,
});

/**
 * What OKX answers where no stop of the whole position can be had: portfolio margin, more than one stop may close, or none of
 * the account's kind. Source: OKX v5, error codes 51332, 51275, 51058.
 */
const ONLY_SIZED: ReadonlySet<string> = new Set(["51332", "51275", "51058"]);

/**
 * Returns the part of the venue that stops and take-profits are: conditional orders of the whole position or of a size,
 * reduce-only, at market, triggered by the mark. Source: OKX v5, trade/order-algo, amend-algos, cancel-algos,
 * orders-algo-pending.
 */
export function stopsOver(
  { place, amend, cancel, pending }: StopCalls,
  tdMode: TdMode,
): Pick<
  Exchange,
  "placeStop" | "placeTakeProfit" | "moveStop" | "resizeStop" | "cancelStop" | "stops" | "takeProfits"
> {
  const waiting = async (leg: "sl" | "tp"): Promise<VenueStop[]> => {
    const rows = await pending({ instType: "SWAP", ordType: "conditional,oco" });
    return rows
      .map((row) => parsed("stops", StopRow, row))
      .filter((row) => legOf(row) === leg)
      .map(stopOf);
  };
  const change = (fields: Fields) => replyTo(() => amend(fields), ["amend", "algo", "cancel", "query"]);
  return {
    placeStop: async (stop) => {
      const reply = await replyTo(() => place(placement("sl", stop, tdMode)), ["algo", "place"]);
      const isOnlySized = reply.kind !== "accepted" && stop.size === undefined && ONLY_SIZED.has(reply.code ?? "");
      return isOnlySized ? { ...reply, onlySized: true } : reply;
    },
    placeTakeProfit: (leg) => replyTo(() => place(placement("tp", leg, tdMode)), ["algo", "place"]),
    moveStop: (instId, algoId, newSlTriggerPx) => change({ instId, algoId, newSlTriggerPx }),
    resizeStop: (instId, algoId, newSz) => change({ instId, algoId, newSz }),
    cancelStop: (instId, algoId) => replyTo(() => cancel([{ instId, algoId }]), ["cancel", "algo", "query"]),
    stops: () => waiting("sl"),
    takeProfits: () => waiting("tp"),
  };
}
