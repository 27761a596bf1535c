import * as z from "zod";
import type { Exchange, StopFate } from "#trading/venue";
import { VenueShapeError } from "./errors.ts";
import { parsed, time } from "./rows.ts";

const Row = z.object({
  algoId: z.string().min(1),
  state: z.string(),
  failCode: z.string(),
  ordIdList: z.array(z.string()),
  cTime: time,
  uTime: time,
});

/** Partly effective and partly failed ones have placed an order: what is left is a position without that stop. */
const STATES: Readonly<Record<string, StopFate["state"]>> = {
  live: "waiting",
  pause: "waiting",
  effective: "effective",
  partially_effective: "effective",
  partially_failed: "failed",
  order_failed: "failed",
  canceled: "canceled",
};

/**
 * Returns how the end of a stop is found out. Source: OKX v5, trade/order-algo: `state`, `failCode`, `ordIdList`.
 * `ask` returns the rows of one id; none = the venue says that there is none.
 */
export const fatesOver =
  (ask: (fields: Record<string, string>) => Promise<unknown[]>): Exchange["stopFate"] =>
  async (stop) => {
    const [found] = await ask(stop.algoId === null ? { algoClOrdId: stop.stopId } : { algoId: stop.algoId });
    if (found === undefined) return null;
    const row = parsed("stop", Row, found);
    const state = STATES[row.state];
    if (state === undefined) throw new VenueShapeError("stop", `state ${row.state.slice(0, 20)}`);
    const { algoId, failCode, cTime: placedAt, uTime: changedAt } = row;
    return { state, algoId, childOrderId: row.ordIdList.at(-1) ?? null, reason: failCode || null, placedAt, changedAt };
  };
