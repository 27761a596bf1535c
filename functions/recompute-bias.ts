import { type Bias, biasOf, freshnessOf, normalMass } from "#bias/bias";
import { circumstancesAt, earlierMasses, saveBiases, termsBefore } from "#db/signals/bias";
import { consume } from "#runtime/consume";
import { assetOf } from "#units/candle";
import type { Horizon } from "#units/time";

/** Computes an asset's bias on the three timeframes from what was seen before the message's time, and asks for a plan. */
export const handler = consume("biases", async ({ asset, at, plan }, { database, send, settings }) => {
  const terms = await termsBefore(database, asset, at);
  const { newestBlock, coverage, k } = await circumstancesAt(database, settings.chain, asset, at);
  const compute = async (timeframe: Horizon): Promise<Bias> =>
    biasOf({
      timeframe,
      at,
      terms: terms[timeframe],
      k: k[timeframe] ?? normalMass(await earlierMasses(database, asset, timeframe, at)),
      freshness: freshnessOf(timeframe, newestBlock, at),
      coverage: coverage[timeframe],
    });
  await saveBiases(database, asset, at, {
    "1h": await compute("1h"),
    "4h": await compute("4h"),
    "24h": await compute("24h"),
  });
  if (!plan) return;
  const { mode, instruments } = settings;
  await send(
    "plans",
    instruments
      .filter((instrument) => assetOf(instrument) === asset)
      .map((instrument) => ({ lane: `${mode}:${instrument}`, mode, asset, instrument, at })),
  );
});
