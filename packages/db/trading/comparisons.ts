import { and, asc, eq, inArray, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import type { StoredControl } from "#trading/control";
import { type Comparison, instrumentOf, runBefore } from "#trading/positions/comparison";
import type { Lift } from "#trading/store";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { comparisons } from "../schema.ts";
import { changeControl, readControl } from "./control.ts";

const isOf = ({ mode, venue }: Account) => and(eq(comparisons.tradingMode, mode), eq(comparisons.exchange, venue));

/** Selects how books and venue stand to each other, by instrument. */
export const comparisonsOf = (db: Db, account: Account) =>
  drizzleOf(db).select().from(comparisons).where(isOf(account)).orderBy(asc(comparisons.instrument));

/** Returns a comparison without its account. */
export const toComparison = ({ tradingMode: _, exchange: __, ...row }: typeof comparisons.$inferSelect): Comparison =>
  row;

/** Returns how books and venue stand to each other, by instrument. */
export const readComparisons = async (db: Db, account: Account): Promise<Comparison[]> =>
  (await comparisonsOf(db, account)).map(toComparison);

/** Returns the newest run before `at` that compared an instrument; null without one. */
export async function comparedBefore(
  db: Db,
  account: Account,
  instrument: string,
  at: Instant,
): Promise<Instant | null> {
  const [row] = await drizzleOf(db)
    .select({ comparedAt: comparisons.comparedAt, comparedBefore: comparisons.comparedBefore })
    .from(comparisons)
    .where(and(isOf(account), eq(comparisons.instrument, instrument)));
  return row ? runBefore(row, at) : null;
}

const excluded = (name: string) => sql.raw(`excluded.${name}`);

/** Stores how they stand now, in one statement: compare-and-set on the version of each. */
export async function noteComparisons(db: Db, { mode, venue }: Account, list: readonly Comparison[]): Promise<void> {
  if (list.length === 0) return;
  const values = list.map((row) => ({ ...row, version: row.version + 1, tradingMode: mode, exchange: venue }));
  await drizzleOf(db)
    .insert(comparisons)
    .values(values)
    .onConflictDoUpdate({
      target: [comparisons.tradingMode, comparisons.exchange, comparisons.instrument],
      set: {
        ...{
          since: excluded("since"),
          comparedAt: excluded("compared_at"),
          comparedBefore: excluded("compared_before"),
        },
        ...{ failedAt: excluded("failed_at"), failures: excluded("failures") },
        ...{ ours: excluded("ours"), theirs: excluded("theirs"), positionAt: excluded("position_at") },
        ...{ seen: excluded("seen"), seenAt: excluded("seen_at") },
        ...{ agreed: excluded("agreed"), agreedSince: excluded("agreed_since"), version: excluded("version") },
      },
      setWhere: sql`${comparisons.version} = excluded.version - 1`,
    });
}

/** Lifts a kill switch that is at REDUCING by causes that lift themselves, with a note of each: both or neither. */
export async function liftControl(
  db: Db,
  account: Account,
  { epoch, lifts }: Pick<StoredControl, "epoch" | "lifts">,
  by: Lift,
): Promise<StoredControl | null> {
  return drizzleOf(db).transaction(async (tx) => {
    const now = await readControl(tx, account.mode);
    if (now.state !== "REDUCING" || lifts.length === 0 || now.lifts.join() !== lifts.join()) return null;
    const lifted = await changeControl(tx, account.mode, epoch, { ...by, state: "ACTIVE" });
    if (lifted === null) return null;
    await tx
      .update(comparisons)
      .set({ liftedAt: by.at, version: sql`${comparisons.version} + 1` })
      .where(and(isOf(account), inArray(comparisons.instrument, lifts.map(instrumentOf))));
    return lifted;
  });
}
