import { lookAtHead, timeOf } from "#desk/look-at-head";
import { consume } from "#runtime/consume";

/** head → block messages between two runs of watch-head, which says how the nodes are. */
export const handler = consume("looks", async (look, { database, rpc, send }) => {
  await lookAtHead(rpc, database, { chain: look.chain, at: timeOf(look) }, (blocks) => send("blocks", blocks));
});
