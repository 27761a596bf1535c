import { big, type Decimal, decimalOf, text } from "#units/decimal";
import { notionalOf, type PaperState } from "./account.ts";
import type { Book, Listing } from "./book.ts";
import { recordFunding } from "./ledger.ts";
import { openRecord } from "./records.ts";

/** How often funding is paid, and at what rate of the position's value; longs pay a positive one. */
export interface FundingTerms {
  readonly rate: Decimal;
  readonly hours: number;
}

/**
 * The rule where no rate is recorded: the interest part of OKX's formula, 0.01 % in eight hours. Its other part is the
 * premium of the swap over its index, which is nothing here: candles give one price for both.
 * Source: OKX, "Funding fee mechanism".
 */
export const FUNDING_RULE: FundingTerms = { rate: decimalOf("0.0001"), hours: 8 };

/** Returns the first payment after `now`, in ms: payments fall on whole intervals from midnight UTC. */
export const nextFunding = ({ hours }: FundingTerms, now: number): number =>
  (Math.floor(now / (hours * 3_600_000)) + 1) * hours * 3_600_000;

/** Pays the funding that fell due since the last call, in the order of its time and instrument, at the mark of that time. */
export function settleFunding(
  state: PaperState,
  book: Book,
  termsOf: (instId: string) => FundingTerms,
  now: number,
): void {
  const from = state.fundedTo ?? now;
  if (now <= from && state.fundedTo !== null) return;
  state.fundedTo = now;
  const due = state.positions.flatMap((position) => {
    const terms = termsOf(position.instId);
    const times: number[] = [];
    for (let at = nextFunding(terms, from); at <= now; at = nextFunding(terms, at)) times.push(at);
    return times.map((at) => ({ position, at, rate: terms.rate }));
  });
  const inOrder = due.toSorted((a, b) => a.at - b.at || (a.position.instId < b.position.instId ? -1 : 1));
  for (const { position, at, rate } of inOrder) {
    const { instId, contracts } = position;
    const mark = book.touch(instId, at)?.mark;
    if (!mark) continue;
    const value = notionalOf(contracts, book.listings.get(instId) as Listing, mark);
    const paid = recordFunding(state, instId, contracts, value.times(rate).neg(), at);
    const record = openRecord(state, instId);
    if (record !== undefined) record.funding = text(big(record.funding).plus(paid));
  }
}
