import type { Account } from "#trading/account";
import { type ControlChange, liftsAfter, type StoredControl, tightening } from "#trading/control";
import type { TradingMode } from "#trading/mode";
import { type Comparison, instrumentOf } from "#trading/positions/comparison";
import type { Lift } from "#trading/store";
import { text } from "#units/decimal";
import { type Books, by, isOf } from "./books.ts";

/** The kill switch and the comparisons, in memory: the twin of db/trading/control, kill-switch and comparisons. */

export function controlOf({ control }: Books, mode: TradingMode): StoredControl {
  const row = control.get(mode);
  if (!row) throw new TypeError(`no kill switch of ${mode}`);
  return row;
}

/** Sets the kill switch of a mode, in the next epoch. */
function change({ control }: Books, mode: TradingMode, epoch: number, made: ControlChange): StoredControl {
  const { state, reason, actor, at, lifts = [] } = made;
  const next = { state, reason, actor, changedAt: at, epoch: epoch + 1, lifts };
  control.set(mode, next);
  return next;
}

export function tightenControl(books: Books, mode: TradingMode, made: ControlChange): StoredControl | null {
  const now = controlOf(books, mode);
  const verdict = tightening(now, made);
  if (verdict === "repeated") return now;
  if (verdict === "change") return change(books, mode, now.epoch, made);
  const lifts = liftsAfter(now, made);
  if (lifts !== null) books.control.set(mode, { ...now, lifts });
  return null;
}

const keyOf = ({ mode, venue }: Account, instrument: string): string => [mode, venue, instrument].join("\t");

export const comparisonsOf = ({ comparisons }: Books, account: Account): Comparison[] =>
  [...comparisons.values()]
    .filter((row) => isOf(account, row))
    .sort(by((row) => row.instrument))
    .map(({ mode: _, venue: __, ...row }) => row);

export function noteComparisons({ comparisons }: Books, account: Account, list: readonly Comparison[]): void {
  const { mode, venue } = account;
  for (const row of list) {
    const before = comparisons.get(keyOf(account, row.instrument));
    if (before && before.version !== row.version) continue;
    const { ours, theirs } = row;
    const decimals = { ours: ours && text(ours), theirs: theirs && text(theirs) };
    const liftedAt = before ? before.liftedAt : row.liftedAt;
    const next = { ...row, ...decimals, liftedAt, version: row.version + 1, mode, venue };
    comparisons.set(keyOf(account, row.instrument), next);
  }
}

export function liftControl(
  books: Books,
  account: Account,
  { epoch, lifts }: Pick<StoredControl, "epoch" | "lifts">,
  lift: Lift,
): StoredControl | null {
  const now = controlOf(books, account.mode);
  if (now.state !== "REDUCING" || lifts.length === 0 || now.lifts.join() !== lifts.join() || now.epoch !== epoch)
    return null;
  const lifted = change(books, account.mode, epoch, { ...lift, state: "ACTIVE" });
  for (const instrument of lifts.map(instrumentOf)) {
    const row = books.comparisons.get(keyOf(account, instrument));
    if (row) books.comparisons.set(keyOf(account, instrument), { ...row, liftedAt: lift.at, version: row.version + 1 });
  }
  return lifted;
}
