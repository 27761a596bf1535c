import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { armDesk } from "#operations/arm";
import { armingKeyIn, newArmingKey } from "#operations/arming-key";
import { actorOf, PERSON_NOTES, PERSON_OPTIONS, reasonOf } from "#operations/person";
import { openBooks } from "#operations/site";
import { BOOKS_NOTES, SITE_OPTIONS, siteOf } from "#operations/site-options";
import { big, type Decimal, decimalOf } from "#units/decimal";
import { instant } from "#units/time";

const command: Command = {
  usage: "npm run arm --",
  summary:
    "Lets a live desk open positions: for one account, one policy, up to two caps, for a day at most. Signed by your key.",
  options: {
    ...SITE_OPTIONS,
    ...PERSON_OPTIONS,
    key: { value: "FILE", says: "the private key that signs; it stays with you, the desk has its public half alone" },
    account: { value: "UID", says: "the account at the venue, as npm run exchange -- --check shows it" },
    venue: { value: "NAME", says: "the desk's venue", default: "okx" },
    hours: { value: "N", says: "how long it holds, 1 to 24", default: "24" },
    "max-notional": { value: "USD", says: "the most that all positions together may be worth" },
    "max-daily-loss": { value: "USD", says: "the most that may be lost since 00:00 UTC" },
    "new-key": { value: "FILE", says: "make a key instead: writes it there, prints the public half for ARMING_KEY" },
  },
  notes: [
    ...BOOKS_NOTES,
    ...PERSON_NOTES,
    "Example: npm run arm -- --stage live --key arming.pem --account 77 --max-notional 2000 --max-daily-loss 50 \\",
    '           --hours 8 --reason "ticket 9"',
    "Any change of the kill switch ends an arming, a halt above all. npm run disarm takes it back. Logins with a second factor",
    "are to take its place. docs/runbook.md: Arming live.",
  ],
};

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function amount(given: Arguments, name: string): Decimal {
  const written = given.need(name);
  if (!/^\d{1,12}(\.\d{1,8})?$/.test(written) || big(decimalOf(written)).lte(0))
    throw new UsageError(`--${name} takes an amount above 0, as 2000, not "${written}"`);
  return decimalOf(written);
}

async function main(given: Arguments): Promise<void> {
  const fresh = given.text("new-key");
  if (fresh !== undefined) {
    say(`ARMING_KEY=${await newArmingKey(fresh)}`);
    return say(
      `${fresh} signs; keep it as you keep the venue's keys, and away from the desk. docs/runbook.md, Arming live.`,
    );
  }
  const options = siteOf(given);
  const reason = reasonOf(given);
  const hours = given.count("hours") ?? 24;
  if (hours < 1 || hours > 24) throw new UsageError("--hours takes 1 to 24");
  const caps = { maxNotionalUsd: amount(given, "max-notional"), maxDailyLossUsd: amount(given, "max-daily-loss") };
  const [account, venue] = [given.need("account"), given.need("venue")];
  const { path, text } = await given.file("key");
  const key = armingKeyIn(path, text);
  const books = await openBooks(options);
  try {
    const person = { actor: await actorOf(given, options.stage), reason, at: instant(Date.now()) };
    say(await armDesk(books, { key, account, venue, hours, ...caps, ...person }));
  } finally {
    await books.close();
  }
}

await runCommand(command, main);
