import { priceChart } from "#db/reading/charts";
import { BARS } from "#reporting/chart";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { pricesContract } from "#topology/contracts/charts";

/** Candles of an instrument, ascending; of a long span wider ones than were asked for. */
export const answer = route("GET /api/prices", pricesContract, async ({ query }, { database, settings }) => {
  const { instrument, bar, ...span } = query;
  const chart = await priceChart(database, { instrument, stored: settings.barSeconds }, span, BARS[bar]);
  return { status: 200, body: { input: inputOf(settings), ...chart } };
});
