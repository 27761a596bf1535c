import * as z from "zod";
import { biasState } from "#db/reading/overview";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";

const Query = z.strictObject({ asset: z.string().min(1).max(64).optional() });

/** As of one instant: how much evidence there is, and the newest bias of every asset and timeframe with its largest contributions. */
export const handler = route("GET /bias", async ({ query }, { database, settings }) => {
  const { asset } = Query.parse(query);
  return { status: 200, body: { input: inputOf(settings), ...(await biasState(database, asset ?? null)) } };
});
