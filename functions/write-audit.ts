import { appendAudit } from "#db/audit";
import { consume } from "#runtime/consume";
import { hashOf } from "#trading/canonical-json";
import { idOf } from "#units/ids";

/** Appends each fact of the bus to the audit log, once, however often it is delivered. */
export const handler = consume("audits", async (message, { database }) => {
  const { fact, entityType, entityId, at, body } = message;
  const id = idOf("audit", fact, entityType, entityId, at, hashOf(body));
  const traceId = message.traceId ?? message.correlationId ?? null;
  await appendAudit(database, [{ id, at, action: fact, entityType, entityId, newValue: body, traceId }]);
});
