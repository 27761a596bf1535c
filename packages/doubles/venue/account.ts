import * as z from "zod";
import { type Big, big, Decimal, decimalOf, fixed, text, ZERO } from "#units/decimal";
import { sha256 } from "#units/ids";
import { Attached, afterFill, PaperAlgo } from "./algo.ts";
import type { Book, Listing } from "./book.ts";
import { type Cause, PaperBill, recordTrade, SETTLED_IN } from "./ledger.ts";
import { keepExecution, PaperRecord } from "./records.ts";

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
  feeCcy: z.string().default(SETTLED_IN),
  pnl: Decimal,
  tradeId: z.string(),
  /** The algo order whose child it is; empty for an order of its own. */
  algoId: z.string().default(""),
  algoClOrdId: z.string().default(""),
  /** OKX's number for what made it: 7 is a TP/SL. */
  source: z.string().default(""),
  category: z.string().default("normal"),
  /** OKX's number for who changed it: 3 is a reduce-only order made smaller. */
  amendSource: z.string().default(""),
  /** OKX's number for why it was canceled: 3 liquidation risk, 14 the rest of an order that takes at once. */
  cancelSource: z.string().default(""),
  attached: z.array(Attached).default([]),
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
  feeCcy: z.string().default(SETTLED_IN),
  /** Of its bill; empty in an account of the format before. */
  subType: z.string().default(""),
  execType: z.enum(["T", "M"]),
  ts: ms,
});
export type PaperFill = z.infer<typeof Fill>;

const Position = z.object({
  instId: z.string(),
  /** That of the order that opened it. */
  mgnMode: z.enum(["cross", "isolated"]).default("cross"),
  contracts: Decimal,
  /** What the contracts held cost, signed as they are: exact, where the average is rounded. */
  cost: Decimal,
  avgPx: Decimal,
  cTime: ms,
  uTime: ms,
  tradeId: z.string(),
});
export type PaperPosition = z.infer<typeof Position>;

/** All that the venue remembers of its one account. */
export const PaperState = z.object({
  format: z.literal("spyhop-paper/2"),
  cash: z.record(z.string(), Decimal),
  bills: z.array(PaperBill),
  fundedTo: ms.nullable(),
  leverage: z.record(z.string(), Decimal),
  /** The currency that pays fees while the account has enough of it, and its price in USDT; null = USDT pays. */
  feesIn: z.object({ ccy: z.string(), price: Decimal }).nullable().default(null),
  positions: z.array(Position),
  /** Ascending by their opening. */
  records: z.array(PaperRecord).default([]),
  orders: z.array(Order),
  fills: z.array(Fill),
  algos: z.array(PaperAlgo).default([]),
  /** When all that is pending is canceled, unless a client says otherwise before. */
  cancelAllAt: ms.nullable().default(null),
  /** The bar of each instrument that was walked last, and whether to its end. */
  walked: z.record(z.string(), z.object({ openedMs: ms, closed: z.boolean() })).default({}),
});
export type PaperState = z.infer<typeof PaperState>;

/** Returns an account that never traded and holds `initial` USDT. */
export const newAccount = (initial: Decimal): PaperState => ({
  format: "spyhop-paper/2",
  cash: { [SETTLED_IN]: initial },
  bills: [],
  fundedTo: null,
  leverage: {},
  feesIn: null,
  positions: [],
  records: [],
  orders: [],
  fills: [],
  algos: [],
  cancelAllAt: null,
  walked: {},
});

/** The account as the format before kept it: without bills, and its balance in four sums. */
const Earlier = z.object({
  ...PaperState.omit({ cash: true, bills: true, positions: true }).shape,
  format: z.literal("spyhop-paper/1"),
  initial: Decimal,
  cashflow: Decimal,
  fees: Decimal,
  funding: Decimal,
  positions: z.array(Position.omit({ cost: true })),
});

/**
 * What a kept account is read by. One of the format before is taken over with its equity to the last digit; it has no bills
 * of what was before. `listings` are those that the venue has.
 */
export const keptState = (listings: Book["listings"]) =>
  z.union([
    PaperState,
    Earlier.transform(({ initial, cashflow, fees, funding, ...kept }, context): PaperState => {
      const positions = kept.positions.map((position) => {
        const size = listings.get(position.instId)?.contractSize;
        if (!size) context.addIssue(`a position in ${position.instId}, which is not listed here`);
        return {
          ...position,
          cost: text(
            big(position.contracts)
              .times(size ?? 0)
              .times(position.avgPx),
          ),
        };
      });
      const costs = positions.reduce((sum, { cost }) => sum.plus(cost), big(0));
      const cash = big(initial).plus(cashflow).minus(fees).plus(funding).plus(costs);
      return { ...kept, format: "spyhop-paper/2", cash: { [SETTLED_IN]: text(cash) }, bills: [], positions };
    }),
  ]);

/** OKX's default before it is set. */
const DEFAULT_LEVERAGE = decimalOf("3");

export const leverageOf = (state: PaperState, instId: string): Decimal => state.leverage[instId] ?? DEFAULT_LEVERAGE;

/**
 * Returns an id of 19 digits that ascends with time and depends on `parts` alone, so that the order in which the orders of
 * one instant arrive does not show in any id.
 */
export const idAt = (now: number, ...parts: readonly string[]): string =>
  `${now}${(Number.parseInt(sha256(parts.join(" ")).slice(0, 12), 16) % 1_000_000).toString().padStart(6, "0")}`;

export const notionalOf = (contracts: Big | Decimal, listing: Listing, price: Big | Decimal): Big =>
  big(contracts).times(listing.contractSize).times(price);

/** Returns the position's profit at `mark`, exact. */
export const unrealized = (position: PaperPosition, listing: Listing, mark: Big): Big =>
  notionalOf(position.contracts, listing, mark).minus(position.cost);

export const marginOf = (state: PaperState, position: PaperPosition): Big =>
  big(position.cost).abs().div(leverageOf(state, position.instId));

export interface Wealth {
  /** Balance and unrealized profit. Exact. */
  readonly equity: Big;
  readonly unrealized: Big;
  readonly margin: Big;
}

/** Returns what the account is worth at `now`. A position without a price is valued at its average. */
export function wealth(state: PaperState, book: Book, now: number): Wealth {
  let profit = big(0);
  let margin = big(0);
  for (const position of state.positions) {
    const listing = book.listings.get(position.instId) as Listing;
    const mark = book.touch(position.instId, now)?.mark ?? big(position.avgPx);
    profit = profit.plus(unrealized(position, listing, mark));
    margin = margin.plus(marginOf(state, position));
  }
  return { equity: profit.plus(state.cash[SETTLED_IN] ?? ZERO), unrealized: profit, margin };
}

interface Execution {
  readonly order: PaperOrder;
  readonly size: Big;
  readonly price: Big;
  readonly execType: "T" | "M";
  readonly feeRate: Big;
  /** By whom; an order by default. */
  readonly cause?: Cause;
  readonly now: number;
}

const PLACES = 18;

type Moved = Pick<PaperPosition, "contracts" | "cost"> & { readonly pnl: Big };

/** Returns what is held after `signed` contracts at `price`, and what the part that they closed brought. */
function moved(before: PaperPosition | undefined, signed: Big, price: Big, listing: Listing): Moved {
  const held = big(before?.contracts ?? ZERO);
  const cost = big(before?.cost ?? ZERO);
  const after = held.plus(signed);
  const closing =
    held.eq(0) || held.gt(0) === signed.gt(0) ? big(0) : signed.abs().lt(held.abs()) ? signed : held.neg();
  const opening = signed.minus(closing);
  // The part of the cost that is closed is rounded once and taken off exactly: balance and unrealized never drift apart.
  const whole = closing.abs().eq(held.abs());
  const part = closing.eq(0) ? big(0) : whole ? cost : big(fixed(cost.times(closing.abs()).div(held.abs()), PLACES));
  const pnl = notionalOf(closing.neg(), listing, price).minus(part);
  return { contracts: text(after), cost: text(cost.minus(part).plus(notionalOf(opening, listing, price))), pnl };
}

function nextPosition(
  before: PaperPosition | undefined,
  { contracts, cost }: Moved,
  listing: Listing,
  { now, order }: Pick<Execution, "now" | "order">,
  tradeId: string,
): PaperPosition | null {
  const after = big(contracts);
  if (after.eq(0)) return null;
  const same = before !== undefined && big(before.contracts).gt(0) === after.gt(0) ? before : null;
  const shrinks = same !== null && after.abs().lt(big(same.contracts).abs());
  const avgPx = shrinks ? same.avgPx : text(fixed(big(cost).div(after.times(listing.contractSize)), PLACES));
  const mgnMode = same?.mgnMode ?? (order.tdMode === "isolated" ? "isolated" : "cross");
  return { instId: listing.id, mgnMode, contracts, cost, avgPx, cTime: same?.cTime ?? now, uTime: now, tradeId };
}

/** Returns what pays a fee of so much USDT, which is negative where it is paid, and how much. */
function paidIn({ feesIn, cash }: PaperState, fee: Big): { readonly fee: Big; readonly feeCcy: string } {
  if (feesIn === null) return { fee, feeCcy: SETTLED_IN };
  const other = big(fixed(fee.div(feesIn.price), PLACES));
  const isThere = other.neg().lte(cash[feesIn.ccy] ?? ZERO);
  return isThere ? { fee: other, feeCcy: feesIn.ccy } : { fee, feeCcy: SETTLED_IN };
}

/** Books one execution: order, fill, position, balance and what hangs on them move together. */
export function applyFill(state: PaperState, listing: Listing, execution: Execution): void {
  const { order, size, price, execType, feeRate, now, cause = "trade" } = execution;
  const signed = order.side === "buy" ? size : size.times(-1);
  const { fee, feeCcy } = paidIn(state, notionalOf(size, listing, price).times(feeRate).neg());
  const at = state.positions.findIndex((position) => position.instId === order.instId);
  const before = state.positions[at];
  const id = idAt(now, "trade", order.ordId, order.accFillSz);
  // What the venue makes has a negative tradeId. Source: OKX v5, "Get transaction details".
  const tradeId = cause === "trade" ? id : `-${id}`;
  const next = moved(before, signed, price, listing);
  const { pnl } = next;
  const after = nextPosition(before, next, listing, execution, tradeId);
  state.positions = [...state.positions.filter((_, i) => i !== at), ...(after ? [after] : [])];
  const { ordId, clOrdId, instId, side } = order;
  const mgnMode = (after ?? before)?.mgnMode ?? "cross";
  keepExecution(state, {
    ...{ instId, mgnMode, lever: leverageOf(state, instId), held: big(before?.contracts ?? ZERO), signed, price, pnl },
    ...{ fee: feeCcy === SETTLED_IN ? fee : big(0), cause, now },
  });
  const named = { tradeId, ordId, clOrdId, instId, side };
  const { billId, subType } = recordTrade(state, { ...named, cause, size, price, pnl, fee, feeCcy, ts: now });
  const amounts = { fillSz: text(size), fillPx: text(price), fillPnl: text(pnl), fee: text(fee), feeCcy };
  state.fills.push({ ...named, billId, subType, ...amounts, execType, ts: now });
  order.accFillSz = text(big(order.accFillSz).plus(size));
  order.filledValue = text(big(order.filledValue).plus(size.times(price)));
  order.fee = text(big(order.feeCcy === feeCcy ? order.fee : ZERO).plus(fee));
  order.feeCcy = feeCcy;
  order.pnl = text(big(order.pnl).plus(pnl));
  order.tradeId = tradeId;
  order.uTime = now;
  order.state = big(order.accFillSz).eq(order.sz) ? "filled" : "partially_filled";
  afterFill(state, order, before?.contracts ?? ZERO, now, listing.tick);
}
