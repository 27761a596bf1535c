import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { readMigrations } from "#db/server/migration";
import { MIGRATIONS } from "#local/postgres/embedded-postgres";
import type { Stage } from "#topology/names";
import type { ReplyTo } from "#topology/operations";
import type { QueueName } from "#topology/queues";
import { QUEUES } from "#topology/topology";
import { type Instant, millis } from "#units/time";
import { type Mapping, readMappings } from "./mappings.ts";
import { problemOf } from "./problem.ts";
import type { Site } from "./site.ts";

/** Messages of one queue, as SQS counts them: approximately. */
export interface QueueStatus {
  readonly name: QueueName;
  /** Ready to be received. */
  readonly visible: number;
  /** Received and not yet deleted. */
  readonly inFlight: number;
  readonly delayed: number;
  readonly dead: number;
  /** Seconds since the oldest of up to ten dead letters was sent first; null = there is none. */
  readonly oldestDeadSeconds: number | null;
}

/** What the books say of a desk. */
export interface DeskStatus extends ReplyTo<"look"> {
  /** The newest migration of this code; `schema` is the newest that ran there. */
  readonly code: string | null;
  /** From the newest block's own time; null before the first block. */
  readonly lagSeconds: number | null;
}

export interface Status {
  readonly site: string;
  readonly at: Instant;
  readonly queues: readonly QueueStatus[];
  /** Whether a stage's queues of plans and orders are consumed: a hard halt ends that. Empty where there is no stage. */
  readonly mappings: readonly Mapping[];
  /** Why the database could not be asked, instead of what it says. */
  readonly database: DeskStatus | { readonly problem: string };
}

/**
 * Returns how a site is: queues, dead letters, lag, kill switches, last report, schema. A database that cannot be reached
 * is said, and the queues are still reported. Looking at dead letters hides up to ten of each queue for a second.
 * @throws MissingQueueError, MissingMappingError, and the errors of SQS and Lambda.
 */
export async function readStatus(site: Site, stage: Stage | undefined, at: Instant): Promise<Status> {
  const queues: QueueStatus[] = [];
  for (const name of QUEUES) queues.push(await queueStatus(site, name, at));
  const mappings = stage === undefined ? [] : await readMappings(stage);
  return { site: site.name, at, queues, mappings, database: await databaseStatus(site, at) };
}

async function queueStatus(site: Site, name: QueueName, at: Instant): Promise<QueueStatus> {
  const own = await countsOf(site, await site.url(name, "queue"));
  const deadUrl = await site.url(name, "dead");
  const dead = await countsOf(site, deadUrl);
  const oldest = dead.visible > 0 ? await oldestOf(site, deadUrl) : null;
  return {
    name,
    ...own,
    dead: dead.visible + dead.inFlight + dead.delayed,
    oldestDeadSeconds: oldest === null ? null : Math.max(0, Math.round((millis(at) - oldest) / 1000)),
  };
}

async function countsOf({ sqs }: Site, QueueUrl: string) {
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  const of = (name: keyof typeof Attributes): number => Number(Attributes[name] ?? 0);
  return {
    visible: of("ApproximateNumberOfMessages"),
    inFlight: of("ApproximateNumberOfMessagesNotVisible"),
    delayed: of("ApproximateNumberOfMessagesDelayed"),
  };
}

async function oldestOf({ sqs }: Site, QueueUrl: string): Promise<number | null> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 20,
      MessageSystemAttributeNames: ["SentTimestamp"],
    }),
  );
  if (Messages.length === 0) return null;
  const entry = ({ ReceiptHandle }: Message, i: number) => ({ Id: String(i), ReceiptHandle, VisibilityTimeout: 1 });
  await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: Messages.map(entry) }));
  return Math.min(...Messages.map(({ Attributes }) => Number(Attributes?.SentTimestamp)));
}

async function databaseStatus(site: Site, at: Instant): Promise<Status["database"]> {
  try {
    const look = await site.ask({ act: "look" });
    const code = (await readMigrations(MIGRATIONS)).at(-1)?.name ?? null;
    const lagSeconds = look.block === null ? null : (millis(at) - millis(look.block.at)) / 1000;
    return { ...look, code, lagSeconds };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}
