import { ingestBlock } from "#desk/ingest-block";
import { consume } from "#runtime/consume";
import { measureAge } from "#runtime/metrics";

/** block → events of the watched wallets, and the retraction of those that a reorg took back. */
export const handler = consume("blocks", async (message, { database, rpc, settings, send, publish }) => {
  const { at } = message;
  const ingested = await ingestBlock(rpc, database, settings, message);
  if (ingested === null) return; // the chain has another block in its place
  measureAge("IngestLagSeconds", ingested.timestamp);
  await publish(
    "event.retracted",
    ingested.retracted.map(({ eventId, ...body }) => ({ entityType: "event", entityId: eventId, at, body })),
  );
  await send(
    "events",
    ingested.eventIds.map((eventId) => ({ eventId, at })),
  );
});
