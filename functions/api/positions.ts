import { positionList } from "#db/reading/overview";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { positionsContract } from "#topology/contracts/positions";
import { policyOf } from "#trading/plans/policy";

/** Positions, newest first; an open one with what waits for it at the venue, in the figures of the report. */
export const answer = route("GET /api/positions", positionsContract, async ({ query }, { database, settings }) => {
  const positions = await positionList(database, settings, policyOf(settings), query.state, query.limit);
  return { status: 200, body: { input: inputOf(settings), positions } };
});
