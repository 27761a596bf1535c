import { upsertLabels } from "#db/chain/labels";
import { watchWallets } from "#db/chain/wallets";
import { task } from "#runtime/task";
import { WatchList } from "#topology/messages";

/** A watch list and labels → `wallets`, `labels`. Safe to run twice; what is watched already keeps its time. */
export const handler = task("watch-wallets", async ({ database }, input) => {
  const { chain, at, wallets, labels } = WatchList.parse(input);
  await upsertLabels(database, chain, labels);
  await watchWallets(database, chain, wallets, at);
  return { wallets: wallets.length, labels: labels.length };
});
