import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { explainedOrder, explanationText } from "#operations/explain-order";
import { openBooks } from "#operations/site";
import { BOOKS_NOTES, SITE_OPTIONS, siteOf } from "#operations/site-options";

const command: Command = {
  usage: "npm run explain --",
  summary: "Says of an order what it did, why, under which limits, what the venue answered and what it came to.",
  operand: { value: "ORDER", says: "its id or its client order id, or the beginning of one that no other has" },
  options: { ...SITE_OPTIONS, json: { says: "print it as JSON, with the same fields" } },
  notes: [
    ...BOOKS_NOTES,
    "It changes nothing. The report, GET /api/orders and the end of a run name each order by the beginning of its id.",
    "Example: npm run explain -- ba77a114 --directory .spyhop/sample",
  ],
};

async function main(given: Arguments): Promise<void> {
  const order = given.operand();
  if (order === undefined)
    throw new UsageError("name an order by its id or its client order id; the report shows the beginning of each");
  const books = await openBooks(siteOf(given));
  try {
    process.stdout.write(explanationText(await explainedOrder(books, order), given.flag("json")));
  } finally {
    await books.close();
  }
}

await runCommand(command, main);
