import * as z from "zod";
import type { Instrument } from "#trading/instrument";
import type { Bill } from "#trading/ledger/bill";
import type {
  Listing,
  VenueBalance,
  VenueCause,
  VenueFill,
  VenueOrder,
  VenueOrderState,
  VenuePosition,
} from "#trading/venue";
import type { Candle } from "#units/candle";
import { big, type Decimal, parseDecimal, text, ZERO } from "#units/decimal";
import { type Instant, instant } from "#units/time";
import { VenueShapeError } from "./errors.ts";

// OKX writes every number as text and "nothing" as "".
const decimal = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .transform(parseDecimal);
const maybe = z.string().transform((value): Decimal | null => (value === "" ? null : parseDecimal(value)));
/** A time as OKX writes it, in milliseconds. */
export const time = z
  .string()
  .regex(/^\d{13}$/)
  .transform((ms): Instant => instant(Number(ms)));
const side = z.enum(["buy", "sell"]);
const id = z.string().transform((value): string | null => value || null);

const STATES: Readonly<Record<string, VenueOrderState>> = {
  live: "open",
  partially_filled: "partially_filled",
  filled: "filled",
  canceled: "canceled",
  mmp_canceled: "canceled",
};

const InstrumentRow = z.object({
  instId: z.string(),
  ctType: z.string(),
  ctVal: z.string(),
  ctMult: z.string(),
  ctValCcy: z.string(),
  settleCcy: z.string(),
  lotSz: z.string(),
  minSz: z.string(),
  tickSz: z.string(),
  lever: z.string(),
});
const CandleRow = z.tuple([z.string(), decimal, decimal, decimal, decimal, decimal], z.string());
const OrderRow = z.object({
  instId: z.string(),
  ordId: z.string().min(1),
  clOrdId: id,
  // Of an order that a stop placed; it has no clOrdId.
  algoClOrdId: id.optional(),
  side,
  state: z.string(),
  sz: decimal,
  accFillSz: maybe,
  avgPx: maybe,
  uTime: time,
});
const FillRow = z.object({
  instId: z.string(),
  tradeId: z.string().min(1),
  ordId: z.string().min(1),
  clOrdId: id,
  billId: z.string().min(1),
  side,
  fillPx: decimal,
  fillSz: decimal,
  fee: maybe,
  feeCcy: z.string(),
  execType: z.string(),
  subType: z.string().default(""),
  ts: time,
  fillTime: time.optional(),
});
const PositionRow = z.object({
  instId: z.string(),
  posSide: z.string(),
  pos: maybe,
  avgPx: maybe,
  markPx: maybe,
  uTime: time,
  upl: maybe,
});
const BalanceRow = z.object({
  details: z.array(z.object({ ccy: z.string(), eq: maybe, cashBal: maybe, availEq: maybe, availBal: maybe })),
});
const BillRow = z.object({
  billId: z.string().regex(/^\d{1,38}$/),
  type: z.string(),
  subType: z.string(),
  ccy: z.string().min(1),
  instId: id,
  ts: time,
  balChg: decimal,
  bal: decimal,
  pnl: maybe,
  fee: maybe,
  ordId: id,
  tradeId: id.optional(),
});

/** Returns `value` by `schema`. @throws VenueShapeError naming the fields that do not fit. */
export function parsed<T extends z.ZodType>(operation: string, schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new VenueShapeError(operation, result.error.issues.map((i) => `${i.path.join(".")} ${i.code}`).join(", "));
}

/** Returns a linear USDT swap, or null for a row that is none (inverse, spot, not yet open). */
export function instrumentOf(value: unknown): Instrument | null {
  const row = InstrumentRow.safeParse(value).data;
  if (row?.ctType !== "linear" || row.settleCcy !== "USDT" || row.ctVal === "" || row.lotSz === "") return null;
  return {
    id: row.instId,
    asset: row.ctValCcy,
    contractSize: text(big(parseDecimal(row.ctVal)).times(row.ctMult || "1")),
    lotSize: parseDecimal(row.lotSz),
    minSize: parseDecimal(row.minSz),
    tickSize: parseDecimal(row.tickSz),
    maxLeverage: parseDecimal(row.lever || "1"),
  };
}

const ListingRow = z.object({
  state: z.string().default("live"),
  upcChg: z.array(z.object({ param: z.string(), newValue: z.string(), effTime: time })).default([]),
});

/** Returns a row of an instrument as a listing. A row that does not say its state is live. @throws VenueShapeError */
export function listingOf(value: unknown): Listing {
  const { state, upcChg } = parsed("instrument", ListingRow, value);
  const changes = upcChg.map(({ param, newValue, effTime }) => ({ what: param, to: newValue, at: effTime }));
  return { terms: instrumentOf(value), state, changes };
}

/** Returns a bar, or null for one that is not closed. Rows are [ts, o, h, l, c, vol, volCcy, volCcyQuote, confirm]. */
export function candleOf(value: unknown): Candle | null {
  const [openedMs, open, high, low, close, volume, ...rest] = parsed("candles", CandleRow, value);
  if (rest.at(-1) !== "1") return null;
  return { openedAt: instant(Number(openedMs)), open, high, low, close, volume };
}

/** Returns an order as the port has it. @throws VenueShapeError on a state that OKX does not document. */
export function orderOf(value: unknown): VenueOrder {
  const row = parsed("order", OrderRow, value);
  const state = STATES[row.state];
  if (!state) throw new VenueShapeError("order", `state ${row.state.slice(0, 20)}`);
  const filledSize = row.accFillSz ?? ZERO;
  return {
    clientOrderId: row.clOrdId ?? row.algoClOrdId ?? null,
    venueOrderId: row.ordId,
    instrument: row.instId,
    side: row.side,
    state,
    size: row.sz,
    filledSize,
    averagePrice: filledSize === "0" ? null : row.avgPx,
    updatedAt: row.uTime,
  };
}

/** A fill with what only the adapter needs: the bill that pages are cut at, and when OKX recorded it, at or after the fill. */
export interface FillRecord extends VenueFill {
  readonly billId: string;
  readonly recordedAt: Instant;
}

/**
 * Returns what the venue did by itself to make a fill. Such a fill has a negative trade id.
 * Source: OKX v5, "Transaction details" and "Bills details", `subType`.
 */
function causeIn(subType: string, tradeId: string): { readonly cause?: VenueCause } {
  const type = Number(subType);
  if (type >= 125 && type <= 128) return { cause: "adl" };
  if (type === 112 || type === 113) return { cause: "delivery" };
  const isForced = (type >= 100 && type <= 111) || tradeId.startsWith("-");
  return isForced ? { cause: "liquidation" } : {};
}

/** Returns a fill. OKX's fee is signed as a balance change; ours is a cost. */
export function fillOf(value: unknown): FillRecord {
  const row = parsed("fills", FillRow, value);
  return {
    tradeId: row.tradeId,
    venueOrderId: row.ordId,
    clientOrderId: row.clOrdId,
    instrument: row.instId,
    side: row.side,
    size: row.fillSz,
    price: row.fillPx,
    fee: text(big(row.fee ?? ZERO).times(-1)),
    feeAsset: row.feeCcy,
    liquidity: row.execType === "M" ? "maker" : "taker",
    filledAt: row.fillTime ?? row.ts,
    ...causeIn(row.subType, row.tradeId),
    billId: row.billId,
    recordedAt: row.ts,
  };
}

/** Returns a net position, or null for a flat one. @throws VenueShapeError on a hedge-mode position: its sign is lost. */
export function positionOf(value: unknown): VenuePosition | null {
  const row = parsed("positions", PositionRow, value);
  if (row.pos === null || row.pos === "0") return null;
  if (row.posSide !== "net") throw new VenueShapeError("positions", `posSide ${row.posSide}, not net`);
  if (row.avgPx === null || row.markPx === null) throw new VenueShapeError("positions", "no average or mark price");
  return {
    instrument: row.instId,
    contracts: row.pos,
    averagePrice: row.avgPx,
    markPrice: row.markPx,
    unrealizedPnl: row.upl ?? ZERO,
    updatedAt: row.uTime,
  };
}

/** Returns the USDT balance; an account that never held USDT has zero. */
export function balanceOf(value: unknown): VenueBalance {
  const usdt = parsed("balance", BalanceRow, value).details.find((detail) => detail.ccy === "USDT");
  return {
    equity: usdt?.eq ?? ZERO,
    cash: usdt?.cashBal ?? ZERO,
    available: usdt?.availEq ?? usdt?.availBal ?? ZERO,
  };
}

/** Returns a bill. Its fee is signed as a balance change at OKX; ours is a cost. */
export function billOf(value: unknown): Bill {
  const row = parsed("bills", BillRow, value);
  return {
    ...{ billId: row.billId, type: row.type, subType: row.subType, asset: row.ccy, instrument: row.instId, at: row.ts },
    ...{ change: row.balChg, balance: row.bal, pnl: row.pnl ?? ZERO, fee: text(big(row.fee ?? ZERO).times(-1)) },
    ...{ venueOrderId: row.ordId, tradeId: row.tradeId ?? null },
  };
}
