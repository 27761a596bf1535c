import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { Stage } from "#topology/names";
import { HALTED_HARD, type Mapping, setMappings } from "./mappings.ts";
import { problemOf } from "./problem.ts";
import type { Site } from "./site.ts";

type Say = (line: string) => void;

const told =
  (say: Say) =>
  ({ queue, state }: Mapping): void =>
    say(`the mapping of ${queue} is ${state}`);

/** The kill switch was not set after the mappings were disabled: the database, or what leads to it, does not answer. */
export class SwitchUnsetError extends Error {
  override name = "SwitchUnsetError";
  constructor(stage: Stage, cause: unknown) {
    super(
      `stage ${stage} is halted hard: no plan is made and no order is submitted. But the kill switch could not be set, and ` +
        `nothing is in the audit log: ${problemOf(cause)}. When it answers again: npm run halt -- --stage ${stage} --reason "..."`,
      { cause },
    );
  }
}

/**
 * Halts a stage without its database: Lambda takes no more plans and no more orders from their queues. Then sets the kill
 * switch too, which keeps back what is in work and is in the audit log.
 * @throws MissingMappingError, StuckMappingError; SwitchUnsetError once the mappings are disabled and the rest failed.
 */
export async function haltHard(stage: Stage, setSwitch: () => Promise<string>, say: Say): Promise<void> {
  await setMappings(stage, false, told(say));
  try {
    say(await setSwitch());
  } catch (error) {
    throw new SwitchUnsetError(stage, error);
  }
}

/**
 * Ends a hard halt: gives the kill switch a new epoch in the state that it has, so that no order of before leaves; drops the
 * plans that have waited, since each would be made at its own old time, and the desk plans again each minute; then lets
 * Lambda take plans and orders again.
 * @throws RefusedError, MissingMappingError, StuckMappingError
 */
export async function endHardHalt(stage: Stage, site: Site, renew: () => Promise<string>, say: Say): Promise<void> {
  say(await renew());
  const dropped = await dropWaiting(site);
  if (dropped > 0) say(`${dropped} plans that had waited were dropped: the desk plans again each minute`);
  await setMappings(stage, true, told(say));
}

// Longer than one round takes; what an interrupted run had in hand comes back after it.
const HELD_SECONDS = 60;

/** Takes every message of the queue of plans, and returns how many there were. */
async function dropWaiting({ sqs, url }: Site): Promise<number> {
  const QueueUrl = await url(HALTED_HARD[0], "queue");
  for (let dropped = 0; ; ) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: HELD_SECONDS,
        WaitTimeSeconds: 1,
      }),
    );
    if (Messages.length === 0) return dropped;
    const entry = ({ ReceiptHandle }: Message, index: number) => ({ Id: String(index), ReceiptHandle });
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: Messages.map(entry) }));
    dropped += Messages.length;
  }
}
