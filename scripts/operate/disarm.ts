import { type Arguments, type Command, runCommand } from "#host/cli";
import { disarmDesk } from "#operations/arm";
import { actorOf, PERSON_NOTES, PERSON_OPTIONS, reasonOf } from "#operations/person";
import { openBooks } from "#operations/site";
import { BOOKS_NOTES, SITE_OPTIONS, siteOf } from "#operations/site-options";
import { instant } from "#units/time";

const command: Command = {
  usage: "npm run disarm --",
  summary: "Takes back the arming of a live desk: it opens nothing any more. It never asks.",
  options: { ...SITE_OPTIONS, ...PERSON_OPTIONS },
  notes: [
    ...BOOKS_NOTES,
    ...PERSON_NOTES,
    'Example: npm run disarm -- --stage live --reason "off for the weekend"',
    "Positions, their stops and what makes them smaller go on. npm run halt holds back more.",
  ],
};

async function main(given: Arguments): Promise<void> {
  const options = siteOf(given);
  const reason = reasonOf(given);
  const books = await openBooks(options);
  try {
    const actor = await actorOf(given, options.stage);
    process.stdout.write(`${await disarmDesk(books, { actor, reason, at: instant(Date.now()) })}\n`);
  } finally {
    await books.close();
  }
}

await runCommand(command, main);
