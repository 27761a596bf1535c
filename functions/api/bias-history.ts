import { biasChart } from "#db/reading/charts";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { biasHistoryContract } from "#topology/contracts/charts";

/** The bias of an asset over time, ascending. */
export const answer = route("GET /api/bias/history", biasHistoryContract, async ({ query }, { database, settings }) => {
  const { asset, timeframe, step, ...span } = query;
  const chart = await biasChart(database, { asset, timeframe }, span, step);
  return { status: 200, body: { input: inputOf(settings), ...chart } };
});
