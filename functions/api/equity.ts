import { equityChart } from "#db/reading/charts";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { equityContract } from "#topology/contracts/charts";

/** The account's equity over time, ascending, with its fall from the highest point. */
export const answer = route("GET /api/equity", equityContract, async ({ query }, { database, settings }) => {
  const { step, ...span } = query;
  const chart = await equityChart(database, settings, span, step);
  return { status: 200, body: { input: inputOf(settings), ...chart } };
});
