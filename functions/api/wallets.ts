import { latestWallets } from "#db/reading/wallet-lines";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { walletsContract } from "#topology/contracts/wallets";

/** Watched wallets with their latest scores, the most credible first. */
export const answer = route("GET /api/wallets", walletsContract, async ({ query }, { database, settings }) => {
  const wallets = await latestWallets(database, query);
  const next = wallets.length === query.limit ? query.offset + query.limit : null;
  return { status: 200, body: { input: inputOf(settings), wallets, next } };
});
