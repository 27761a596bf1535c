import type { Candle } from "#units/candle";
import { big, type Decimal, decimalOf, fixed, text, ZERO } from "#units/decimal";
import { idOf, type OrderId, type PositionId, type WalletId } from "#units/ids";
import { type Instant, instant, millis } from "#units/time";
import type { Account } from "../account.ts";
import type { Instrument } from "../instrument.ts";
import type { Policy } from "../plans/policy.ts";
import { feesOf } from "./fee.ts";
import { heldFor, maxDrawdownOf, type Position, riskUsdOf, unrealizedOf } from "./position.ts";

/** An open position as stored. */
export interface OpenPosition {
  readonly id: PositionId;
  readonly instrument: string;
  readonly asset: string;
  readonly openedAt: Instant;
  /** Signed. */
  readonly contracts: Decimal;
  readonly stopPrice: Decimal | null;
  /** Loss at the stop over equity, at the last reconciliation. */
  readonly riskConsumed: Decimal;
}

/** What a position is valued by. */
export interface Marking {
  readonly at: Instant;
  /** Null = the venue shows no position: the last mark stays. */
  readonly mark: Decimal | null;
  readonly equity: Decimal;
  /** Width of the stored bars that the drawdown is measured along. */
  readonly barSeconds: number;
  /** False leaves the stored drawdown of an open position: measuring it reads every bar since the opening. */
  readonly measure: boolean;
}

/** What the order behind a fill said: its stop, and the wallet that signalled. */
export interface OrderFacts {
  readonly stopLoss: Decimal | null;
  readonly walletId: WalletId | null;
}

/** A funding payment: positive = received. */
export interface FundingPayment {
  readonly at: Instant;
  readonly amount: Decimal;
}

export interface RowInput {
  readonly account: Account;
  readonly instrument: Instrument;
  readonly episode: Position;
  /** Its place among the instrument's episodes, from 0. */
  readonly ordinal: number;
  /** By order id. */
  readonly facts: ReadonlyMap<OrderId, OrderFacts>;
  /** Of the instrument; those of other episodes do not count. */
  readonly funding: readonly FundingPayment[];
  /** Closed bars from the opening on, ascending; null = the drawdown is not measured. */
  readonly candles: readonly Candle[] | null;
  readonly marking: Marking;
  readonly policy: Pick<Policy, "takerFeeBps" | "exitSlippageBps">;
}

/** A position as it is to be stored. Null drawdown, and null mark of an open position: what is stored stays. */
export interface PositionRow {
  readonly id: PositionId;
  readonly openedAt: Instant;
  readonly closedAt: Instant | null;
  readonly tradingMode: Account["mode"];
  readonly exchange: string;
  readonly asset: string;
  readonly instrument: string;
  readonly side: Position["side"];
  readonly entryPrice: Decimal;
  readonly exitPrice: Decimal | null;
  /** In the asset: held now, or once closed the most that was held. */
  readonly size: Decimal;
  readonly leverage: Decimal;
  readonly contracts: Decimal;
  readonly unrealizedPnl: Decimal;
  readonly realizedPnl: Decimal;
  /** Those that have a value in USDT. */
  readonly feesPaid: Decimal;
  /** Whether a fee has none: `feesPaid` is then not all. */
  readonly feesUnvalued: boolean;
  readonly fundingPaid: Decimal;
  readonly maxDrawdown: Decimal | null;
  readonly holdingTime: string;
  readonly riskConsumed: Decimal;
  readonly signalWalletId: WalletId | null;
  readonly markPrice: Decimal | null;
  readonly stopPrice: Decimal | null;
  readonly updatedAt: Instant;
}

const money = (value: Decimal): Decimal => text(fixed(value, 8));
const atMost = (value: Decimal, most: Decimal): Decimal => (big(value).gt(most) ? most : text(value));

/**
 * Returns the row id of an instrument's episode by its place among all that the instrument has had, from 0, archived ones
 * before the others: fills that arrive in any order give the same rows.
 */
export const positionId = (account: Account, instrument: string, ordinal: number): PositionId =>
  idOf("position", account.mode, account.venue, instrument, String(ordinal));

/** Returns whether a stored row says of a closed episode what its fills say: it is over, and nothing moves it. */
export const isSettled = (
  stored: {
    readonly openedAt: Instant;
    readonly closedAt: Instant | null;
    readonly realizedPnl: Decimal | null;
    readonly feesPaid: Decimal | null;
    readonly feesUnvalued: boolean;
  },
  episode: Position,
): boolean =>
  episode.closedAt !== null &&
  stored.openedAt === episode.openedAt &&
  stored.closedAt === episode.closedAt &&
  stored.realizedPnl === money(episode.realized) &&
  isSame(stored, paidIn(episode));

/** Returns the fees of an episode as its row has them. */
function paidIn({ parts }: Position): Pick<PositionRow, "feesPaid" | "feesUnvalued"> {
  const { usd, unvalued } = feesOf(parts);
  return { feesPaid: money(usd), feesUnvalued: Object.keys(unvalued).length > 0 };
}

const isSame = (
  stored: { readonly feesPaid: Decimal | null; readonly feesUnvalued: boolean },
  paid: ReturnType<typeof paidIn>,
): boolean => stored.feesPaid === paid.feesPaid && stored.feesUnvalued === paid.feesUnvalued;

/** Returns the row of an episode of fills, valued by `marking`. */
export function positionRow(input: RowInput): PositionRow {
  const { account, instrument, episode, ordinal, marking, policy } = input;
  const { contractSize } = instrument;
  const isOpen = episode.closedAt === null;
  const facts = episode.parts.flatMap((fill) => (fill.orderId === null ? null : input.facts.get(fill.orderId)) ?? []);
  // The newest order that set a stop rules the whole position.
  const stopPrice = facts.findLast((fact) => fact.stopLoss !== null)?.stopLoss ?? null;
  const costs = text(big(policy.takerFeeBps).plus(policy.exitSlippageBps));
  const risk = big(riskUsdOf(episode, stopPrice, contractSize, costs));
  const equity = big(marking.equity);
  const mark = marking.mark ?? episode.entryPrice;
  const notional = big(episode.contracts).abs().times(contractSize).times(mark);
  const leverage = equity.gt(0) && isOpen ? fixed(notional.div(equity), 2) : ZERO;
  const size = big(isOpen ? episode.contracts : episode.peakContracts).abs();
  return {
    id: positionId(account, instrument.id, ordinal),
    openedAt: episode.openedAt,
    closedAt: episode.closedAt,
    tradingMode: account.mode,
    exchange: account.venue,
    asset: instrument.asset,
    instrument: instrument.id,
    side: episode.side,
    entryPrice: episode.entryPrice,
    exitPrice: episode.exitPrice,
    size: text(size.times(contractSize)),
    leverage: big(leverage).gt(0) ? leverage : decimalOf("1"),
    contracts: episode.contracts,
    unrealizedPnl: isOpen ? money(unrealizedOf(episode, mark, contractSize)) : ZERO,
    realizedPnl: money(episode.realized),
    ...paidIn(episode),
    fundingPaid: fundingPaid(episode, input.funding),
    maxDrawdown: drawdown(input),
    holdingTime: `${heldFor(episode, marking.at) / 1000} seconds`,
    riskConsumed: equity.gt(0) ? atMost(decimalOf(risk.div(equity).toFixed(6)), decimalOf("999")) : ZERO,
    signalWalletId: facts[0]?.walletId ?? null,
    markPrice: isOpen ? marking.mark : null,
    stopPrice,
    updatedAt: marking.at,
  };
}

/** Returns the funding paid during an episode: positive = paid. What falls on the opening itself is not its. */
export function fundingPaid(
  { openedAt, closedAt }: Pick<Position, "openedAt" | "closedAt">,
  payments: readonly FundingPayment[],
): Decimal {
  const during = payments.filter(({ at }) => at > openedAt && (closedAt === null || at <= closedAt));
  const paid = during.reduce((sum, { amount }) => sum.minus(amount), big(0));
  return money(text(paid));
}

/** Returns the maximal drawdown of an episode along the closes of the bars that it lived through. */
function drawdown({ instrument, episode, marking, candles }: RowInput): Decimal | null {
  if (candles === null) return null;
  const marks = candles.map(({ openedAt, close }) => ({
    at: instant(millis(openedAt) + marking.barSeconds * 1000),
    mark: close,
  }));
  return atMost(fixed(maxDrawdownOf(episode, marks, instrument.contractSize), 4), decimalOf("99999999"));
}
