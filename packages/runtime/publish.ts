import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type FactName, type FactOf, publishedFact } from "#topology/facts";
import { SOURCE } from "#topology/names";
import { eventBus } from "./config.ts";
import { traceFields } from "./trace.ts";

/**
 * `T` when it has the fields of `S` and no other, at every depth. A value that was built before it is published is not
 * looked through for fields too many by the compiler itself, and the bus would refuse it at run time.
 */
export type Exactly<T, S> = T extends string | number | boolean | null
  ? T
  : { readonly [K in keyof T]: K extends keyof S ? Exactly<T[K], S[K]> : never };

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
export async function publish<F extends FactName, const T extends FactOf<F>>(
  fact: F,
  facts: readonly Exactly<T, FactOf<F>>[],
): Promise<void> {
  const schema = publishedFact(fact);
  const details = facts.map((one) => JSON.stringify(schema.parse({ ...one, ...traceFields(), fact })));
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
