import type { FactName, FactOf } from "#topology/facts";
import type { Job } from "#topology/job";
import type { MessageQueueName } from "#topology/queues";
import { readSettings, type Settings } from "./config.ts";
import type { Exactly } from "./publish.ts";
import type { Outgoing } from "./send.ts";
import { type Services, services } from "./services.ts";

/** What a job is handed: the services it needs, sends and publishes only where its topology entry says so. */
export type Context<J extends Pick<Job, "needs" | "sends" | "publishes">> = Services<J["needs"][number]> & {
  readonly settings: Settings;
  /** Enqueues; returns when the queue has them all. */
  send<T extends J["sends"][number] & MessageQueueName>(to: T, payloads: readonly Outgoing<T>[]): Promise<void>;
  /** Puts facts on the bus; returns when the bus has them all. */
  publish<F extends J["publishes"][number] & FactName, const T extends FactOf<F>>(
    fact: F,
    facts: readonly Exactly<T, FactOf<F>>[],
  ): Promise<void>;
};

/** Returns `open`, called once. */
function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open();
    return opened;
  };
}

// Imported when first needed: a process that only reads loads no client of SQS or EventBridge. Kept: the loader takes its time at every asking.
const sender = once(async () => (await import("./send.ts")).send);
const publisher = once(async () => (await import("./publish.ts")).publish);

/**
 * Returns the context of a topology entry; one without `sends` or `publishes`, as a route is, has none.
 * @throws ConfigError, SecretError when a service cannot be opened.
 */
export async function contextOf<J extends Pick<Job, "needs" | "sends" | "publishes">>({
  consumer,
  needs,
  sends = [],
  publishes = [],
}: Pick<Job, "consumer" | "needs"> & Partial<Pick<Job, "sends" | "publishes">>): Promise<Context<J>> {
  const undeclared = async (): Promise<never> => {
    throw new Error(`${consumer} declares no such send`);
  };
  return {
    ...(await services(needs)),
    settings: readSettings(),
    send: sends.length > 0 ? await sender() : undeclared,
    publish: publishes.length > 0 ? await publisher() : undeclared,
  } as unknown as Context<J>; // the entry's needs are the type's needs: the parts of the topology hold both
}
