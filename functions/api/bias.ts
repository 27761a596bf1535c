import { biasState } from "#db/reading/overview";
import { noTrade } from "#reporting/compose";
import { whyText } from "#reporting/no-trade";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { biasContract } from "#topology/contracts/bias";
import { policyOf } from "#trading/plans/policy";

/**
 * As of one instant, `at` or else that of the newest bias: how much evidence there is, the newest bias of every asset and timeframe with its largest
 * contributions, and for each traded asset without an order in the four hours before why it has none.
 */
export const answer = route("GET /api/bias", biasContract, async ({ query: { asset, at } }, { database, settings }) => {
  const { orders, standing, tradedAssets, ...state } = await biasState(database, settings, asset ?? null, at ?? null);
  const { timeframe } = policyOf(settings);
  const gaps = noTrade({ ...state, orders, standing, tradedAssets, scope: settings });
  const said = gaps.map((gap) => ({ ...gap, text: whyText(gap, timeframe) }));
  return { status: 200, body: { input: inputOf(settings), ...state, noTrade: said } };
});
