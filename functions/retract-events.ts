import * as z from "zod";
import { consume } from "#runtime/consume";
import { assetOf } from "#units/candle";
import { WalletId } from "#units/ids";

const Body = z.object({ walletId: WalletId });

/** What the ingest took back is gone already; here the numbers that had counted it are asked for again. */
export const handler = consume("retractions", async ({ at, body }, { send, settings }) => {
  const { walletId } = Body.parse(body);
  await send("wallets", [{ walletId, at }]);
  // An event may have counted for other assets than its own (stablecoins for all), so every bias is due. Plans follow on the minute.
  await send(
    "biases",
    settings.instruments.map((instrument) => ({ asset: assetOf(instrument), at, plan: false })),
  );
});
