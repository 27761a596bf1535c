import type { Decimal } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Account } from "../account.ts";
import type { TradingMode } from "../mode.ts";
import { letters } from "../orders/letters.ts";

const LETTER: Readonly<Record<TradingMode, string>> = { demo: "e", live: "m" };

/** Returns whether an id is that of a take-profit which this desk placed at the venue in a mode, by its form. */
export const isLegId = (mode: TradingMode, id: string | null): id is string =>
  new RegExp(`^${LETTER[mode]}[a-z2-7]{29}\\d{2}$`).test(id ?? "");

/** Where a leg belongs: a position by its opening, and the price that it closes a part of it at. */
export interface LegPlace {
  readonly account: Account;
  readonly instrument: string;
  readonly openedAt: Instant;
  readonly trigger: Decimal;
}

/** Returns what the ids of all attempts at one leg begin with. */
export const legKey = ({ account: { venue, mode }, instrument, openedAt, trigger }: LegPlace): string =>
  `${LETTER[mode]}${letters([venue, mode, instrument, openedAt, trigger, "take_profit"], 29)}`;

/**
 * Returns the id of a take-profit at the venue: a letter for the mode that no other id begins with, 29 base32 characters of
 * the SHA-256 of its place, and `attempt` (0 to 99) in two digits. The order that it places has it for its client order id.
 * @throws RangeError when `attempt` is out of range.   Source: OKX v5, algoClOrdId is 1 to 32 alphanumerics.
 */
export function legId(place: LegPlace, attempt: number): string {
  if (!Number.isInteger(attempt) || attempt < 0 || attempt > 99) throw new RangeError(`attempt ${attempt}`);
  return `${legKey(place)}${String(attempt).padStart(2, "0")}`;
}
