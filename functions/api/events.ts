import { eventPage } from "#db/reading/overview";
import { nextCursor } from "#reporting/paging";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { eventsContract } from "#topology/contracts/events";

/** Events, newest first; `next` goes into `before` for the page after. */
export const answer = route("GET /api/events", eventsContract, async ({ query }, { database, settings }) => {
  const { limit, before = null, asset = null, type = null, wallet = null, from, to, minUsd } = query;
  const narrowed = { from: from ?? null, to: to ?? null, minUsd: minUsd ?? null };
  const events = await eventPage(database, { asset, type, wallet, before, ...narrowed }, limit);
  return { status: 200, body: { input: inputOf(settings), events, next: nextCursor(events, limit) } };
});
