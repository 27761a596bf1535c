import { biasSum } from "#db/reading/bias-terms";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { oneBiasContract } from "#topology/contracts/charts";

/** A bias as the sum of all its terms: the newest at `at`, or at the request's time. */
export const answer = route(
  "GET /api/bias/{asset}/{timeframe}",
  oneBiasContract,
  async ({ at, params: { asset, timeframe }, query }, { database, settings }) => {
    const sum = await biasSum(database, asset, timeframe, query.at ?? at);
    if (sum === null) return { status: 404, problem: `no ${timeframe} bias of ${asset} in the day before` };
    return { status: 200, body: { input: inputOf(settings), ...sum } };
  },
);
