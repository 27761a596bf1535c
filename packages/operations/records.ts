import type { ReplyTo } from "#topology/operations";
import type { RecordHead } from "#trading/record-head";
import type { Instant } from "#units/time";
import type { Books } from "./site.ts";

/** The records of a desk are not what they were; what is wrong was printed before. */
export class BrokenRecordsError extends Error {
  override name = "BrokenRecordsError";
  constructor(count: number) {
    super(
      `the records of this desk are broken in ${count === 1 ? "one place" : `${count} places`}. ` +
        "Copy the database before anything else; docs/runbook.md, Records, says what to do.",
    );
  }
}

/** Returns a fault as a line: "audit_logs, row 12: row changed". */
export const faultText = ({ table, where, reason }: RecordsSeen["faults"][number]): string =>
  `${table}, ${where}: ${reason}`;

/** What a look at a desk's records found. */
export interface RecordsSeen extends ReplyTo<"records"> {
  /** How many heads they were compared with. */
  readonly compared: number;
}

/** Checks the records of a desk, against heads that were kept elsewhere too. */
export async function lookAtRecords(books: Books, at: Instant, kept: readonly RecordHead[]): Promise<RecordsSeen> {
  const verdict = await books.ask({ act: "records", at, kept: [...kept] });
  return { ...verdict, compared: kept.length };
}

/** Returns what was seen, for a person. */
export function recordsText({ faults, head, compared }: RecordsSeen): string {
  const against = compared === 1 ? "1 head" : `${compared} heads`;
  if (head === null) return `${faults.map(faultText).join("\n")}\n`;
  const { audit, orders } = head;
  return [
    `audit log: ${audit.rows} rows, each there and linked to the one before`,
    `orders: each one's events lead to its state; ${orders.events} events up to ${orders.until} are sealed by the head`,
    compared === 0
      ? "compared with no head: that an end was cut off, or a whole history rewritten, would not show (--head FILE)"
      : `compared with ${against} kept elsewhere: nothing cut off, nothing rewritten`,
    "",
  ].join("\n");
}
