import type { Account } from "#trading/account";
import type { Protection } from "#trading/protection/protection";
import { text } from "#units/decimal";
import type { Instant } from "#units/time";
import { type Books, by, isOf } from "./books.ts";

/** The protections, in memory: the twin of db/trading/protections. */

export const protectionsOf = ({ protections }: Books, account: Account, since: Instant): Protection[] =>
  [...protections.values()]
    .filter((row) => isOf(account, row) && (row.endedAt === null || row.endedAt >= since))
    .sort(
      by(
        (row) => row.wantedAt,
        (row) => row.stopId,
      ),
    )
    .map(({ mode: _, venue: __, ...row }) => row);

export function noteProtections({ protections }: Books, account: Account, list: readonly Protection[]): void {
  const { mode, venue } = account;
  for (const row of list) {
    const before = protections.get(row.stopId);
    if (before && (before.version !== row.version || !isOf(account, before))) continue;
    const { trigger, size } = row;
    const next = { ...row, trigger: text(trigger), size: size && text(size), version: row.version + 1, mode, venue };
    // What it is of, which way it goes and when it was wanted stay as they were written first.
    const { instrument, kind, side, wantedAt } = before ?? next;
    protections.set(row.stopId, { ...next, instrument, kind, side, wantedAt });
  }
}
