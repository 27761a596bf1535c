import type { Message } from "@aws-sdk/client-sqs";
import { deliverySchema } from "#topology/delivery";
import type { Letter } from "#topology/operations";
import type { QueueName } from "#topology/queues";
import { queue } from "#topology/topology";

/** Returns what a dead letter of a queue is by the queue's contract; what breaks it is for a person. */
export function letterOf(name: QueueName, { MessageId: id = "", Body = "" }: Message): Letter {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Body);
  } catch {
    return { kind: "broken", id, problem: "it is not JSON" };
  }
  const entry = queue(name);
  const result = deliverySchema(entry).safeParse(parsed);
  if (result.success) {
    if (entry.message === undefined) return { kind: "fact", id };
    return { kind: entry.message, id, message: result.data } as Letter; // parsed by that message's schema
  }
  const fields = [...new Set(result.error.issues.map((issue) => issue.path.join(".") || "the whole"))];
  return { kind: "broken", id, problem: `it breaks the contract of ${name}: ${fields.join(", ")}` };
}
