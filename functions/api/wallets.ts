import * as z from "zod";
import { latestWallets } from "#db/reading/wallet-lines";
import { Limit } from "#reporting/paging";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";

const Query = z.strictObject({
  limit: Limit,
  offset: z
    .string()
    .regex(/^\d{1,6}$/, "a whole number")
    .transform(Number)
    .default(0),
});

/** Watched wallets with their latest scores, the most credible first. */
export const handler = route("GET /wallets", async ({ query }, { database, settings }) => {
  const page = Query.parse(query);
  const wallets = await latestWallets(database, page);
  const next = wallets.length === page.limit ? page.offset + page.limit : null;
  return { status: 200, body: { input: inputOf(settings), wallets, next } };
});
