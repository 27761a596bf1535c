import type { Decimal } from "#units/decimal";
import type { EventId, OrderId } from "#units/ids";
import type { Horizon, Instant } from "#units/time";
import type { Account } from "./account.ts";
import type { SignedArming } from "./arming.ts";
import type { ControlChange, StoredControl } from "./control.ts";
import type { Instrument, ListedInstrument } from "./instrument.ts";
import type { Bill } from "./ledger/bill.ts";
import type { LedgerEntry } from "./ledger/ledger.ts";
import type { TradingMode } from "./mode.ts";
import type { OrderEvent } from "./orders/order.ts";
import type { OrderBooks, Settlement } from "./orders/settle.ts";
import type { Claim, Move, NewOrder, StoredOrder } from "./orders/stored-order.ts";
import type { LaneFacts } from "./plans/lane.ts";
import type { PlannedBias } from "./plans/plan.ts";
import type { Policy } from "./plans/policy.ts";
import type { Comparison } from "./positions/comparison.ts";
import type { EquityState } from "./positions/equity-state.ts";
import type { FeePrice, UnvaluedFee } from "./positions/fee.ts";
import type { ForeignFill } from "./positions/fill.ts";
import type { OpenPosition } from "./positions/position-row.ts";
import type { Protection } from "./protection/protection.ts";
import type { VenueBalance, VenueFill } from "./venue.ts";

/** One reconciliation: which account, when, and by whom. */
export interface Run {
  readonly account: Account;
  readonly at: Instant;
  readonly by: string;
  readonly policy: Policy;
  readonly barSeconds: number;
}

/** Which facts a plan asks for. */
export interface LaneQuery extends Account {
  readonly at: Instant;
  readonly asset: string;
  readonly instrument: string;
  readonly barSeconds: number;
  /** Bars that opened at or after this. */
  readonly candlesFrom: Instant;
  /** The bias that is planned by, and how many before it are wanted. */
  readonly timeframe: Horizon;
  readonly biasAt: Instant;
  readonly earlier: number;
  /** Whose analyses. */
  readonly eventIds: readonly EventId[];
}

/** Which facts of an account a reconciliation asks for. */
export interface AccountQuery extends Pick<Run, "account" | "at" | "by"> {
  /** Protections that ended before this are left out. */
  readonly endedSince: Instant;
  /** Fees of fills made until this are left out. */
  readonly filledSince: Instant;
}

/** What a reconciliation needs of the books of an account, all of one moment. */
export interface AccountFacts {
  /** How books and venue stand to each other, by instrument. */
  readonly comparisons: readonly Comparison[];
  /** Orders that the venue may hold, by decision and id. */
  readonly atVenue: readonly StoredOrder[];
  /** Orders that are approved and that nobody has claimed, by decision and id. */
  readonly unclaimed: readonly StoredOrder[];
  /**
   * Orders in flight that the job closed at that very time, by id: a repeated run finds them again. A late fill on a dead
   * order does not close it again.
   */
  readonly closed: readonly ClosedOrder[];
  /** Open positions, by instrument. */
  readonly open: readonly OpenPosition[];
  /** Signed contracts by the fills that count, by instrument; one without such fills is absent. */
  readonly held: ReadonlyMap<string, Decimal>;
  /** All that are stored, by id. */
  readonly listed: ReadonlyMap<string, ListedInstrument>;
  /** As `protections` gives them. */
  readonly protections: readonly Protection[];
  /** Fees of fills that count and have no value in USDT, by instrument and trade id. */
  readonly unvalued: readonly UnvaluedFee[];
  /** Fills of no order of ours that count and were made after the last change of the kill switch; by time, instrument and trade id. */
  readonly foreign: readonly ForeignFill[];
  /** When the newest booked fill was made, ours or not; null without one. */
  readonly lastFillAt: Instant | null;
  /** The newest bill; null without one. */
  readonly lastBill: Pick<Bill, "billId" | "at"> | null;
  /** The newest equity at or before that time with the rejects before it; null before the first equity. */
  readonly health: AccountHealth | null;
}

/** What the venue said of one instrument, to be booked. */
export interface Seen {
  readonly instrument: string;
  /** Null = the venue's list does not have it: its fills are kept, and no position is made of them. */
  readonly listed: Instrument | null;
  /** Equity that the position is valued against, in USDT. */
  readonly equity: Decimal;
  /** Of the instrument. Any of them may be booked already. */
  readonly fills: readonly VenueFill[];
  /** Of fees in another currency than USDT, of these fills or of booked ones; a price that is stored stays. */
  readonly feePrices: readonly FeePrice[];
  /** The first comparison of the instrument: what others did from then on counts too; null = there was none yet. */
  readonly since: Instant | null;
  /** Null = the venue shows no position: the last mark stays. */
  readonly mark: Decimal | null;
  /** Orders to settle besides those of new fills. */
  readonly orderIds: readonly OrderId[];
}

export interface Booked {
  /** Signed contracts by the fills that count. */
  readonly held: Decimal;
  /** The position as it is now; null = none is open. */
  readonly open: OpenPosition | null;
  /** New fills that count and are of no order of ours. */
  readonly foreign: readonly ForeignFill[];
  /** Fills on dead orders, and orders filled beyond their size. */
  readonly impossibleFills: number;
}

/** What keeping the ledger came to. */
export interface KeptLedger {
  /** Of this instant, by whichever run kept it first. */
  readonly entry: LedgerEntry;
  /** When the bills explained a balance last, this one or one before it; null = they never did. */
  readonly agreedAt: Instant | null;
  /** Those bills whose subtype is not known, of all that were new. */
  readonly unknown: readonly Bill[];
}

/** An order that a run closed. */
export type ClosedOrder = Pick<
  StoredOrder,
  "id" | "clientOrderId" | "instrument" | "status" | "filledSize" | "errorMessage"
>;

/** Who lifts a kill switch, when and why. */
export type Lift = Omit<ControlChange, "state" | "lifts">;

/** What the triggers of the kill switch look at besides what the run itself found. */
export interface AccountHealth extends EquityState {
  /** Orders that the venue rejected in the last ten minutes. */
  readonly rejects: number;
}

/** Orders decided longer ago than this are not looked through for what a run of one instant has closed. */
export const REPEAT_MS = 2 * 86_400_000;

/**
 * The one port to the books of trading. Each method is one transaction, whole or not at all: it sees what was committed
 * before it and nothing half done. What is decided inside one is decided by the core's pure functions (the moves of an
 * order, a claim, a tightening, a settlement), so that every store decides alike.
 * Implementations: db/trading/store, in SQL; for tests testing/memory/store, which a law holds to the same answers and books.
 */
export interface TradingStore {
  /** Returns the kill switch of a mode. */
  control(mode: TradingMode): Promise<StoredControl>;
  /**
   * Tightens the kill switch, with a new epoch, which voids every order approved before. Returns what it became (the same
   * again for the same actor and instant), or null when it was as tight before. Of two at once the tighter stands.
   */
  tighten(mode: TradingMode, change: ControlChange): Promise<StoredControl | null>;

  /**
   * Lifts a kill switch that is at REDUCING by these causes alone, in the epoch that was read, back to ACTIVE, and notes of
   * each instrument that its cause lifted itself. Returns what it became; null when someone changed it since.
   */
  lift(account: Account, now: Pick<StoredControl, "epoch" | "lifts">, by: Lift): Promise<StoredControl | null>;

  /** Returns the newest arming of a mode that was not taken back, whether it holds or not; null without one. */
  arming(mode: TradingMode): Promise<SignedArming | null>;

  order(id: OrderId): Promise<StoredOrder | null>;
  /** Returns the orders of these client order ids, by client order id. */
  ordersByClientId(ids: readonly string[]): Promise<ReadonlyMap<string, StoredOrder>>;
  /** Returns the mark that an order was decided by, from its policy snapshot; null where it keeps none. */
  decidedMark(id: OrderId): Promise<Decimal | null>;
  /** Returns the orders that are approved and that nobody has claimed, by decision and id. */
  unclaimed(mode: TradingMode): Promise<StoredOrder[]>;
  /** Returns the orders that the venue may hold, by decision and id. */
  ordersAtVenue(mode: TradingMode): Promise<StoredOrder[]>;
  /**
   * Returns the stop orders of an instrument that are in flight, and those of the position opened at `openedAt`, whatever
   * became of them; by decision and id.
   */
  stops(mode: TradingMode, instrument: string, openedAt: Instant): Promise<StoredOrder[]>;
  /** Returns the same of take-profits, for several positions in one statement; of none when it is given none. */
  takeProfits(
    mode: TradingMode,
    positions: readonly Pick<OpenPosition, "instrument" | "openedAt">[],
  ): Promise<StoredOrder[]>;
  /**
   * Writes an order as proposed and then approved or denied, once per client order id: a second call changes nothing.
   * Returns the stored order, which may be further than approved.
   */
  insert(fresh: NewOrder): Promise<StoredOrder>;
  /**
   * Claims an approved order for one POST, with its deadline stored, against the kill switch as it is: a change of epoch
   * comes before the claim or after it. Returns the order when this call won; null when someone else has it, or when it
   * was voided since the switch or the claim's own objection forbids it.
   */
  claim(id: OrderId, claim: Claim): Promise<StoredOrder | null>;
  /**
   * Makes one transition, compare-and-set on status and version, with its event appended. Returns the order after it, or
   * null when someone moved it since it was read. @throws InvalidTransition when the life cycle has no such move.
   */
  move(
    order: Pick<StoredOrder, "id" | "status" | "version">,
    event: OrderEvent,
    move: Move,
  ): Promise<StoredOrder | null>;

  /** Returns the newest bias at or before `at`; null without one. */
  bias(asset: string, timeframe: Horizon, at: Instant): Promise<PlannedBias | null>;
  /** Returns the signed contracts of an instrument by the fills that count. */
  held(account: Account, instrument: string): Promise<Decimal>;
  /** Returns the listed instruments among `ids`, by id. */
  instruments(ids: readonly string[]): Promise<ListedInstrument[]>;
  /** Returns the newest equity before `at`; null without one. */
  equity(account: Account, at: Instant): Promise<EquityState | null>;
  /** Returns what a plan needs of the books, as they were just before `at`. */
  laneFacts(query: LaneQuery): Promise<LaneFacts>;

  /** Returns what a reconciliation needs of the books of an account. */
  accountFacts(query: AccountQuery): Promise<AccountFacts>;
  /** Returns the open positions of an account, by instrument. */
  openPositions(account: Account): Promise<OpenPosition[]>;
  /** Returns how books and venue stand to each other, by instrument. */
  comparisons(account: Account): Promise<Comparison[]>;
  /** Stores how they stand now, each in place of the one that was read; one that another run overtook is left as it is. */
  noteComparisons(account: Account, list: readonly Comparison[]): Promise<void>;
  /** Stores the balance of a run, once: a second run of the same instant changes nothing. */
  recordEquity(run: Run, balance: VenueBalance): Promise<void>;
  /**
   * Books what the venue said of one instrument: fills once each by trade id (one whose client order id is not ours is kept
   * without an order, with the cause by which it counts, or without), then the steps of `settle` for each order of
   * `seen.orderIds` and of a new fill, then the position rows, from fills alone, when one is open or a fill is new. `settle` is
   * pure and may be called again: all is written in one transaction, which begins anew when another run wrote the same in
   * between. A step that someone else overtook ends the steps of its order.
   */
  book(run: Run, seen: Seen, settle: (books: OrderBooks) => Settlement): Promise<Booked>;
  /**
   * Returns the protections of an account that have not ended, and those that ended at or after `since`, by when they were
   * wanted and id.
   */
  protections(account: Account, since: Instant): Promise<Protection[]>;
  /** Stores how they are now, each in place of the version that was read; one that someone else overtook is left as it is. */
  noteProtections(account: Account, list: readonly Protection[]): Promise<void>;
  /**
   * Stores bills once each by id, their funding with the position that it was paid in, and the balance of the run as
   * `entryOf` finds it by every bill since it was explained last. The first of one instant stands.
   */
  keepLedger(run: Pick<Run, "account" | "at">, balance: VenueBalance, bills: readonly Bill[]): Promise<KeptLedger>;
}
