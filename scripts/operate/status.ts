import { type Arguments, type Command, runCommand } from "#host/cli";
import { openSite } from "#operations/site";
import { SITE_NOTES, SITE_OPTIONS, siteOf } from "#operations/site-options";
import { readStatus } from "#operations/status";
import { statusText, worries } from "#operations/status-text";
import { instant } from "#units/time";

const command: Command = {
  usage: "npm run status --",
  summary: "Says how a desk is: queues, dead letters, lag, trading state, last report, schema. It changes nothing.",
  options: { ...SITE_OPTIONS, json: { says: "print it as JSON" } },
  notes: [...SITE_NOTES, "Exit code 1 when something needs a person."],
};

/** Something needs a person; the status above says what. */
class NeedsAttentionError extends Error {
  override name = "NeedsAttentionError";
  constructor(count: number) {
    super(count === 1 ? "one thing needs a person, see above" : `${count} things need a person, see above`);
  }
}

async function main(given: Arguments): Promise<void> {
  const options = siteOf(given);
  const site = await openSite(options);
  try {
    const status = await readStatus(site, options.stage, instant(Date.now()));
    process.stdout.write(given.flag("json") ? `${JSON.stringify(status, null, 2)}\n` : statusText(status));
    const found = worries(status).length;
    if (found > 0) throw new NeedsAttentionError(found);
  } finally {
    await site.close();
  }
}

await runCommand(command, main);
