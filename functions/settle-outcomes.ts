import { closesAt, type DueKey, dueOutcomes, isLastPage, saveOutcomes, walletsSettledAt } from "#db/outcomes";
import { schedule } from "#runtime/schedule";
import { closesNeeded, isPast, settle } from "#scoring/settlement";
import { assetOf } from "#units/candle";

/** Pages of one run; the next run takes what is left. */
const MAX_PAGES = 40;

/** Measures what came of directional events whose horizon has passed, and asks for new scores of their wallets. */
export const handler = schedule("settle-outcomes", async ({ at }, { database, send, settings }) => {
  const { chain, instruments, barSeconds } = settings;
  const query = { chain, assets: instruments.map(assetOf), at };
  let after: DueKey | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const due = await dueOutcomes(database, query, after);
    const past = due.filter((one) => isPast(one, barSeconds, at));
    if (past.length > 0) {
      const closes = await closesAt(database, instruments, barSeconds, closesNeeded(past, barSeconds));
      await saveOutcomes(database, settle(past, closes, barSeconds), at);
    }
    after = due.at(-1) ?? after;
    if (isLastPage(due)) break;
  }
  const wallets = await walletsSettledAt(database, at);
  await send(
    "wallets",
    wallets.map((walletId) => ({ walletId, at })),
  );
});
