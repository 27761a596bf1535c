import { closesAt, type DueKey, dueOutcomes, isLastPage, saveOutcomes, walletsSettled } from "#db/signals/outcomes";
import { schedule } from "#runtime/schedule";
import { closesNeeded, isPast, settle } from "#scoring/settlement";
import { assetOf } from "#units/candle";
import { instant, millis } from "#units/time";

/** Pages of one run; the next run takes what is left. */
const MAX_PAGES = 40;
/** Wallets are scored once a quarter of an hour, in its first run: what counts for hours need not be newer. */
const QUARTER_MS = 15 * 60_000;
const RUN_MS = 5 * 60_000;
/** A schedule keeps its rate, not the exact second: reaching back a little less than a quarter still meets every run. */
const JITTER_MS = 60_000;

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
  if (millis(at) % QUARTER_MS >= RUN_MS) return;
  const wallets = await walletsSettled(database, instant(millis(at) - QUARTER_MS + JITTER_MS), at);
  await send(
    "wallets",
    wallets.map((walletId) => ({ walletId, at })),
  );
});
