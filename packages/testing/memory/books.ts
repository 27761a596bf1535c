import type { Account } from "#trading/account";
import type { SignedArming } from "#trading/arming";
import type { StoredControl } from "#trading/control";
import type { ListedInstrument } from "#trading/instrument";
import type { Bill, BillKind } from "#trading/ledger/bill";
import type { TradingMode } from "#trading/mode";
import type { EventRow, StoredOrder } from "#trading/orders/stored-order";
import type { LaneFacts } from "#trading/plans/lane";
import type { PlannedBias } from "#trading/plans/plan";
import type { Comparison } from "#trading/positions/comparison";
import type { Fill, FillCause } from "#trading/positions/fill";
import type { FundingPayment, PositionRow } from "#trading/positions/position-row";
import type { Protection } from "#trading/protection/protection";
import type { Candle } from "#units/candle";
import type { Decimal } from "#units/decimal";
import type { OrderId, PositionId, WalletId } from "#units/ids";
import type { Horizon, Instant } from "#units/time";

/** One link of an order's events as stored. */
export interface ChainedEvent extends EventRow {
  readonly prevHash: string;
  readonly hash: string;
}

export interface BookedFill extends Fill, Account {
  /** Why it counts without an order; null with one, or where it does not count. */
  readonly cause: FillCause | null;
}

export interface EquitySnapshot extends Account {
  readonly at: Instant;
  readonly equity: Decimal;
  readonly available: Decimal;
  readonly units: Decimal;
  readonly cash: Decimal | null;
  readonly unrealized: Decimal | null;
  readonly billId: string | null;
  readonly gap: Decimal | null;
}

export interface StoredBill extends Bill, Account {
  readonly kind: BillKind;
}

/** What the rest of the desk writes and a store of trading only reads. */
export interface Surroundings {
  readonly control: Readonly<Record<TradingMode, StoredControl>>;
  readonly instruments: readonly ListedInstrument[];
  /** Ascending, by instrument; of one width of bars. */
  readonly candles: ReadonlyMap<string, readonly Candle[]>;
  readonly biases: readonly (PlannedBias & { readonly asset: string; readonly timeframe: Horizon })[];
  readonly analyses: LaneFacts["analyses"];
  readonly armings?: Readonly<Partial<Record<TradingMode, SignedArming>>>;
  readonly funding: readonly (FundingPayment & Account & { readonly instrument: string })[];
}

/** All that a store of trading writes. */
export interface Books {
  readonly control: Map<TradingMode, StoredControl>;
  readonly orders: Map<OrderId, StoredOrder>;
  /** Whose signal an order followed. */
  readonly wallets: Map<OrderId, WalletId | null>;
  /** By what mark an order was decided, where that is known. */
  readonly marks: Map<OrderId, Decimal | null>;
  readonly events: Map<OrderId, readonly ChainedEvent[]>;
  /** By account, instrument and trade id. */
  readonly fills: Map<string, BookedFill>;
  readonly positions: Map<PositionId, PositionRow>;
  /** By account and instrument. */
  readonly comparisons: Map<string, Comparison & Account>;
  /** By their id. */
  readonly protections: Map<string, Protection & Account>;
  /** By account and bill id. */
  readonly bills: Map<string, StoredBill>;
  /** By account and instant. */
  readonly equity: Map<string, EquitySnapshot>;
}

export const emptyBooks = ({ control }: Surroundings): Books => ({
  control: new Map([
    ["demo", control.demo],
    ["live", control.live],
  ]),
  orders: new Map(),
  wallets: new Map(),
  marks: new Map(),
  events: new Map(),
  fills: new Map(),
  positions: new Map(),
  bills: new Map(),
  equity: new Map(),
  comparisons: new Map(),
  protections: new Map(),
});

/** Runs one transaction on the books: what it throws leaves them as they were. Rows are replaced, never changed. */
export function whole<T>(books: Books, work: () => T): T {
  const tables = Object.values(books) as Map<unknown, unknown>[];
  const before = tables.map((table) => [...table]);
  try {
    return work();
  } catch (error) {
    tables.forEach((table, index) => {
      table.clear();
      for (const [key, row] of before[index] ?? []) table.set(key, row);
    });
    throw error;
  }
}

/** The books refuse a row, as the constraint of the database would. */
export class RefusedRow extends Error {
  override name = "RefusedRow";
  /** As PostgreSQL names it. Source: PostgreSQL documentation, "Error Codes", class 23. */
  readonly code: "23505" | "23514";
  constructor(kind: "unique" | "check", what: string) {
    super(`${kind}: ${what}`);
    this.code = kind === "unique" ? "23505" : "23514";
  }
}

export const isOf = ({ mode, venue }: Account, row: Account): boolean => row.mode === mode && row.venue === venue;

/** Orders by the given keys, each ascending. */
export const by =
  <T>(...keys: ((row: T) => string)[]) =>
  (a: T, b: T): number => {
    for (const key of keys) {
      const [x, y] = [key(a), key(b)];
      if (x !== y) return x < y ? -1 : 1;
    }
    return 0;
  };
