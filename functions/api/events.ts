import * as z from "zod";
import { EventType } from "#chain/event";
import { eventPage } from "#db/reading/overview";
import { Cursor, Limit, nextCursor } from "#reporting/paging";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { AssetName } from "#units/asset";

const Query = z.strictObject({
  limit: Limit,
  before: Cursor.optional(),
  asset: AssetName.optional(),
  type: EventType.optional(),
  wallet: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/, "an address")
    .transform((address) => address.toLowerCase())
    .optional(),
});

/** Events, newest first; `next` goes into `before` for the page after. */
export const handler = route("GET /events", async ({ query }, { database, settings }) => {
  const { limit, before = null, asset = null, type = null, wallet = null } = Query.parse(query);
  const events = await eventPage(database, { asset, type, wallet, before }, limit);
  return { status: 200, body: { input: inputOf(settings), events, next: nextCursor(events, limit) } };
});
