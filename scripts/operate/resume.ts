import { type Arguments, runCommand, UsageError } from "#host/cli";
import { endHardHalt } from "#operations/hard-halt";
import { carryOutSwitch, changeSwitch, type SwitchOrder, switchCommand, switchOrderOf } from "#operations/kill-switch";
import { isConsumed, readMappings } from "#operations/mappings";
import { openSite } from "#operations/site";
import type { Stage } from "#topology/names";
import { instant } from "#units/time";

const command = switchCommand(
  "resume",
  "Lets the desk trade again. Refused while an order is in doubt, and in live without --yes.",
  {
    yes: { says: "in live: you mean it" },
    hard: { says: "of a stage: end a hard halt; the kill switch keeps its state, and npm run resume loosens it" },
  },
  [
    'Example: npm run resume -- --stage live --reason "prices agree again, see ticket 7" --yes',
    "Look at the account at the venue first, and at npm run status. A second factor comes with logins.",
  ],
);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function endHard(order: SwitchOrder, stage: Stage, confirmed: boolean): Promise<void> {
  const { options, reason, actor } = order;
  const site = await openSite(options);
  try {
    const renew = async (): Promise<string> => {
      const wanted = { to: null, confirmed, mappings: "enabled" as const };
      return changeSwitch(site, { ...wanted, actor: await actor(), reason, at: instant(Date.now()) });
    };
    await endHardHalt(stage, site, renew, say);
  } finally {
    await site.close();
  }
}

async function main(given: Arguments): Promise<void> {
  const order = switchOrderOf(given);
  const { stage } = order.options;
  const confirmed = given.flag("yes");
  if (given.flag("hard")) {
    if (stage === undefined) throw new UsageError("--hard is for a stage");
    return endHard(order, stage, confirmed);
  }
  say(await carryOutSwitch(order, { to: "ACTIVE", confirmed, mappings: null }));
  if (stage === undefined) return;
  const stopped = (await readMappings(stage)).filter((mapping) => !isConsumed(mapping));
  if (stopped.length > 0)
    say(`But it is halted hard: npm run resume -- --hard --stage ${stage} lets plans and orders be taken again.`);
}

await runCommand(command, main);
