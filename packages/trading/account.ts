import type { TradingMode } from "./mode.ts";

/** Whose trading it is: one account of one venue, in one mode. A row of trading names both. */
export interface Account {
  readonly mode: TradingMode;
  /** "okx" or "paper". */
  readonly venue: string;
}
