import * as z from "zod";
import { type Big, big, Decimal, decimalOf, fixed, text, ZERO } from "#units/decimal";
import { sha256 } from "#units/ids";
import type { Book, Listing } from "./book.ts";

const ms = z.number().int();

const Order = z.object({
  ordId: z.string(),
  clOrdId: z.string(),
  instId: z.string(),
  side: z.enum(["buy", "sell"]),
  ordType: z.string(),
  tdMode: z.string(),
  sz: Decimal,
  px: z.union([Decimal, z.literal("")]),
  reduceOnly: z.boolean(),
  state: z.enum(["live", "partially_filled", "filled", "canceled"]),
  accFillSz: Decimal,
  /** Σ size × price of its fills. */
  filledValue: Decimal,
  fee: Decimal,
  pnl: Decimal,
  tradeId: z.string(),
  cTime: ms,
  uTime: ms,
});
export type PaperOrder = z.infer<typeof Order>;

const Fill = z.object({
  billId: z.string(),
  tradeId: z.string(),
  ordId: z.string(),
  clOrdId: z.string(),
  instId: z.string(),
  side: z.enum(["buy", "sell"]),
  fillSz: Decimal,
  fillPx: Decimal,
  fillPnl: Decimal,
  /** As OKX signs it: negative = paid. */
  fee: Decimal,
  execType: z.enum(["T", "M"]),
  ts: ms,
});
export type PaperFill = z.infer<typeof Fill>;

const Position = z.object({
  instId: z.string(),
  contracts: Decimal,
  avgPx: Decimal,
  cTime: ms,
  uTime: ms,
  tradeId: z.string(),
});
export type PaperPosition = z.infer<typeof Position>;

const Funding = z.object({ billId: z.string(), instId: z.string(), amount: Decimal, ts: ms });

/** All that the venue remembers of its one account. */
export const PaperState = z.object({
  format: z.literal("spyhop-paper/1"),
  initial: Decimal,
  /** Σ −(signed contracts × contract size × price) of every fill: exact, whatever the position's average. */
  cashflow: Decimal,
  /** Σ fees paid. */
  fees: Decimal,
  /** Σ funding received. */
  funding: Decimal,
  fundedTo: ms.nullable(),
  leverage: z.record(z.string(), Decimal),
  positions: z.array(Position),
  orders: z.array(Order),
  fills: z.array(Fill),
  fundings: z.array(Funding),
});
export type PaperState = z.infer<typeof PaperState>;

/** Returns an account that never traded and holds `initial` USDT. */
export const newAccount = (initial: Decimal): PaperState => ({
  format: "spyhop-paper/1",
  initial,
  cashflow: ZERO,
  fees: ZERO,
  funding: ZERO,
  fundedTo: null,
  leverage: {},
  positions: [],
  orders: [],
  fills: [],
  fundings: [],
});

/** OKX's default before it is set. */
const DEFAULT_LEVERAGE = decimalOf("3");

export const leverageOf = (state: PaperState, instId: string): Decimal => state.leverage[instId] ?? DEFAULT_LEVERAGE;

/**
 * Returns an id of 19 digits that ascends with time and depends on `parts` alone, so that the order in which the orders of
 * one instant arrive does not show in any id.
 */
export const idAt = (now: number, ...parts: readonly string[]): string =>
  `${now}${(Number.parseInt(sha256(parts.join(" ")).slice(0, 12), 16) % 1_000_000).toString().padStart(6, "0")}`;

const notionalOf = (contracts: Big | Decimal, listing: Listing, price: Big | Decimal): Big =>
  big(contracts).times(listing.contractSize).times(price);

/** Returns the position's profit at `mark`. */
export const unrealized = (position: PaperPosition, listing: Listing, mark: Big): Big =>
  notionalOf(position.contracts, listing, mark).minus(notionalOf(position.contracts, listing, position.avgPx));

export const marginOf = (state: PaperState, position: PaperPosition, listing: Listing): Big =>
  notionalOf(position.contracts, listing, position.avgPx).abs().div(leverageOf(state, position.instId));

export interface Wealth {
  /** Cash with what positions would bring at their mark. Exact. */
  readonly equity: Big;
  readonly unrealized: Big;
  readonly margin: Big;
}

/** Returns what the account is worth at `now`. A position without a price is valued at its average. */
export function wealth(state: PaperState, book: Book, now: number): Wealth {
  let equity = big(state.initial).plus(state.cashflow).minus(state.fees).plus(state.funding);
  let profit = big(0);
  let margin = big(0);
  for (const position of state.positions) {
    const listing = book.listings.get(position.instId) as Listing;
    const mark = book.touch(position.instId, now)?.mid ?? big(position.avgPx);
    equity = equity.plus(notionalOf(position.contracts, listing, mark));
    profit = profit.plus(unrealized(position, listing, mark));
    margin = margin.plus(marginOf(state, position, listing));
  }
  return { equity, unrealized: profit, margin };
}

interface Execution {
  readonly order: PaperOrder;
  readonly size: Big;
  readonly price: Big;
  readonly execType: "T" | "M";
  readonly feeRate: Big;
  readonly now: number;
}

function nextPosition(
  before: PaperPosition | undefined,
  signed: Big,
  price: Big,
  now: number,
  tradeId: string,
  instId: string,
): PaperPosition | null {
  const held = big(before?.contracts ?? ZERO);
  const after = held.plus(signed);
  if (after.eq(0)) return null;
  const grows = held.eq(0) || held.gt(0) === signed.gt(0);
  const flips = !grows && signed.abs().gt(held.abs());
  const average = grows
    ? held
        .abs()
        .times(before?.avgPx ?? "0")
        .plus(signed.abs().times(price))
        .div(after.abs())
    : flips
      ? price
      : big((before as PaperPosition).avgPx);
  const cTime = before && !flips ? before.cTime : now;
  return { instId, contracts: text(after), avgPx: text(fixed(average, 18)), cTime, uTime: now, tradeId };
}

/** Books one execution: order, fill, position and cash move together. */
export function applyFill(state: PaperState, listing: Listing, execution: Execution): void {
  const { order, size, price, execType, feeRate, now } = execution;
  const signed = order.side === "buy" ? size : size.times(-1);
  const value = notionalOf(signed, listing, price);
  const fee = value.abs().times(feeRate);
  const at = state.positions.findIndex((position) => position.instId === order.instId);
  const before = state.positions[at];
  const held = big(before?.contracts ?? ZERO);
  const closes =
    held.eq(0) || held.gt(0) === signed.gt(0) ? big(0) : signed.abs().lt(held.abs()) ? signed.abs() : held.abs();
  const pnl = notionalOf(closes, listing, price.minus(before?.avgPx ?? price)).times(held.gt(0) ? 1 : -1);
  const tradeId = idAt(now, "trade", order.ordId, order.accFillSz);
  const after = nextPosition(before, signed, price, now, tradeId, order.instId);
  state.positions = [...state.positions.filter((_, i) => i !== at), ...(after ? [after] : [])];
  state.cashflow = text(big(state.cashflow).minus(value));
  state.fees = text(big(state.fees).plus(fee));
  const { ordId, clOrdId, instId, side } = order;
  const booked = {
    fillSz: text(size),
    fillPx: text(price),
    fillPnl: text(pnl),
    fee: text(fee.times(-1)),
    execType,
    ts: now,
  };
  state.fills.push({ billId: idAt(now, "bill", tradeId), tradeId, ordId, clOrdId, instId, side, ...booked });
  order.accFillSz = text(big(order.accFillSz).plus(size));
  order.filledValue = text(big(order.filledValue).plus(size.times(price)));
  order.fee = text(big(order.fee).minus(fee));
  order.pnl = text(big(order.pnl).plus(pnl));
  order.tradeId = tradeId;
  order.uTime = now;
  order.state = big(order.accFillSz).eq(order.sz) ? "filled" : "partially_filled";
}

const FUNDING_MS = 8 * 3_600_000;

/** Pays funding for each 00, 08 and 16 o'clock UTC since the last call, at the mark of that time. Longs pay a positive rate. */
export function settleFunding(state: PaperState, book: Book, rate: number, now: number): void {
  const from = state.fundedTo ?? now;
  state.fundedTo = now;
  if (rate === 0) return;
  for (let due = (Math.floor(from / FUNDING_MS) + 1) * FUNDING_MS; due <= now; due += FUNDING_MS) {
    for (const { instId, contracts } of state.positions) {
      const mark = book.touch(instId, due)?.mid;
      if (!mark) continue;
      const amount = text(notionalOf(contracts, book.listings.get(instId) as Listing, mark).times(-rate));
      state.funding = text(big(state.funding).plus(amount));
      state.fundings.push({ billId: idAt(due, "funding", instId), instId, amount, ts: due });
    }
  }
}
