import { laterLooks, lookAtHead } from "#desk/look-at-head";
import { measureAge } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";

/**
 * head → block messages, contiguous from the cursor. A schedule's grain is a minute and a block comes each twelve seconds, so
 * the other looks of the minute are sent ahead as delayed messages: first, since a node that is away now may be back then.
 */
export const handler = schedule("watch-head", async ({ at }, { database, rpc, settings, send }) => {
  const { chain, headPollSeconds } = settings;
  await send("looks", laterLooks({ chain, at }, headPollSeconds));
  const headAt = await lookAtHead(rpc, database, { chain, at }, (blocks) => send("blocks", blocks));
  if (headAt !== null) measureAge("HeadAgeSeconds", headAt);
});
