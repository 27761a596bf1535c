import { and, asc, eq, gt, isNotNull, isNull, ne, or } from "drizzle-orm";
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

/** Returns the write of the price of a fee that has none yet. */
export const pricing = (db: Db, account: Account, of: string, { tradeId: id, price }: FeePrice) =>
  drizzleOf(db)
    .update(orderFills)
    .set({ feePrice: price })
    .where(and(isOf(account), eq(instrument, of), eq(tradeId, id), isUnvalued));
