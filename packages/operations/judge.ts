import type { Db } from "#db/client";
import {
  biasVerdict,
  blockVerdict,
  eventVerdict,
  orderVerdict,
  planVerdict,
  SEND,
  type Verdict,
  walletVerdict,
} from "#db/server/redrive";
import { deliverySchema } from "#topology/delivery";
import type { MessageName, MessageOf } from "#topology/messages";
import type { QueueName } from "#topology/queues";
import { queue } from "#topology/topology";
import type { Instant } from "#units/time";

type Judges = { readonly [M in MessageName]: (db: Db, message: MessageOf<M>, now: Instant) => Promise<Verdict> };

const JUDGES: Judges = {
  block: blockVerdict,
  event: eventVerdict,
  wallet: walletVerdict,
  asset: biasVerdict,
  plan: planVerdict,
  order: orderVerdict,
};

/**
 * Judges a dead letter of a queue by the state of now: some of what it asks for may have been done, taken back or
 * overtaken while it lay there. A body that breaks the queue's contract is kept, for a person.
 */
export async function judge(db: Db, name: QueueName, body: string, now: Instant): Promise<Verdict> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { act: "keep", reason: "it is not JSON" };
  }
  const entry = queue(name);
  const result = deliverySchema(entry).safeParse(parsed);
  if (result.success) {
    // A fact is appended once however often it comes; a retraction asks for numbers to be computed again, which does no harm.
    if (entry.message === undefined) return SEND;
    return JUDGES[entry.message](db, result.data as never, now); // parsed by the same message's schema
  }
  const fields = [...new Set(result.error.issues.map((issue) => issue.path.join(".") || "the whole"))];
  return { act: "keep", reason: `it breaks the contract of ${name}: ${fields.join(", ")}` };
}
