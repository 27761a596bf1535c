import * as z from "zod";
import { Instant } from "#units/time";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, "is no SHA-256");
const Count = z.int().min(0);

/** Where the desk's records stood at a time. Kept elsewhere, it shows later that an end was cut or a chain was rewritten. */
export const RecordHead = z.strictObject({
  /** When they were read. */
  at: Instant,
  /** Rows of the audit log, and the hash of the newest: 64 zeros while there is none. */
  audit: z.strictObject({ rows: Count, hash: Sha256 }),
  /** Events of orders up to a time that nothing is written before any more, and one hash over theirs, by order and number. */
  orders: z.strictObject({ until: Instant, events: Count, hash: Sha256 }),
});
export type RecordHead = z.infer<typeof RecordHead>;

/** Where heads are kept that the desk itself can neither change nor remove. */
export interface RecordCopy {
  /** Returns every head that is kept, oldest first, each as it was written first. */
  heads(): Promise<RecordHead[]>;
  /** Keeps a head. One of the same time that is there already stays as it is. */
  keep(head: RecordHead): Promise<void>;
}
