import * as z from "zod";
import { positionList } from "#db/reading/overview";
import { Limit } from "#reporting/paging";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";

const Query = z.strictObject({ limit: Limit, state: z.enum(["open", "closed", "all"]).default("all") });

/** Positions, newest first. */
export const handler = route("GET /positions", async ({ query }, { database, settings }) => {
  const { limit, state } = Query.parse(query);
  return {
    status: 200,
    body: { input: inputOf(settings), positions: await positionList(database, settings, state, limit) },
  };
});
