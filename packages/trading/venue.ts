import type { Candle } from "#units/candle";
import type { Decimal } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Assertion } from "./account-check.ts";
import type { Instrument } from "./instrument.ts";
import type { Bill } from "./ledger/bill.ts";

/** A contract as the venue lists it at this moment. */
export interface Listing {
  /** Null = its terms are none that the desk trades. */
  readonly terms: Instrument | null;
  /** "live"; else why it is not traded, in the venue's word: "suspend", "preopen", "rebase" … */
  readonly state: string;
  /** Announced changes of its terms: which parameter, to what, and from when on. */
  readonly changes: readonly { readonly what: string; readonly to: string; readonly at: Instant }[];
}

/** Public market data of a venue. Both implementations speak OKX v5 through ccxt. */
export interface Market {
  /** Returns the venue's clock. */
  now(): Promise<Instant>;
  /** Returns the listed USDT swaps among `ids`; an id that the venue does not list is absent. */
  instruments(ids: readonly string[]): Promise<Instrument[]>;
  /** Returns closed bars that opened at or after `since`, ascending, at most `limit` (≤ 300). Gaps stay gaps. */
  candles(instrument: string, barSeconds: number, since: Instant, limit: number): Promise<Candle[]>;
}

export type Side = "buy" | "sell";
export type OrderType = "market" | "ioc";

/** What is sent once. `expiresAt` was stored when the order was claimed; the venue refuses it later (OKX `expTime`). */
export interface Submission {
  readonly clientOrderId: string;
  readonly instrument: string;
  readonly side: Side;
  /**
   * `optimal` = at market, within the venue's price limit; what it cannot take at once is canceled. `whole` = the venue closes all
   * that it holds of the instrument when the request arrives, whatever `size` says, and cancels what waits to close it.
   */
  readonly type: OrderType | "optimal" | "whole";
  /** Contracts, a multiple of the lot. */
  readonly size: Decimal;
  /** Limit of an `ioc`; null for the others. */
  readonly price: Decimal | null;
  readonly reduceOnly: boolean;
  readonly expiresAt: Instant;
  /** A stop that the venue makes of it once it is filled completely, at market, by the mark. It is not reduce-only. */
  readonly stop?: Pick<StopSubmission, "stopId" | "trigger">;
}

/**
 * What a submission came to, by what the caller may do next. `unknown` = the venue may or may not hold the order: it is
 * never sent again, only looked up. `busy` = surely not accepted, may be sent again before `expiresAt`. `flat` = rejected,
 * since there is nothing, or less, to reduce: the books are behind the venue. `frozen` = rejected, since the venue
 * restrains the account or the instrument. `halt` = rejected, since key or account are not what the desk assumes.
 */
export type SubmitReply =
  | { readonly kind: "accepted"; readonly venueOrderId: string }
  | { readonly kind: "exists" }
  | { readonly kind: "rejected"; readonly code: string; readonly reason: string }
  | { readonly kind: "flat"; readonly code: string; readonly reason: string }
  | { readonly kind: "expired"; readonly code: string }
  | { readonly kind: "busy"; readonly code: string }
  | { readonly kind: "frozen"; readonly code: string; readonly reason: string }
  | { readonly kind: "halt"; readonly code: string; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** A stop of what is held of an instrument when it is triggered, at market, by the mark. It can only reduce. */
export interface StopSubmission {
  /** The desk's id of it; the order that it places when it is triggered has it for its client order id. */
  readonly stopId: string;
  readonly instrument: string;
  readonly side: Side;
  /** On the venue's tick. */
  readonly trigger: Decimal;
  /** Contracts; absent = whatever is held then. */
  readonly size?: Decimal;
}

/** As a stop, on the other side of the price: it closes a part at a profit. */
export type TakeProfitSubmission = StopSubmission & { readonly size: Decimal };

/** A conditional order that waits at the venue, ours or not. */
export interface VenueStop {
  readonly algoId: string;
  /** The id that was given to it; null for one without. */
  readonly stopId: string | null;
  readonly instrument: string;
  readonly side: Side;
  readonly trigger: Decimal;
  readonly triggerBy: "last" | "mark" | "index";
  /** Of the whole position as it is when it is triggered, not of a size. */
  readonly isWhole: boolean;
  /** Contracts; null for one of the whole position. */
  readonly size: Decimal | null;
  readonly isReduceOnly: boolean;
  readonly isMarket: boolean;
  /** Since when it waits, by the venue's clock. */
  readonly placedAt: Instant;
}

/** What became of a conditional order, by the venue. Times are of its clock. */
export interface StopFate {
  /** `effective` = it was triggered and placed its order; `failed` = it was triggered and its order was refused. */
  readonly state: "waiting" | "effective" | "canceled" | "failed";
  readonly algoId: string;
  /** The venue's id of the order that it placed; null without one. */
  readonly childOrderId: string | null;
  /** The venue's code for why it failed; null = it did not. */
  readonly reason: string | null;
  readonly placedAt: Instant;
  readonly changedAt: Instant;
}

/**
 * What placing, moving or ending a stop came to, by what the caller may do next. `exists` = one of this id, or of the whole
 * position, is there. `passed` = the trigger's price is reached: close now. `flat` = nothing is held to be covered. `gone` =
 * it was triggered or ended meanwhile. `busy` = surely not accepted; `unknown` = maybe: either may be sent again, as a stop
 * can open nothing and the venue keeps one per position. The others are as of a submission.
 */
export type StopReply =
  | { readonly kind: "accepted" }
  | {
      readonly kind: "exists" | "passed" | "flat" | "gone" | "busy" | "rejected" | "frozen" | "halt" | "unknown";
      readonly code: string | null;
      readonly reason: string;
      /** No stop of the whole position is taken here; those of a size may be. */
      readonly onlySized?: true;
    };

export type VenueOrderState = "open" | "partially_filled" | "filled" | "canceled";

/** An order that a stop placed has that stop's id for its client order id; so have its fills. */
export interface VenueOrder {
  readonly clientOrderId: string | null;
  readonly venueOrderId: string;
  readonly instrument: string;
  readonly side: Side;
  readonly state: VenueOrderState;
  readonly size: Decimal;
  readonly filledSize: Decimal;
  readonly averagePrice: Decimal | null;
  readonly updatedAt: Instant;
}

/** What a venue does to a position by itself. */
export type VenueCause = "liquidation" | "adl" | "delivery";

/** One execution. `fee` is a cost: positive when paid, negative when the venue pays a rebate. */
export interface VenueFill {
  readonly tradeId: string;
  readonly venueOrderId: string;
  readonly clientOrderId: string | null;
  readonly instrument: string;
  readonly side: Side;
  /** Contracts, above 0. */
  readonly size: Decimal;
  readonly price: Decimal;
  readonly fee: Decimal;
  readonly feeAsset: string;
  readonly liquidity: "maker" | "taker";
  readonly filledAt: Instant;
  /** Why the venue made it by itself; absent = somebody's order did. */
  readonly cause?: VenueCause;
}

/** A net-mode position: contracts signed by side; zero positions are absent. */
export interface VenuePosition {
  readonly instrument: string;
  readonly contracts: Decimal;
  readonly averagePrice: Decimal;
  readonly markPrice: Decimal;
  readonly unrealizedPnl: Decimal;
  /** When it was changed last. */
  readonly updatedAt: Instant;
}

export interface VenueBalance {
  /** USDT, unrealized included. */
  readonly equity: Decimal;
  /** The part of it that bills add up to; the rest is what is not realized. */
  readonly cash: Decimal;
  readonly available: Decimal;
}

/** Bid, ask and mark of one instrument at the venue's clock. */
export interface Quote {
  readonly instrument: string;
  readonly bid: Decimal;
  readonly ask: Decimal;
  readonly mark: Decimal;
  readonly at: Instant;
}

/** Prices outside of which the venue takes no order of an instrument now: the highest of a buy, the lowest of a sell. */
export interface PriceLimit {
  readonly buy: Decimal;
  readonly sell: Decimal;
}

/**
 * The one port to a trading venue. Every query throws on a transport failure: a failed query is never an empty answer.
 * Implementations: ccxt's okx against OKX, and the same code against the paper venue.
 */
export interface Exchange {
  /** "okx" or "paper": stored with each order. */
  readonly venue: string;
  now(): Promise<Instant>;
  /** Returns what start-up asserts of the key, its account and the venue, with `instrument` as the one to trade. */
  assertions(instrument: string): Promise<Assertion[]>;
  /** Sends once; never throws for what the venue or the network did: that is the reply. */
  submit(order: Submission): Promise<SubmitReply>;
  /** Returns whether the venue took the cancel; false when the order was already closed or not found. */
  cancel(instrument: string, clientOrderId: string): Promise<boolean>;
  /** Returns the newest order of that id, or null when the venue says that it does not exist. */
  order(instrument: string, clientOrderId: string): Promise<VenueOrder | null>;
  openOrders(): Promise<VenueOrder[]>;
  /** Places a stop. Like the two after it, it never throws for what the venue or the network did: that is the reply. */
  placeStop(stop: StopSubmission): Promise<StopReply>;
  /** Returns the most contracts that one stop of an instrument may close; null = the venue names no bound. */
  stopLimit(instrument: string): Promise<Decimal | null>;
  /** Returns the most contracts of one market order; null as above. */
  marketLimit(instrument: string): Promise<Decimal | null>;
  /** Moves the trigger of a stop that waits. */
  moveStop(instrument: string, algoId: string, trigger: Decimal): Promise<StopReply>;
  /** Places a take-profit of a size. */
  placeTakeProfit(leg: TakeProfitSubmission): Promise<StopReply>;
  /** Changes the size of a stop or take-profit that has one, and waits. */
  resizeStop(instrument: string, algoId: string, size: Decimal): Promise<StopReply>;
  /** Ends a stop or take-profit that waits. */
  cancelStop(instrument: string, algoId: string): Promise<StopReply>;
  /** Returns the stops that wait at the venue, of every instrument, by id; all pages. Take-profits are not among them. */
  stops(): Promise<VenueStop[]>;
  /** Returns what became of a stop, by the venue's id or by the one that was given to it; null = the venue says there is none. */
  stopFate(stop: { readonly stopId: string; readonly algoId: string | null }): Promise<StopFate | null>;
  /** Returns the take-profits that wait at the venue, of every instrument, without those that are a stop as well; all pages. */
  takeProfits(): Promise<VenueStop[]>;
  /**
   * Returns the fills that the venue recorded at or after `since`, ascending by time and trade id; all pages. A fill may be
   * recorded long after it was made, and so may be older than `since`.
   */
  fills(since: Instant): Promise<VenueFill[]>;
  /** Returns the fills of one order of the last three months, ascending by time and trade id. */
  fillsOf(instrument: string, venueOrderId: string): Promise<VenueFill[]>;
  positions(): Promise<VenuePosition[]>;
  balance(): Promise<VenueBalance>;
  /**
   * Returns the bills after one that was seen, ascending by id; all pages, at most of three months. Null = those of the last
   * seven days.
   */
  bills(after: Pick<Bill, "billId" | "at"> | null): Promise<Bill[]>;
  quote(instrument: string): Promise<Quote>;
  /** Returns the price limit of an instrument; null where the venue has none of it now. */
  priceLimit(instrument: string): Promise<PriceLimit | null>;
  /** Returns the leverage that the venue margins an instrument at. */
  leverage(instrument: string): Promise<Decimal>;
  /** Sets it; returns whether the venue took it: it does not while orders wait. */
  setLeverage(instrument: string, leverage: Decimal): Promise<boolean>;
  /** Returns the index price of a currency in USDT at the beginning of the minute of `at`; null where there is none. */
  indexPrice(asset: string, at: Instant): Promise<Decimal | null>;
  /** Returns an instrument as it is listed now; null when the venue does not list it. */
  listing(instrument: string): Promise<Listing | null>;
}
