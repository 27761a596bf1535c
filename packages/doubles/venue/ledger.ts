import * as z from "zod";
import { type Big, big, Decimal, fixed, text, ZERO } from "#units/decimal";

/**
 * One change of the account's balance, as OKX's account/bills gives it. Source: OKX v5, "Get bills details", whose types and
 * subtypes these are; `pnl` holds the amount of a funding fee.
 */
export const PaperBill = z.object({
  billId: z.string(),
  type: z.string(),
  subType: z.string(),
  ccy: z.string(),
  /** How the balance changed: pnl + fee of a trade. */
  balChg: Decimal,
  /** The balance after it. */
  bal: Decimal,
  pnl: Decimal,
  /** As OKX signs it: negative = paid. */
  fee: Decimal,
  sz: z.union([Decimal, z.literal("")]),
  px: z.union([Decimal, z.literal("")]),
  instId: z.string(),
  ordId: z.string(),
  clOrdId: z.string(),
  tradeId: z.string(),
  ts: z.number().int(),
});
export type PaperBill = z.infer<typeof PaperBill>;

/** What of an account the ledger keeps. */
export interface Ledger {
  /** Balance by currency: what it began with and every bill since. */
  cash: Record<string, Decimal>;
  /** Ascending by billId. */
  bills: PaperBill[];
}

/** The currency that swaps are margined and settled in. */
export const SETTLED_IN = "USDT";

/** Why contracts changed hands: by an order, or by the venue. */
export type Cause = "trade" | "partial_liquidation" | "liquidation" | "adl";

/** OKX's type of a bill and its subtypes in net mode, of a buy and of a sell. */
const OF_CAUSE: Readonly<Record<Cause, { readonly type: string; readonly buy: string; readonly sell: string }>> = {
  trade: { type: "2", buy: "1", sell: "2" },
  partial_liquidation: { type: "5", buy: "102", sell: "103" },
  liquidation: { type: "5", buy: "106", sell: "107" },
  adl: { type: "9", buy: "127", sell: "128" },
};
const FUNDING = { type: "8", paid: "173", received: "174" };
const TAKEOVER = { type: "5", into: "110", out: "111" };
const TRANSFER = { type: "1", into: "11", out: "12" };

/** Every subtype that this venue writes, by type. */
export const SUBTYPES: ReadonlyMap<string, readonly string[]> = new Map([
  [TRANSFER.type, [TRANSFER.into, TRANSFER.out]],
  [FUNDING.type, [FUNDING.paid, FUNDING.received]],
  ...[...Map.groupBy(Object.values(OF_CAUSE), ({ type }) => type)].map(([type, causes]) => {
    const others = type === TAKEOVER.type ? [TAKEOVER.into, TAKEOVER.out] : [];
    return [type, [...causes.flatMap(({ buy, sell }) => [buy, sell]), ...others]] as const;
  }),
]);

type Entry = Pick<PaperBill, "type" | "subType" | "balChg" | "ts"> & Partial<PaperBill>;

const UNSAID = {
  ...{ ccy: SETTLED_IN, pnl: ZERO, fee: ZERO, sz: "" as const, px: "" as const },
  ...{ instId: "", ordId: "", clOrdId: "", tradeId: "" },
};

/** The next bill id: ascends with every bill, and begins with its time where the clock has moved on. */
function nextId({ bills }: Ledger, ts: number): string {
  const least = BigInt(ts) * 1_000_000n;
  const next = BigInt(bills.at(-1)?.billId ?? 0) + 1n;
  return String(next > least ? next : least);
}

/** Changes a balance by one bill: nothing else does. Returns the bill. */
export function record(ledger: Ledger, entry: Entry): PaperBill {
  const ccy = entry.ccy ?? SETTLED_IN;
  const bal = text(big(ledger.cash[ccy] ?? ZERO).plus(entry.balChg));
  const bill = { ...UNSAID, ...entry, billId: nextId(ledger, entry.ts), bal };
  ledger.cash[ccy] = bal;
  ledger.bills.push(bill);
  return bill;
}

interface Traded extends Pick<PaperBill, "instId" | "ordId" | "clOrdId" | "tradeId" | "ts"> {
  readonly cause: Cause;
  readonly side: "buy" | "sell";
  readonly size: Big;
  readonly price: Big;
  readonly pnl: Big;
  /** Negative = paid. */
  readonly fee: Big;
  readonly feeCcy: string;
}

/** Writes the bill of one execution; a fee in another currency than its result has a bill of its own, before it. */
export function recordTrade(
  ledger: Ledger,
  { cause, side, size, price, pnl, fee, feeCcy, ...named }: Traded,
): PaperBill {
  const { type, [side]: subType } = OF_CAUSE[cause];
  const traded = { type, subType, ...named, sz: text(size), px: text(price) };
  const isOther = feeCcy !== SETTLED_IN;
  if (isOther) record(ledger, { ...traded, ccy: feeCcy, balChg: text(fee), fee: text(fee) });
  const paid = isOther ? big(0) : fee;
  return record(ledger, { ...traded, balChg: text(pnl.plus(paid)), pnl: text(pnl), fee: text(paid) });
}

/** The digits that a balance keeps after the point. */
const PLACES = 18;

/** Writes a funding fee: `amount` is negative when it is paid. A fee of nothing is no bill. Returns what was written. */
export function recordFunding(ledger: Ledger, instId: string, contracts: Decimal, amount: Big, ts: number): Decimal {
  const change = text(fixed(amount, PLACES));
  if (change === ZERO) return ZERO;
  const subType = big(change).lt(0) ? FUNDING.paid : FUNDING.received;
  const sz = text(big(contracts).abs());
  return record(ledger, { type: FUNDING.type, subType, instId, sz, balChg: change, pnl: change, ts }).balChg;
}

/**
 * Writes what a liquidation that took the whole position leaves of its margin, which OKX takes (negative), or what its margin
 * lacked, which OKX bears (positive). Nothing is no bill.
 */
export function recordTakeover(
  ledger: Ledger,
  named: Pick<PaperBill, "instId" | "ordId" | "ts">,
  amount: Big,
): Decimal {
  if (amount.eq(0)) return ZERO;
  const subType = amount.lt(0) ? TAKEOVER.out : TAKEOVER.into;
  return record(ledger, { type: TAKEOVER.type, subType, ...named, balChg: text(amount), pnl: text(amount) }).balChg;
}

/** Writes a transfer: `amount` is negative when it leaves the account. @throws RangeError for nothing, or more than there is. */
export function recordTransfer(ledger: Ledger, amount: Decimal, ts: number, ccy = SETTLED_IN): PaperBill {
  const left = big(ledger.cash[ccy] ?? ZERO).plus(amount);
  if (big(amount).eq(0) || left.lt(0)) throw new RangeError(`a transfer of ${amount} leaves ${left.toFixed()}`);
  const subType = big(amount).gt(0) ? TRANSFER.into : TRANSFER.out;
  return record(ledger, { type: TRANSFER.type, subType, ccy, sz: text(big(amount).abs()), balChg: text(amount), ts });
}
