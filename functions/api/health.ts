import * as z from "zod";
import { deskHealth } from "#db/reading/overview";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { millis } from "#units/time";

const Query = z.strictObject({});

/** How far the desk has come: `lagSeconds` is from the newest block's own time to the request. */
export const handler = route("GET /health", async ({ at, query }, { database, settings }) => {
  Query.parse(query);
  const health = await deskHealth(database, settings.chain, settings.mode);
  const { block } = health;
  return {
    status: 200,
    body: {
      status: block === null ? "waiting for the first block" : "ok",
      at,
      chain: settings.chain,
      mode: settings.mode,
      venue: settings.venue,
      input: inputOf(settings),
      lagSeconds: block === null ? null : (millis(at) - millis(block.at)) / 1000,
      ...health,
    },
  };
});
