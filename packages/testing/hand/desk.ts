import type { StoredControl } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import type { Surroundings } from "../memory/books.ts";
import { memoryStore } from "../memory/store.ts";
import { handVenue } from "./venue.ts";

/** When a hand desk begins. */
export const START = Date.parse("2022-06-21T00:00:00.000Z");
export const ACCOUNT = { mode: "demo", venue: "paper" } as const;

const listed = (asset: string): Instrument => ({
  ...{ id: `${asset}-USDT-SWAP`, asset, contractSize: decimalOf(asset === "BTC" ? "0.01" : "0.1") },
  ...{
    lotSize: decimalOf("0.1"),
    minSize: decimalOf("0.1"),
    tickSize: decimalOf("0.01"),
    maxLeverage: decimalOf("100"),
  },
});
export const BTC = listed("BTC");
export const ETH = listed("ETH");

/**
 * Returns books in memory of a desk that trades, beside a venue by hand, both by one clock: no test of it needs a database.
 * `around` = what the rest of the desk has written.
 */
export function handDesk(around: Partial<Surroundings> = {}) {
  const at = instant(START);
  const active: StoredControl = { state: "ACTIVE", epoch: 1, reason: "", actor: "test", changedAt: at, lifts: [] };
  const { store, books } = memoryStore({
    ...{ control: { demo: active, live: active }, candles: new Map(), biases: [], analyses: [], funding: [] },
    instruments: [BTC, ETH].map((one) => ({ ...one, updatedAt: at })),
    ...around,
  });
  let now = START;
  const waited: number[] = [];
  const pass = (ms: number): void => {
    now += ms;
  };
  return {
    ...handVenue(() => now),
    ...{ store, books, waited, pass },
    at: () => instant(now),
    /** Waits on the clock, and keeps for how long. */
    pause: async (ms: number) => {
      waited.push(ms);
      pass(ms);
    },
  };
}
