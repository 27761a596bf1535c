import { type Big, big, type Decimal, fixed, text, ZERO } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import type { Instrument } from "../instrument.ts";
import { feeUsd } from "./fee.ts";
import { type Fill, once, signed } from "./fill.ts";

/**
 * One episode of exposure, from flat to flat, from fills alone. A fill that crosses zero ends one and begins the next.
 * Money in the quote currency; `realized` is before fees and funding.
 */
export interface Position {
  /** Trade id of the fill that opened it; unique with the instrument. */
  readonly openedBy: string;
  readonly openedAt: Instant;
  readonly closedAt: Instant | null;
  readonly side: "long" | "short";
  /** Signed contracts held now; "0" once closed. */
  readonly contracts: Decimal;
  /** The most contracts held at once, unsigned. */
  readonly peakContracts: Decimal;
  /** While open the average price of what is held; once closed of all that was opened. 18 places. */
  readonly entryPrice: Decimal;
  /** Average price of what was closed; null before. 18 places. */
  readonly exitPrice: Decimal | null;
  /** What the contracts held now cost, unsigned and exact: unrealized = ±(contracts · contract size · mark − cost). */
  readonly cost: Decimal;
  /** Sum of what was ever opened, in quote. */
  readonly entryNotional: Decimal;
  readonly realized: Decimal;
  /** Fees by the currency they were paid in; negative = rebate. */
  readonly fees: Readonly<Record<string, Decimal>>;
  /** The fills in it, in order, with the size and fee that count here: a fill that flipped is in two episodes. */
  readonly parts: readonly Fill[];
}

interface Building {
  readonly openedBy: string;
  readonly openedAt: Instant;
  readonly direction: 1 | -1;
  contracts: Big;
  peak: Big;
  cost: Big;
  opened: Big;
  openedNotional: Big;
  closed: Big;
  closedNotional: Big;
  realized: Big;
  fees: Record<string, Big>;
  parts: Fill[];
}

const PLACES = 18;

const begin = (fill: Fill, direction: 1 | -1): Building => ({
  openedBy: fill.tradeId,
  openedAt: fill.filledAt,
  direction,
  contracts: big(0),
  peak: big(0),
  cost: big(0),
  opened: big(0),
  openedNotional: big(0),
  closed: big(0),
  closedNotional: big(0),
  realized: big(0),
  fees: {},
  parts: [],
});

/** Books `size` contracts of a fill, with that part of its fee, into an episode: `adds` or takes off. */
function book(into: Building, fill: Fill, size: Big, fee: Big, adds: boolean, contractSize: Decimal): void {
  const notional = size.times(contractSize).times(fill.price);
  if (adds) {
    into.contracts = into.contracts.plus(size);
    into.cost = into.cost.plus(notional);
    into.opened = into.opened.plus(size);
    into.openedNotional = into.openedNotional.plus(notional);
    if (into.contracts.gt(into.peak)) into.peak = into.contracts;
  } else {
    // The part of the cost is rounded once and taken off exactly, so realized + unrealized never drifts.
    const whole = size.eq(into.contracts);
    const part = whole ? into.cost : big(fixed(into.cost.times(size).div(into.contracts), PLACES));
    into.realized = into.realized.plus(notional.minus(part).times(into.direction));
    into.cost = into.cost.minus(part);
    into.contracts = into.contracts.minus(size);
    into.closed = into.closed.plus(size);
    into.closedNotional = into.closedNotional.plus(notional);
  }
  into.fees[fill.feeAsset] = (into.fees[fill.feeAsset] ?? big(0)).plus(fee);
  into.parts.push({ ...fill, size: text(size), fee: text(fee) });
}

function finish(episode: Building, closedAt: Instant | null, contractSize: Decimal): Position {
  const average = (notional: Big, contracts: Big): Decimal =>
    text(fixed(notional.div(contracts.times(contractSize)), PLACES));
  const entry =
    closedAt === null ? average(episode.cost, episode.contracts) : average(episode.openedNotional, episode.opened);
  return {
    openedBy: episode.openedBy,
    openedAt: episode.openedAt,
    closedAt,
    side: episode.direction === 1 ? "long" : "short",
    contracts: text(episode.contracts.times(episode.direction)),
    peakContracts: text(episode.peak),
    entryPrice: entry,
    exitPrice: episode.closed.gt(0) ? average(episode.closedNotional, episode.closed) : null,
    cost: text(episode.cost),
    entryNotional: text(episode.openedNotional),
    realized: text(episode.realized),
    fees: Object.fromEntries(Object.entries(episode.fees).map(([asset, fee]) => [asset, text(fee)])),
    parts: episode.parts,
  };
}

/**
 * Returns the episodes of one instrument's fills, oldest first; only the last may be open. Duplicates count once and
 * the order given never shows. Linear contracts only (quote = USDT): an inverse contract needs another arithmetic.
 */
export function positionsOf(fills: readonly Fill[], contractSize: Decimal): Position[] {
  const done: Position[] = [];
  let open: Building | null = null;
  for (const fill of once(fills)) {
    const direction: 1 | -1 = fill.side === "buy" ? 1 : -1;
    let left = big(fill.size);
    let fee = big(fill.fee);
    if (open !== null && open.direction !== direction) {
      const size = left.lt(open.contracts) ? left : open.contracts;
      const part: Big = size.eq(left) ? fee : big(fixed(fee.times(size).div(left), PLACES));
      book(open, fill, size, part, false, contractSize);
      left = left.minus(size);
      fee = fee.minus(part);
      if (open.contracts.eq(0)) {
        done.push(finish(open, fill.filledAt, contractSize));
        open = null;
      }
    }
    if (left.eq(0)) continue;
    open ??= begin(fill, direction);
    book(open, fill, left, fee, true, contractSize);
  }
  return open === null ? done : [...done, finish(open, null, contractSize)];
}

/** Returns all contracts that were ever opened in a position, unsigned: what was added back after a part was closed counts again. */
export function tradedContracts({ parts, side }: Pick<Position, "parts" | "side">): Decimal {
  const opening = side === "long" ? "buy" : "sell";
  const opened = parts.filter((fill) => fill.side === opening);
  return text(opened.reduce((sum, { size }) => sum.plus(size), big(0)));
}

/** Returns the unrealized result at `mark`, exact; "0" once closed. */
export function unrealizedOf(position: Position, mark: Decimal, contractSize: Decimal): Decimal {
  const held = big(position.contracts);
  const worth = held.abs().times(contractSize).times(mark);
  return text(worth.minus(position.cost).times(held.s < 0 ? -1 : 1));
}

/**
 * Returns the max drawdown of the position's equity from its highest point (at least 0, where it began), over its entry
 * notional, along `marks` and the fills between them. Marks before the opening and after the close are left out,
 * and fees that have no value.
 */
export function maxDrawdownOf(
  { parts, entryNotional }: Pick<Position, "parts" | "entryNotional">,
  marks: readonly { readonly at: Instant; readonly mark: Decimal }[],
  contractSize: Decimal,
): Decimal {
  let cash = big(0);
  let contracts = big(0);
  let peak = big(0);
  let worst = big(0);
  const look = (mark: Decimal) => {
    const equity = cash.plus(contracts.times(contractSize).times(mark));
    if (equity.gt(peak)) peak = equity;
    if (peak.minus(equity).gt(worst)) worst = peak.minus(equity);
  };
  const [first] = parts;
  if (!first || big(entryNotional).eq(0)) return ZERO;
  const path = marks.filter((mark) => mark.at >= first.filledAt).toSorted((a, b) => (a.at < b.at ? -1 : 1));
  let next = 0;
  for (const fill of parts) {
    for (let mark = path[next]; mark !== undefined && mark.at < fill.filledAt; mark = path[++next]) look(mark.mark);
    contracts = contracts.plus(signed(fill));
    cash = cash.minus(signed(fill).times(contractSize).times(fill.price)).minus(feeUsd(fill) ?? 0);
    look(fill.price);
  }
  if (!contracts.eq(0)) for (let mark = path[next]; mark !== undefined; mark = path[++next]) look(mark.mark);
  return text(fixed(worst.div(entryNotional), 6));
}

/** Returns milliseconds from opening to close, or to `at` while open; 0 where the venue's clock is ahead of `at`. */
export const heldFor = (position: Position, at: Instant): number =>
  Math.max(0, millis(position.closedAt ?? at) - millis(position.openedAt));

/**
 * Returns the loss at the stop in quote: from the average entry, with the fee and slippage of the way out; without a
 * stop the whole notional. "0" when flat; never below 0 before costs.
 */
export function riskUsdOf(
  position: Pick<Position, "contracts" | "cost">,
  stop: Decimal | null,
  contractSize: Instrument["contractSize"],
  exitCostBps: Decimal,
): Decimal {
  const held = big(position.contracts);
  if (held.eq(0)) return ZERO;
  if (stop === null) return position.cost;
  const atStop = held.abs().times(contractSize).times(stop);
  const loss = held.gt(0) ? big(position.cost).minus(atStop) : atStop.minus(position.cost);
  return text((loss.gt(0) ? loss : big(0)).plus(atStop.times(exitCostBps).div(10_000)));
}
