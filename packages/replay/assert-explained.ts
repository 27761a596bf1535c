import type { Db } from "#db/client";
import { madeUp } from "#db/trading/explained";
import type { Account } from "#trading/account";
import { big, decimalOf } from "#units/decimal";

/** The digits that a position row keeps of money. */
const LEAST = decimalOf("0.00000001");

/** At the end of a run its equity is not what the venue's bills and the open positions make it. */
export class UnexplainedEquityError extends Error {
  override name = "UnexplainedEquityError";
  constructor(at: string, what: string) {
    super(
      `the run's equity is not explained: at ${at} ${what}. It is a fault of the desk or of its paper venue: please report it with the recording's name; bills, equity_snapshots and positions of the run's database say where.`,
    );
  }
}

/**
 * Asserts that an account's equity has changed by its bills and by what is not realized, to the last digit, and that the open
 * positions of the books come to the latter, to the last digit that a row keeps. @throws UnexplainedEquityError
 */
export async function assertExplained(db: Db, account: Account): Promise<void> {
  const found = await madeUp(db, account);
  if (found === null) return;
  const { at, gap, unrealized, open } = found;
  if (!big(gap).eq(0)) throw new UnexplainedEquityError(at, `the venue's bills leave ${gap} USDT of its balance open`);
  const booked = open.reduce((sum, one) => sum.plus(one), big(0));
  if (unrealized !== null && booked.minus(unrealized).abs().gt(big(LEAST).times(open.length)))
    throw new UnexplainedEquityError(
      at,
      `the venue has ${unrealized} USDT not realized, and the open positions of the books ${booked.toFixed()}`,
    );
}
