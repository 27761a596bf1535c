import { and, asc, eq, gt, isNotNull, isNull, ne, or, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import { SETTLED_IN } from "#trading/ledger/ledger";
import type { FeePrice } from "#trading/positions/fee";
import { ZERO } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { orderFills } from "../schema.ts";

const { tradingMode, exchange, instrument, exchangeTradeId: tradeId, fee, feeAsset, feePrice, filledAt } = orderFills;

const isOf = ({ mode, venue }: Account) => and(eq(tradingMode, mode), eq(exchange, venue));
const isUnvalued = and(isNull(feePrice), ne(feeAsset, SETTLED_IN), ne(fee, ZERO));

/** Selects the fees of fills that count, were made after `since` and have no value in USDT, by instrument and trade id. */
export const unvaluedFees = (db: Db, account: Account, since: Instant) =>
  drizzleOf(db)
    .select({ instrument, tradeId, fee, feeAsset, filledAt })
    .from(orderFills)
    .where(
      and(
        isOf(account),
        isUnvalued,
        gt(filledAt, since),
        or(isNotNull(orderFills.orderId), isNotNull(orderFills.cause)),
      ),
    )
    .orderBy(asc(instrument), asc(tradeId));

/** Writes the prices of fees that have none yet; returns whether there was one. */
export async function priceFees(db: Db, account: Account, of: string, prices: readonly FeePrice[]): Promise<boolean> {
  let priced = 0;
  for (const { tradeId: id, price } of prices) {
    const mine = and(isOf(account), eq(instrument, of), eq(tradeId, id), isUnvalued);
    const found = await drizzleOf(db).update(orderFills).set({ feePrice: price }).where(mine).returning({ n: sql`1` });
    priced += found.length;
  }
  return priced > 0;
}
