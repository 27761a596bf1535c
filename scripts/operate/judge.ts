import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { judgeOrder } from "#operations/judge-order";
import { actorOf, PERSON_NOTES, PERSON_OPTIONS, reasonOf } from "#operations/person";
import { openBooks } from "#operations/site";
import { BOOKS_NOTES, SITE_OPTIONS, siteOf } from "#operations/site-options";
import { instant } from "#units/time";

const command: Command = {
  usage: "npm run judge --",
  summary: "Says of an order in doubt whether it was found at the venue. npm run status names such orders.",
  operand: { value: "ORDER", says: "its client order id, by which it is looked up at the venue, or its id" },
  options: {
    ...SITE_OPTIONS,
    ...PERSON_OPTIONS,
    found: { says: "it is there, in whatever state: the reconciler takes what the venue shows of it" },
    "not-there": { says: "it is not there: the order is over, and its instrument is free again" },
  },
  notes: [
    ...BOOKS_NOTES,
    ...PERSON_NOTES,
    "Look in the venue's open orders, its order history and its fills. A fill that comes after --not-there is booked",
    "all the same, and is an alarm.",
    'Example: npm run judge -- dk3yvqe7f2mabc00 --not-there --stage live --reason "not in history or fills, ticket 7"',
  ],
};

async function main(given: Arguments): Promise<void> {
  const order = given.operand();
  if (order === undefined)
    throw new UsageError("name an order by its client order id; npm run status shows those in doubt");
  const [found, notThere] = [given.flag("found"), given.flag("not-there")];
  if (found === notThere) throw new UsageError("say what you found at the venue: --found or --not-there");
  const options = siteOf(given);
  const reason = reasonOf(given);
  const books = await openBooks(options);
  try {
    const actor = await actorOf(given, options.stage);
    const ruling = found ? "found" : "not-there";
    process.stdout.write(await judgeOrder(books, { order, ruling, actor, reason, at: instant(Date.now()) }));
  } finally {
    await books.close();
  }
}

await runCommand(command, main);
