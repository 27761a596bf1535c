import * as z from "zod";
import { positionList } from "#db/reading/overview";
import { Limit } from "#reporting/paging";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { policyOf } from "#trading/plans/policy";

const Query = z.strictObject({ limit: Limit, state: z.enum(["open", "closed", "all"]).default("all") });

/** Positions, newest first; an open one with what waits for it at the venue, in the figures of the report. */
export const handler = route("GET /positions", async ({ query }, { database, settings }) => {
  const { limit, state } = Query.parse(query);
  const list = await positionList(database, settings, policyOf(settings), state, limit);
  return {
    status: 200,
    body: { input: inputOf(settings), positions: list },
  };
});
