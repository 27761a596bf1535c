import type { Horizon, Instant } from "#units/time";
import type { TradingMode } from "../mode.ts";
import { letters } from "./letters.ts";

/** What makes an order one intent: the same parts give the same id, so a replayed decision meets the unique key. */
export interface Intent {
  readonly venue: string;
  readonly mode: TradingMode;
  readonly instrument: string;
  readonly timeframe: Horizon;
  /** The bias that asked for it; for a stop the position's opening. */
  readonly biasAt: Instant;
  /**
   * `plan` = what the bias asked for, at most one per bias; `stop` = the desk's protective stop; `whole` = the venue's own close of
   * all that is held, once per position; `flatten` = a person's word, at `biasAt`.
   */
  readonly leg: "plan" | "stop" | "whole" | "flatten";
}

const LETTER: Readonly<Record<TradingMode, string>> = { demo: "d", live: "l" };

/** Returns whether a client order id is one of this desk's in a mode, by its form. */
export const isOurs = (mode: TradingMode, id: string | null): id is string =>
  new RegExp(`^${LETTER[mode]}[a-z2-7]{26}\\d{2}$`).test(id ?? "");

/**
 * Returns the client order id of an intent: a letter for the mode, 26 base32 characters of its SHA-256, and `ordinal`
 * (0 to 99, for a stop that has to be sent again) in two digits. 29 characters of [a-z0-9].
 * @throws RangeError when `ordinal` is out of range.   Source: OKX v5, clOrdId is 1 to 32 alphanumerics.
 */
export function clientOrderId(intent: Intent, ordinal = 0): string {
  if (!Number.isInteger(ordinal) || ordinal < 0 || ordinal > 99) throw new RangeError(`ordinal ${ordinal}`);
  const { venue, mode, instrument, timeframe, biasAt, leg } = intent;
  return `${LETTER[mode]}${letters([venue, mode, instrument, timeframe, biasAt, leg], 26)}${String(ordinal).padStart(2, "0")}`;
}
