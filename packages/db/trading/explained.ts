import { and, desc, eq, isNotNull, isNull } from "drizzle-orm";
import type { Account } from "#trading/account";
import type { Decimal } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { equitySnapshots as equity, positions } from "../schema.ts";

/** How an account's equity is made up, by the venue's bills and by the books. Money in USDT. */
export interface MadeUp {
  readonly at: Instant;
  /** What the bills leave unexplained of the newest balance that they were held against. */
  readonly gap: Decimal;
  /** Equity less cash, by the venue; null when a newer balance came without its bills. */
  readonly unrealized: Decimal | null;
  /** The same of each open position, by the books. */
  readonly open: readonly Decimal[];
}

/** Returns how the newest explained equity of an account is made up; null before the first. */
export async function madeUp(db: Db, { mode, venue }: Account): Promise<MadeUp | null> {
  const ours = and(eq(equity.tradingMode, mode), eq(equity.exchange, venue));
  const newest = (which = ours) =>
    drizzleOf(db)
      .select({ at: equity.at, gap: equity.gap, unrealized: equity.unrealized })
      .from(equity)
      .where(which)
      .orderBy(desc(equity.at))
      .limit(1);
  const [last] = await newest();
  const [explained] = await newest(and(ours, isNotNull(equity.gap)));
  if (explained?.gap == null) return null;
  const rows = await drizzleOf(db)
    .select({ unrealized: positions.unrealizedPnl })
    .from(positions)
    .where(and(eq(positions.tradingMode, mode), eq(positions.exchange, venue), isNull(positions.closedAt)))
    .orderBy(positions.instrument);
  const open = rows.flatMap(({ unrealized }) => unrealized ?? []);
  const { at, gap } = explained;
  return { at, gap, unrealized: last?.at === at ? explained.unrealized : null, open };
}
