import { setTimeout as pause } from "node:timers/promises";
import { moveCursor, releaseLease, takeLease } from "#db/blocks";
import { followHead } from "#runtime/follow-head";
import { schedule } from "#runtime/schedule";
import { instant, millis } from "#units/time";

const RUN_SECONDS = 55;

/** head → block messages, contiguous from the cursor. It polls inside its run, since a schedule's grain is a minute. */
export const handler = schedule("watch-head", async ({ at }, { database, rpc, settings, send }) => {
  const { chain, headPollSeconds } = settings;
  const lease = await takeLease(database, chain, `watch-head ${at}`, at, RUN_SECONDS);
  if (!lease) return;
  let held = lease;
  for (let passed = 0; passed < RUN_SECONDS; passed += headPollSeconds) {
    const now = instant(millis(at) + passed * 1000);
    const { headers, to } = await followHead(rpc, database, chain, held.cursor);
    // Sent before the cursor moves: a crash between the two sends them again, and ingest stands that.
    await send(
      "blocks",
      headers.map(({ number, hash, parentHash }) => ({ chain, number, hash, parentHash, at: now })),
    );
    held = await moveCursor(database, held, to, now);
    if (headPollSeconds === 0) break;
    await pause(headPollSeconds * 1000);
  }
  await releaseLease(database, held);
});
