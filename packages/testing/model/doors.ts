import { createRequire, syncBuiltinESMExports } from "node:module";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { ChangeMessageVisibilityBatchCommand, SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";

/** An HTTP request of the process. */
export interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Response {
  readonly status: number;
  readonly text: string;
}

/** A message as it goes onto a queue. */
export interface Sent {
  readonly queue: string;
  readonly body: string;
  readonly group: string | null;
  readonly dedupe: string | null;
  readonly delayMs: number;
}

/** What stands behind the doors of the process that runs the handlers. */
export interface Outside {
  now(): number;
  /** Of the monotone clock, in ms. */
  elapsed(): number;
  random(): number;
  /** Calls back after `ms`; returns how to forget it. */
  timer(ms: number, act: () => void): () => void;
  pause(ms: number): Promise<void>;
  fetch(request: Request): Promise<Response>;
  send(messages: readonly Sent[]): Promise<void>;
  /** Has the messages of these handles come again after so many ms. */
  again(waits: readonly { readonly handle: string; readonly ms: number }[]): Promise<void>;
  publish(facts: readonly { readonly name: string; readonly detail: string }[]): Promise<void>;
}

const promised = createRequire(import.meta.url)("node:timers/promises") as Record<string, unknown>;

async function sqs(outside: Outside, command: unknown): Promise<object> {
  if (command instanceof SendMessageBatchCommand) {
    const { QueueUrl = "", Entries = [] } = command.input;
    await outside.send(
      Entries.map(({ MessageBody = "", MessageGroupId, MessageDeduplicationId, DelaySeconds = 0 }) => ({
        ...{ queue: QueueUrl.slice(QueueUrl.lastIndexOf("/") + 1), body: MessageBody, delayMs: DelaySeconds * 1000 },
        ...{ group: MessageGroupId ?? null, dedupe: MessageDeduplicationId ?? null },
      })),
    );
    return {};
  }
  if (!(command instanceof ChangeMessageVisibilityBatchCommand)) throw new TypeError("the model knows no such command");
  const { Entries = [] } = command.input;
  await outside.again(
    Entries.map(({ ReceiptHandle = "", VisibilityTimeout = 0 }) => ({
      handle: ReceiptHandle,
      ms: VisibilityTimeout * 1000,
    })),
  );
  return {};
}

async function bus(outside: Outside, command: unknown): Promise<object> {
  if (!(command instanceof PutEventsCommand)) throw new TypeError("the model knows no such command");
  const { Entries = [] } = command.input;
  await outside.publish(Entries.map(({ DetailType = "", Detail = "" }) => ({ name: DetailType, detail: Detail })));
  return { Entries: Entries.map(() => ({})) };
}

async function answered(outside: Outside, url: string, init: RequestInit = {}): Promise<unknown> {
  const headers = Object.fromEntries(
    Object.entries((init.headers ?? {}) as Record<string, string>).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const request = { method: init.method ?? "GET", url: new URL(url), headers, body: String(init.body ?? "") };
  const { status, text } = await outside.fetch(request);
  return { status, statusText: "", headers: new Headers(), text: async () => text };
}

/**
 * Takes over all by which the handlers of this process reach the world: the clocks, timers, chance, HTTP, SQS and EventBridge.
 * Their own code is as it is. Returns how to give it back.
 */
export function takeDoors(outside: Outside): () => void {
  const { setTimeout: timeout, clearTimeout: clear, fetch } = globalThis;
  const { now: wall } = Date;
  const { random } = Math;
  const elapsed = performance.now;
  const { setTimeout: pause } = promised;
  const [queue, events] = [SQSClient.prototype.send, EventBridgeClient.prototype.send];
  Date.now = () => outside.now();
  performance.now = () => outside.elapsed();
  Math.random = () => outside.random();
  globalThis.setTimeout = ((act: () => void, ms = 0) => ({ forget: outside.timer(ms, act) })) as never;
  globalThis.clearTimeout = ((timer?: { forget?(): void }) =>
    timer?.forget ? timer.forget() : clear(timer as never)) as never; // one of before is a real one
  globalThis.fetch = ((url: string, init?: RequestInit) => answered(outside, url, init)) as never;
  promised.setTimeout = (ms: number) => outside.pause(ms);
  SQSClient.prototype.send = ((command: unknown) => sqs(outside, command)) as never;
  EventBridgeClient.prototype.send = ((command: unknown) => bus(outside, command)) as never;
  syncBuiltinESMExports();
  return () => {
    Object.assign(globalThis, { setTimeout: timeout, clearTimeout: clear, fetch });
    Date.now = wall;
    Math.random = random;
    performance.now = elapsed;
    promised.setTimeout = pause;
    SQSClient.prototype.send = queue;
    EventBridgeClient.prototype.send = events;
    syncBuiltinESMExports();
  };
}
