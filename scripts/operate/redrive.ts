import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { actorOf, PERSON_NOTES, PERSON_OPTIONS, reasonOf } from "#operations/person";
import { redrive } from "#operations/redrive";
import { openSite } from "#operations/site";
import { SITE_NOTES, SITE_OPTIONS, siteOf } from "#operations/site-options";
import type { QueueName } from "#topology/queues";
import { QUEUES } from "#topology/topology";
import { instant } from "#units/time";

const command: Command = {
  usage: "npm run redrive --",
  summary: "Sends the dead letters of a queue back to it, those that still make sense. Without --yes it only says so.",
  operand: { value: "QUEUE", says: QUEUES.join(", ") },
  options: {
    ...SITE_OPTIONS,
    ...PERSON_OPTIONS,
    reason: { value: "TEXT", says: "why, for the audit log; must be given with --yes" },
    yes: { says: "do it; otherwise nothing changes" },
    limit: { value: "N", says: "look at no more than this", default: "1000" },
  },
  notes: [
    ...SITE_NOTES,
    "Each is judged by the state of now: an order that is not approved any more, an event that a reorg took back or a",
    "bias that was overtaken is dropped, an approved order at old prices is voided, a malformed message stays.",
    ...PERSON_NOTES,
    'Example: npm run redrive -- events --stage live --reason "the node is back" --yes',
  ],
};

const WORDS = { send: ["would send", "sent"], drop: ["would drop", "dropped"], keep: ["keeps", "kept"] } as const;

async function main(given: Arguments): Promise<void> {
  const name = given.operand();
  if (name === undefined || !(QUEUES as readonly string[]).includes(name))
    throw new UsageError(`${name === undefined ? "name a queue" : `there is no queue ${name}`}: ${QUEUES.join(", ")}`);
  const act = given.flag("yes");
  const options = siteOf(given);
  const reason = act ? reasonOf(given) : "";
  const site = await openSite(options);
  try {
    const carry = act ? { actor: await actorOf(given, options.stage), reason } : null;
    const counts = await redrive(site, {
      queue: name as QueueName,
      limit: given.count("limit") ?? 1000,
      carry,
      now: () => instant(Date.now()),
      tell: ({ id, body, verdict }) => {
        const reason = verdict.act === "send" ? "" : ` (${verdict.reason})`;
        process.stdout.write(`${WORDS[verdict.act][act ? 1 : 0]} ${id}${reason}\n  ${body}\n`);
      },
    });
    const { send, drop, keep } = counts;
    const total = send + drop + keep;
    process.stdout.write(
      total === 0
        ? `${site.name}: ${name} has no dead letters\n`
        : `${site.name}: of ${total} dead letters of ${name} ${act ? "" : "would be "}sent ${send}, dropped ${drop}, kept ${keep}\n`,
    );
    if (!act && total > 0) process.stdout.write("Nothing was changed. --yes with --reason does it.\n");
  } finally {
    await site.close();
  }
}

await runCommand(command, main);
