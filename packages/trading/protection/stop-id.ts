import type { Instant } from "#units/time";
import type { Account } from "../account.ts";
import type { TradingMode } from "../mode.ts";
import { letters } from "../orders/letters.ts";

const LETTER: Readonly<Record<TradingMode, string>> = { demo: "d", live: "l" };

/** Returns whether an id is that of a stop which this desk placed at the venue in a mode, by its form. */
export const isStopId = (mode: TradingMode, id: string | null): id is string =>
  new RegExp(`^${LETTER[mode]}[a-z2-7]{29}\\d{2}$`).test(id ?? "");

/**
 * Returns the id of a stop at the venue: a letter for the mode, 29 base32 characters of the SHA-256 of account, instrument
 * and the instant from which it is wanted, and `attempt` (0 to 99) in two digits. Every look that finds the same position
 * without a stop gives the same id, which the venue takes once. It is longer than any client order id, so that neither is taken for the other.
 * @throws RangeError when `attempt` is out of range.   Source: OKX v5, algoClOrdId is 1 to 32 alphanumerics.
 */
export function stopId({ mode, venue }: Account, instrument: string, exposedAt: Instant, attempt: number): string {
  if (!Number.isInteger(attempt) || attempt < 0 || attempt > 99) throw new RangeError(`attempt ${attempt}`);
  return `${LETTER[mode]}${letters([venue, mode, instrument, exposedAt, "stop"], 29)}${String(attempt).padStart(2, "0")}`;
}

/** Returns the id of the stop that goes out with an order, in the form of a stop's: the same for the same order. */
export const attachedStopId = (mode: TradingMode, clientOrderId: string): string =>
  `${LETTER[mode]}${letters([clientOrderId, "attached"], 29)}00`;
