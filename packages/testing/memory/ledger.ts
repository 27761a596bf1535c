import type { Account } from "#trading/account";
import { type Bill, billKind } from "#trading/ledger/bill";
import { entryOf, type LedgerEntry } from "#trading/ledger/ledger";
import { type FundingPayment, fundingPaid } from "#trading/positions/position-row";
import type { KeptLedger, Run } from "#trading/store";
import type { VenueBalance } from "#trading/venue";
import { fixed, text } from "#units/decimal";
import type { Instant } from "#units/time";
import { type Books, by, type EquitySnapshot, isOf, type StoredBill, type Surroundings } from "./books.ts";

/** The ledger of an account in memory: the twin of db/trading/ledger. */

const keyOf = (...parts: readonly string[]): string => parts.join("\t");

const billsOf = ({ bills }: Books, account: Account): StoredBill[] =>
  [...bills.values()]
    .filter((bill) => isOf(account, bill))
    .sort((a, b) => (BigInt(a.billId) < BigInt(b.billId) ? -1 : 1));

const plain = ({ mode: _, venue: __, kind: ___, ...bill }: StoredBill): Bill => bill;

/** Returns the newest stored bill of an account; null without one. */
export function lastBill(books: Books, account: Account): Pick<Bill, "billId" | "at"> | null {
  const last = billsOf(books, account).at(-1);
  return last ? { billId: last.billId, at: last.at } : null;
}

/** Returns the newest equity before `at`. */
export const newestEquity = ({ equity }: Books, account: Account, at: Instant): EquitySnapshot | undefined =>
  [...equity.values()]
    .filter((row) => isOf(account, row) && row.at < at)
    .sort(by((row) => row.at))
    .at(-1);

/** Returns the funding payments of an instrument. */
export const fundingOf = (
  books: Books,
  around: Surroundings,
  account: Account,
  instrument: string,
): FundingPayment[] => [
  ...around.funding.filter((payment) => isOf(account, payment) && payment.instrument === instrument),
  ...billsOf(books, account)
    .filter((bill) => bill.kind === "funding" && bill.instrument === instrument)
    .map(({ at, change: amount }) => ({ at, amount })),
];

export function keepLedger(
  books: Books,
  around: Surroundings,
  { account, at }: Pick<Run, "account" | "at">,
  balance: VenueBalance,
  list: readonly Bill[],
): KeptLedger {
  const { mode, venue } = account;
  const fresh = list
    .filter(({ billId }) => !books.bills.has(keyOf(mode, venue, billId)))
    .toSorted((a, b) => (BigInt(a.billId) < BigInt(b.billId) ? -1 : 1));
  for (const bill of fresh)
    books.bills.set(keyOf(mode, venue, bill.billId), { ...bill, mode, venue, kind: billKind(bill.subType) });
  bookFunding(books, around, account, fresh);
  const unknown = fresh.filter((bill) => billKind(bill.subType) === "unknown");
  const key = keyOf(mode, venue, at);
  const before = books.equity.get(key);
  const kept = before && entryIn(before);
  const earlier = [...books.equity.values()]
    .filter((row) => isOf(account, row) && row.at < at)
    .sort(by((row) => row.at))
    .flatMap((row) => {
      const entry = entryIn(row);
      return entry === null ? [] : [{ ...entry, at: row.at }];
    });
  const agreed = earlier.findLast((entry) => entry.gap === "0") ?? null;
  const said = (entry: LedgerEntry) => ({ entry, agreedAt: entry.gap === "0" ? at : (agreed?.at ?? null), unknown });
  if (kept) return said(kept);
  const known = billsOf(books, account).filter(
    ({ billId }) => agreed === null || agreed.billId === null || BigInt(billId) > BigInt(agreed.billId),
  );
  const entry = entryOf({ agreed, last: earlier.at(-1) ?? null }, balance, known.map(plain));
  const money = { equity: text(fixed(balance.equity, 8)), available: text(fixed(balance.available, 8)) };
  books.equity.set(key, { mode, venue, at, ...money, ...entry });
  return said(entry);
}

function entryIn({ cash, unrealized, billId, units, gap }: EquitySnapshot): LedgerEntry | null {
  return cash === null || unrealized === null || gap === null ? null : { cash, unrealized, billId, units, gap };
}

function bookFunding(books: Books, around: Surroundings, account: Account, fresh: readonly Bill[]): void {
  const paid = fresh.filter((bill) => billKind(bill.subType) === "funding");
  for (const row of books.positions.values()) {
    const { openedAt: from, closedAt: to } = row;
    if (!isOf(account, { mode: row.tradingMode, venue: row.exchange })) continue;
    const mine = paid.filter(
      ({ instrument, at }) => instrument === row.instrument && at > from && (to === null || at <= to),
    );
    if (mine.length === 0) continue;
    books.positions.set(row.id, {
      ...row,
      fundingPaid: text(fundingPaid(row, fundingOf(books, around, account, row.instrument))),
    });
  }
}
