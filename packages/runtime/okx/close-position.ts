import * as z from "zod";
import type { Submission, SubmitReply, VenueOrder } from "#trading/venue";
import { millis } from "#units/time";
import type { OkxClient } from "./client.ts";
import { VenueError, VenueShapeError } from "./errors.ts";
import { submitReplyOf } from "./reply.ts";
import { rowsOf } from "./requests.ts";
import { parsed } from "./rows.ts";
import type { TdMode } from "./td-mode.ts";

const Closed = z.object({ clOrdId: z.string() });

/**
 * Has OKX close all that is held of an instrument, at market, after it has canceled what waits to close it. The order that OKX
 * makes of it has the given id, and is looked up once, since the acknowledgement does not name it. The request has no deadline
 * of OKX's own, so one that is late is not sent.
 * Source: OKX v5, trade/close-position; its codes are those of a placement.
 */
export async function closePosition(
  client: OkxClient,
  { instrument, clientOrderId, expiresAt }: Submission,
  tdMode: TdMode,
  lookUp: () => Promise<VenueOrder | null>,
): Promise<SubmitReply> {
  if (client.nonce() > millis(expiresAt)) return { kind: "expired", code: "deadline" };
  const params = { instId: instrument, mgnMode: tdMode, autoCxl: true, clOrdId: clientOrderId };
  try {
    const [row] = await rowsOf(client, client.privatePostTradeClosePosition, params);
    if (parsed("close-position", Closed, row).clOrdId !== clientOrderId)
      return { kind: "unknown", reason: "the reply names another order" };
  } catch (error) {
    if (error instanceof VenueShapeError) return { kind: "unknown", reason: error.message };
    if (error instanceof VenueError) return submitReplyOf(error);
    throw error;
  }
  const found = await lookUp().catch(() => null); // taken it is: the unknown rule looks again
  return found === null
    ? { kind: "unknown", reason: "close-position was taken, and its order is not shown yet" }
    : { kind: "accepted", venueOrderId: found.venueOrderId };
}
