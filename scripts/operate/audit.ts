import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { headFileOf, headsIn } from "#local/record-file";
import { BrokenRecordsError, lookAtRecords, recordsText } from "#operations/records";
import { openBooks } from "#operations/site";
import { BOOKS_NOTES, SITE_OPTIONS, siteOf } from "#operations/site-options";
import { recordBucket } from "#runtime/record-bucket";
import type { RecordHead } from "#trading/record-head";
import { instant } from "#units/time";

const command: Command = {
  usage: "npm run audit --",
  summary: "Checks the records of a desk: the audit log, and the events of every order. It changes nothing.",
  operand: { value: "verify|head", says: "check them, or print where they stand, to be kept elsewhere" },
  options: {
    ...SITE_OPTIONS,
    head: { value: "FILE", says: "heads that were kept elsewhere, one a line, to compare with" },
    copy: { value: "BUCKET", says: "the bucket of a stage's copy, to compare with" },
  },
  notes: [
    ...BOOKS_NOTES,
    "A laptop's desk keeps a head a day in a file beside its folder, which is compared too. Without any head a cut end",
    "does not show. Exit code 1 when something is wrong.",
  ],
};

/** Returns the heads to compare with: of the file and the bucket that were named, and of the file beside a laptop's folder. */
async function keptOf(given: Arguments, directory: string | undefined): Promise<RecordHead[]> {
  const named = given.text("head") === undefined ? null : await given.file("head");
  const beside = directory === undefined ? null : headFileOf(directory);
  const bucket = given.text("copy");
  return [
    ...(bucket === undefined ? [] : await recordBucket(bucket).heads()),
    ...(named === null ? [] : headsIn(named.path, named.text)),
    ...(beside === null || !existsSync(beside) ? [] : headsIn(beside, await readFile(beside, "utf8"))),
  ];
}

async function main(given: Arguments): Promise<void> {
  const what = given.operand();
  if (what !== "verify" && what !== "head")
    throw new UsageError(what === undefined ? "say verify or head" : `there is verify and head, not ${what}`);
  const options = siteOf(given);
  const kept = await keptOf(given, options.directory);
  const books = await openBooks(options);
  try {
    const seen = await lookAtRecords(books, instant(Date.now()), kept);
    const isWhole = seen.head !== null;
    process.stdout.write(what === "head" && isWhole ? `${JSON.stringify(seen.head)}\n` : recordsText(seen));
    if (!isWhole) throw new BrokenRecordsError(seen.faults.length);
  } finally {
    await books.close();
  }
}

await runCommand(command, main);
