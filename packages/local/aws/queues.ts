import { join } from "node:path";
import type { FauxqsServer } from "fauxqs";
import { startFauxqs } from "fauxqs";
import type { QueueName } from "#topology/queues";
import { QUEUES, queue } from "#topology/topology";

/** A message that was given up: received too often, and kept for a person. */
export interface DeadLetter {
  readonly queue: QueueName;
  readonly body: string;
}

/** The SQS endpoint of the laptop. */
export interface Queues {
  readonly endpoint: string;
  readonly url: (name: QueueName) => string;
  /** The queue of what a queue's consumer gave up. */
  readonly deadUrl: (name: QueueName) => string;
  /** Messages of a queue that are not yet deleted: ready, delayed or in flight. */
  readonly depth: (name: QueueName) => number;
  /** Messages that a receive would return now. */
  readonly ready: (name: QueueName) => number;
  readonly deadLetters: () => DeadLetter[];
  /** Brings the three above up to date, where they are not by themselves. */
  readonly refresh?: () => Promise<void>;
  /** How long the bus may still hold a fact that it took; left out = it has handed it over when it answers. */
  readonly busLagMs?: number;
  readonly close: () => Promise<void>;
}

/** The file that keeps queued messages does not open. It is left as it is. */
export class DamagedQueuesError extends Error {
  override name = "DamagedQueuesError";
  readonly file: string;
  constructor(file: string, cause: Error) {
    super(
      `the queues in ${file} do not open: ${cause.message}. Move that file away to go on without its messages ` +
        "(blocks that were not ingested are then missing), or put a copy of it back that was made while nothing used it.",
      { cause },
    );
    this.file = file;
  }
}

const ACCOUNT = "000000000000";
const nameOf = (name: QueueName): string => (queue(name).groupBy ? `${name}.fifo` : name);
const deadNameOf = (name: QueueName): string => (queue(name).groupBy ? `${name}-dead.fifo` : `${name}-dead`);

const fifo = (name: QueueName) => (queue(name).groupBy === undefined ? {} : { FifoQueue: "true" });

/** Returns the attributes of the queue that takes what a queue's consumer gave up; it keeps that for 14 days, as in the stacks. */
export const deadAttributes = (name: QueueName) => ({ ...fifo(name), MessageRetentionPeriod: "1209600" });

/**
 * Returns the attributes of a queue whose given-up messages go to `deadLetterTargetArn`. As in the stacks, a message comes
 * back six function timeouts after a receive that nobody answered.
 */
export const queueAttributes = (name: QueueName, deadLetterTargetArn: string) => ({
  ...fifo(name),
  VisibilityTimeout: String(queue(name).timeoutSeconds * 6),
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: queue(name).maxReceives }),
});

function create(server: FauxqsServer, name: QueueName): void {
  const dead = server.createQueue(deadNameOf(name), { attributes: deadAttributes(name) });
  server.createQueue(nameOf(name), { attributes: queueAttributes(name, dead.queueArn) });
}

/**
 * Starts a real SQS endpoint in this process with every queue of the topology and its dead-letter queue.
 * `directory` keeps messages over a restart; null keeps them in memory.
 * @throws DamagedQueuesError; the server's error when it cannot listen or write there.
 */
export async function startQueues(directory: string | null): Promise<Queues> {
  const server = await startServer(directory);
  const endpoint = `http://127.0.0.1:${server.port}`;
  for (const name of QUEUES) if (!server.inspectQueue(nameOf(name))) create(server, name);
  const messages = (name: string) => server.inspectQueue(name)?.messages ?? { ready: [], delayed: [], inflight: [] };
  return {
    endpoint,
    url: (name) => `${endpoint}/${ACCOUNT}/${nameOf(name)}`,
    deadUrl: (name) => `${endpoint}/${ACCOUNT}/${deadNameOf(name)}`,
    depth: (name) => {
      const { ready, delayed, inflight } = messages(nameOf(name));
      return ready.length + delayed.length + inflight.length;
    },
    ready: (name) => messages(nameOf(name)).ready.length,
    deadLetters: () =>
      QUEUES.flatMap((name) => messages(deadNameOf(name)).ready.map(({ body }) => ({ queue: name, body }))),
    close: () => server.stop(),
  };
}

// Source: SQLite, "Result Codes": SQLITE_CORRUPT and SQLITE_NOTADB.
const DAMAGED: readonly unknown[] = [11, 26];

async function startServer(directory: string | null): Promise<FauxqsServer> {
  const standard = { port: 0, host: "127.0.0.1", logger: false };
  if (directory === null) return startFauxqs(standard);
  try {
    return await startFauxqs({ ...standard, dataDir: directory });
  } catch (error) {
    if (!(error instanceof Error && "errcode" in error && DAMAGED.includes(error.errcode))) throw error;
    throw new DamagedQueuesError(join(directory, "fauxqs.db"), error);
  }
}
