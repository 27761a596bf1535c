import { and, asc, eq, gt, isNull, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import type { FundingPayment, OpenPosition } from "#trading/positions/position-row";
import { type Decimal, ZERO } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, rows } from "../rows.ts";
import { fundingPayments, positions } from "../schema.ts";
import * as kind from "../shape.ts";

const Archive = kind.shape("archived episodes", { episodes: kind.int, until: kind.orNull(kind.instant) });

/** The columns of an open position. */
export const OPEN = {
  ...{ id: positions.id, instrument: positions.instrument, asset: positions.asset, openedAt: positions.openedAt },
  ...{ contracts: positions.contracts, stopPrice: positions.stopPrice, riskConsumed: positions.riskConsumed },
} as const;

/** Selects the open positions of an account, by instrument. */
export const openQuery = (db: Db, { mode, venue }: Account) =>
  drizzleOf(db)
    .select(OPEN)
    .from(positions)
    .where(and(eq(positions.tradingMode, mode), eq(positions.exchange, venue), isNull(positions.closedAt)))
    .orderBy(asc(positions.instrument));

/** Returns an open position of the columns that were selected. */
export const toOpen = (row: Omit<OpenPosition, "riskConsumed"> & { riskConsumed: Decimal | null }): OpenPosition => {
  const { id, instrument, asset, openedAt, contracts, stopPrice, riskConsumed } = row;
  return { id, instrument, asset, openedAt, contracts, stopPrice, riskConsumed: riskConsumed ?? ZERO };
};

/** Returns the open positions of an account, by instrument. */
export const openPositions = async (db: Db, account: Account): Promise<OpenPosition[]> =>
  (await openQuery(db, account)).map(toOpen);

/**
 * Returns how many positions of an instrument are archived, and when the newest of them was closed: the fills up to then
 * are theirs.
 */
export async function archiveOf(
  db: Db,
  { mode, venue }: Account,
  instrument: string,
): Promise<kind.RowOf<typeof Archive>> {
  const [archive] = await rows(
    db,
    Archive,
    sql`SELECT count(*)::int AS episodes, ${iso(sql`max(closed_at)`)} AS until FROM positions_archive
        WHERE trading_mode = ${mode} AND exchange = ${venue} AND instrument = ${instrument}`,
  );
  return archive ?? { episodes: 0, until: null };
}

/** Returns the funding payments of an instrument after `since`. */
export const fundingSince = (
  db: Db,
  { mode, venue }: Account,
  instrument: string,
  since: Instant,
): Promise<FundingPayment[]> =>
  drizzleOf(db)
    .select({ at: fundingPayments.at, amount: fundingPayments.amount })
    .from(fundingPayments)
    .where(
      and(
        eq(fundingPayments.tradingMode, mode),
        eq(fundingPayments.exchange, venue),
        eq(fundingPayments.instrument, instrument),
        gt(fundingPayments.at, since),
      ),
    );
