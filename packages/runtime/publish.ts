import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type Fact, messages } from "#topology/messages";
import { type FactName, SOURCE } from "#topology/topology";
import { eventBus } from "./config.ts";
import { traceFields } from "./trace.ts";

/** A fact without its name and its trace. */
export type OutgoingFact = Omit<Fact, "fact" | "correlationId" | "traceId">;

/** The bus refused some of a batch after the SDK's own retries. */
export class PublishError extends Error {
  override name = "PublishError";
  readonly codes: readonly string[];
  constructor(fact: string, codes: readonly string[]) {
    super(`the bus refused ${codes.length} of ${fact}: ${[...new Set(codes)].join(", ")}`);
    this.codes = codes;
  }
}

const BATCH = 10; // EventBridge's limit per PutEvents
let client: EventBridgeClient | undefined;

/**
 * Validates and puts facts on the bus, each with the trace of the work in hand; the rules of the topology copy each to
 * its queues.
 * @throws ZodError when a fact breaks its contract; PublishError when the bus refuses some.
 */
export async function publish(fact: FactName, facts: readonly OutgoingFact[]): Promise<void> {
  const details = facts.map((body) => JSON.stringify(messages.fact.parse({ ...body, ...traceFields(), fact })));
  if (details.length === 0) return;
  client ??= new EventBridgeClient({});
  for (let i = 0; i < details.length; i += BATCH) {
    const Entries = details
      .slice(i, i + BATCH)
      .map((Detail) => ({ Source: SOURCE, DetailType: fact, Detail, EventBusName: eventBus() }));
    const reply = await client.send(new PutEventsCommand({ Entries }));
    const codes = (reply.Entries ?? []).flatMap((entry) => (entry.ErrorCode ? [entry.ErrorCode] : []));
    if (codes.length > 0) throw new PublishError(fact, codes);
  }
}

/** Forgets the client, so that the next fact goes to the endpoint then in force. For the local runtime. */
export const forgetBus = (): void => {
  client?.destroy();
  client = undefined;
};
