import { and, asc, desc, eq, gt, inArray, isNotNull, lt, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import { type Bill, billKind } from "#trading/ledger/bill";
import { entryOf, type LedgerBase, type LedgerEntry } from "#trading/ledger/ledger";
import { fundingPaid } from "#trading/positions/position-row";
import type { KeptLedger, Run, TradingStore } from "#trading/store";
import { type Decimal, fixed, text, ZERO } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { bills, equitySnapshots as equity, fundingPayments, positions } from "../schema.ts";
import { fundingSince } from "./positions.ts";

type Balance = Parameters<TradingStore["keepLedger"]>[1];

const BILL = {
  ...{ billId: bills.billId, type: bills.type, subType: bills.subType, asset: bills.asset },
  ...{ instrument: bills.instrument, at: bills.at, change: bills.change, balance: bills.balance },
  ...{ pnl: bills.pnl, fee: bills.fee, venueOrderId: bills.venueOrderId, tradeId: bills.tradeId },
} as const;

const ours = ({ mode, venue }: Account) => and(eq(bills.tradingMode, mode), eq(bills.exchange, venue));

/** A balance as a person looks at it, in USDT. */
export interface BalanceLook extends Pick<LedgerEntry, "cash" | "unrealized" | "gap"> {
  readonly at: Instant;
  readonly equity: Decimal;
}

/** Stores bills, their funding and the balance of a run, in one transaction. */
export function keepLedger(
  db: Db,
  { account, at }: Pick<Run, "account" | "at">,
  balance: Balance,
  list: readonly Bill[],
): Promise<KeptLedger> {
  return drizzleOf(db).transaction(async (tx) => {
    const fresh = await insertBills(tx, account, list);
    await bookFunding(tx, account, fresh);
    const unknown = fresh.filter((bill) => billKind(bill.subType) === "unknown");
    const { agreedAt, ...base } = await baseBefore(tx, account, at);
    const kept = await entryAt(tx, account, at);
    const said = (entry: LedgerEntry) => ({ entry, agreedAt: entry.gap === "0" ? at : agreedAt, unknown });
    if (kept !== null) return said(kept);
    const entry = entryOf(base, balance, await billsAfter(tx, account, base.agreed?.billId ?? null));
    await writeEntry(tx, account, at, balance, entry);
    return said(entry);
  });
}

/** Returns those that were new, ascending. */
async function insertBills(tx: Db, { mode, venue }: Account, list: readonly Bill[]): Promise<Bill[]> {
  if (list.length === 0) return [];
  const values = list.map((bill) => ({
    ...bill,
    ...{ tradingMode: mode, exchange: venue, kind: billKind(bill.subType) },
  }));
  const fresh = await drizzleOf(tx).insert(bills).values(values).onConflictDoNothing().returning(BILL);
  return fresh.sort((a, b) => (BigInt(a.billId) < BigInt(b.billId) ? -1 : 1));
}

/** Books funding with the positions that it was paid in, those that are closed by now too. */
async function bookFunding(tx: Db, account: Account, fresh: readonly Bill[]): Promise<void> {
  const { mode: tradingMode, venue: exchange } = account;
  const paid = fresh.flatMap(({ billId, instrument, at, change: amount, subType }) =>
    billKind(subType) === "funding" && instrument !== null ? [{ billId, instrument, at, amount }] : [],
  );
  if (paid.length === 0) return;
  const values = paid.map((payment) => ({ tradingMode, exchange, ...payment }));
  await drizzleOf(tx).insert(fundingPayments).values(values).onConflictDoNothing();
  const { id, instrument, openedAt, closedAt } = positions;
  const mine = and(eq(positions.tradingMode, tradingMode), eq(positions.exchange, exchange));
  const held = await drizzleOf(tx)
    .select({ id, instrument, openedAt, closedAt })
    .from(positions)
    .where(and(mine, inArray(instrument, [...new Set(paid.map((payment) => payment.instrument))])))
    .orderBy(asc(id));
  for (const position of held) {
    const { openedAt: from, closedAt: to } = position;
    const isIn = (payment: (typeof paid)[number]) => payment.at > from && (to === null || payment.at <= to);
    if (!paid.some((payment) => payment.instrument === position.instrument && isIn(payment))) continue;
    const funding = await fundingSince(tx, account, position.instrument, from);
    await drizzleOf(tx)
      .update(positions)
      .set({ fundingPaid: fundingPaid(position, funding) })
      .where(eq(id, position.id));
  }
}

/** Returns the newest balance of a mode that was compared with its bills; null before the first. */
export async function lastEntry(db: Db, mode: Account["mode"]): Promise<BalanceLook | null> {
  const [row] = await drizzleOf(db)
    .select({ at: equity.at, equity: equity.equity, ...ENTRY })
    .from(equity)
    .where(and(eq(equity.tradingMode, mode), isNotNull(equity.cash)))
    .orderBy(desc(equity.at))
    .limit(1);
  if (!row) return null;
  const { at, cash, unrealized, gap } = row;
  return { at, equity: row.equity, cash: cash ?? ZERO, unrealized: unrealized ?? ZERO, gap: gap ?? ZERO };
}

const snapshots = ({ mode, venue }: Account) => and(eq(equity.tradingMode, mode), eq(equity.exchange, venue));

const ENTRY = {
  ...{ cash: equity.cash, unrealized: equity.unrealized, billId: equity.billId },
  ...{ units: equity.units, gap: equity.gap },
} as const;

/** Returns the entry of that very instant; null when there is none yet. */
async function entryAt(tx: Db, account: Account, at: Instant): Promise<LedgerEntry | null> {
  const [row] = await drizzleOf(tx)
    .select(ENTRY)
    .from(equity)
    .where(and(snapshots(account), eq(equity.at, at)));
  if (!row) return null;
  const { cash, unrealized, gap } = row;
  return cash === null || unrealized === null || gap === null ? null : { ...row, cash, unrealized, gap };
}

async function baseBefore(tx: Db, account: Account, at: Instant): Promise<LedgerBase & Pick<KeptLedger, "agreedAt">> {
  const newest = (where: ReturnType<typeof and>) =>
    drizzleOf(tx)
      .select({ ...ENTRY, at: equity.at })
      .from(equity)
      .where(and(snapshots(account), lt(equity.at, at), isNotNull(equity.cash), where))
      .orderBy(desc(equity.at))
      .limit(1);
  const [last] = await newest(undefined);
  const [agreed] = last?.gap === "0" ? [last] : await newest(eq(equity.gap, ZERO));
  return {
    agreed: agreed ? { cash: agreed.cash ?? ZERO, billId: agreed.billId } : null,
    last: last ?? null,
    agreedAt: agreed?.at ?? null,
  };
}

const billsAfter = (tx: Db, account: Account, billId: string | null): Promise<Bill[]> =>
  drizzleOf(tx)
    .select(BILL)
    .from(bills)
    .where(and(ours(account), ...(billId === null ? [] : [gt(bills.billId, billId)])))
    .orderBy(asc(bills.billId));

/** Writes the entry on the equity of the run, with the balance that it was made from. */
async function writeEntry(
  tx: Db,
  { mode: tradingMode, venue: exchange }: Account,
  at: Instant,
  balance: Balance,
  entry: LedgerEntry,
): Promise<void> {
  const money = { equity: text(fixed(balance.equity, 8)), available: text(fixed(balance.available, 8)) };
  const set = { ...money, ...entry };
  await drizzleOf(tx)
    .insert(equity)
    .values({ tradingMode, exchange, at, ...set })
    .onConflictDoUpdate({
      target: [equity.tradingMode, equity.exchange, equity.at],
      set,
      setWhere: sql`${equity.cash} IS NULL`,
    });
}
