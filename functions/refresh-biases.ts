import { assetsMoved } from "#db/signals/bias";
import { schedule } from "#runtime/schedule";
import { assetOf } from "#units/candle";
import { millis } from "#units/time";

/** Every asset is refreshed this often, so that a bias decays though nothing happens. */
const ALL_EVERY_MS = 5 * 60_000;
const RUN_MS = 60_000;

/** Asks for the bias of each asset that something was added to, and of all assets in the first run of five minutes; plans follow. */
export const handler = schedule("refresh-biases", async ({ at }, { database, send, settings }) => {
  const assets = [...new Set(settings.instruments.map(assetOf))].sort();
  const due = millis(at) % ALL_EVERY_MS < RUN_MS ? assets : await assetsMoved(database, assets, at);
  await send(
    "biases",
    due.map((asset) => ({ asset, at, plan: true })),
  );
});
