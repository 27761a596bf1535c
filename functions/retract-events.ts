import { consume } from "#runtime/consume";
import { assetOf } from "#units/candle";

/** What the ingest took back is gone already; here the numbers that had counted it are asked for again. */
export const handler = consume("retractions", async ({ at, body }, { send, settings }) => {
  await send("wallets", [{ walletId: body.walletId, at }]);
  // An event may have counted for other assets than its own (stablecoins for all), so every bias is due. Plans follow on the minute.
  await send(
    "biases",
    settings.instruments.map((instrument) => ({ asset: assetOf(instrument), at, plan: false })),
  );
});
