import { setTimeout as pause } from "node:timers/promises";
import { cursorOf, keepSent, moveCursor, releaseLease, seedCursor, takeLease } from "#db/chain/blocks";
import { followHead } from "#desk/follow-head";
import { measureAge } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";
import { instant, millis } from "#units/time";

/** A run polls this long; its lease ends before the next tick. */
const RUN_SECONDS = 55;
const LEASE_SECONDS = 59;

/** head → block messages, contiguous from the cursor. It polls inside its run, since a schedule's grain is a minute. */
export const handler = schedule("watch-head", async ({ at }, { database, rpc, settings, send }) => {
  const { chain, headPollSeconds } = settings;
  const take = () => takeLease(database, chain, `watch-head ${at}`, at, LEASE_SECONDS);
  let held = await take();
  if (!held && !(await cursorOf(database, chain))) {
    const { latest } = await rpc.heads();
    await seedCursor(database, chain, { number: latest.number - 1, hash: latest.parentHash });
    held = await take();
  }
  if (!held) return; // another run is at it
  const began = performance.now();
  let done = false;
  try {
    for (let passed = 0; !done; passed = (performance.now() - began) / 1000) {
      const now = instant(millis(at) + passed * 1000);
      const { headers, to, headAt, fork } = await followHead(rpc, database, chain, held.cursor, now);
      measureAge("HeadAgeSeconds", headAt);
      // Sent before the cursor moves: a crash between the two sends them again, and ingest stands that.
      await send(
        "blocks",
        headers.map(({ number, hash, parentHash }) => ({ chain, number, hash, parentHash, at: now })),
      );
      await keepSent(database, held, fork === null ? headers : [fork, ...headers]);
      const last = headPollSeconds === 0 || passed + headPollSeconds >= RUN_SECONDS;
      held = await moveCursor(database, held, to, now, last);
      done = last;
      if (!done) await pause(headPollSeconds * 1000);
    }
  } finally {
    if (!done) await releaseLease(database, held);
  }
});
