import { whyNoTrade } from "#trading/plans/no-trade";
import { policyOf } from "#trading/plans/policy";
import { big } from "#units/decimal";
import { type Horizon, type Instant, instant, millis } from "#units/time";
import { type MetricRecords, metricsOf } from "./metrics.ts";
import type {
  BiasLine,
  CredibilityLine,
  Denial,
  EventLine,
  OrderLine,
  PositionLine,
  Report,
  Scope,
  WalletLine,
} from "./report.ts";
import { NEUTRAL } from "./report.ts";

/** What a report is made of: the rows of its period, every list in the order of its key. */
export interface ReportRecords extends Omit<MetricRecords, "events" | "orders" | "positions">, Pick<Report, "trading"> {
  readonly scope: Scope;
  /** Of a run: the instant after its last block that the biases, the scores and the evidence are of. Null: the period's end. */
  readonly marketAt: Instant | null;
  readonly biases: readonly BiasLine[];
  readonly evidence: Report["evidence"];
  /** Assets that have an instrument, sorted. */
  readonly tradedAssets: readonly string[];
  readonly events: readonly EventLine[];
  /** Wallets whose score changed in the period. */
  readonly wallets: readonly WalletLine[];
  /** Every plan of the period that became an order row; of denied ones each that was another verdict than the one before. */
  readonly orders: readonly OrderLine[];
  readonly positions: readonly PositionLine[];
  /** Denials from before the period that stood when it began: no order of their instrument came after them. */
  readonly standing: readonly OrderLine[];
}

/** What tells why an asset was not traded. */
export interface TradeRecords
  extends Pick<ReportRecords, "biases" | "evidence" | "tradedAssets" | "orders" | "standing"> {
  readonly scope: Pick<Scope, "policy">;
}

/** What is given may say more, such as the account. */
const shownOf = ({ notAfter, by, maxNotionalUsd, maxDailyLossUsd, problem }: NonNullable<Report["arming"]>) => ({
  ...{ notAfter, by, maxNotionalUsd, maxDailyLossUsd, problem },
});

const NOTABLE = 10;
const MOVERS = 5;

/**
 * Returns the report of a period, with the arming of a live desk as it then is. The same records give the same report, in
 * whatever order they come.
 */
export function composeReport(records: ReportRecords, arming: Report["arming"] = null): Report {
  const { timeframe } = policyOf(records.scope);
  const moved = movesOf(records.wallets);
  return {
    scope: records.scope,
    asOf: asOf(records),
    trading: records.trading,
    arming: arming && shownOf(arming),
    evidence: records.evidence,
    biases: [...records.biases].sort(byStrength(records.biases, timeframe)),
    events: [...records.events].sort(byPush).slice(0, NOTABLE),
    walletsUp: movers(moved.filter(({ move }) => move > 0)),
    walletsDown: movers(moved.filter(({ move }) => move < 0)),
    orders: records.orders.filter((order) => order.status !== "denied").sort(byTime),
    denials: denials(records.orders.filter((order) => order.status === "denied")),
    noTrade: noTrade(records),
    positions: [...records.positions].sort(byOpening),
    metrics: metricsOf(records),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What moved a bias most comes first; then what was worth most; then unpriced. */
function byPush(a: EventLine, b: EventLine): number {
  const push = Math.abs(b.push ?? 0) - Math.abs(a.push ?? 0);
  if (push !== 0) return push;
  return big(b.notionalUsd ?? -1).cmp(a.notionalUsd ?? -1) || compare(a.at, b.at) || compare(a.id, b.id);
}

const TIMEFRAMES = ["1h", "4h", "24h"];

/** The asset that leans most on the traded timeframe, with the most confidence, comes first; its timeframes follow in order. */
function byStrength(biases: readonly BiasLine[], traded: Horizon): (a: BiasLine, b: BiasLine) => number {
  const strength = new Map<string, number>();
  for (const { asset, value, confidence, timeframe } of biases) {
    if (timeframe === traded) strength.set(asset, Math.abs(value) * (confidence ?? 0));
  }
  return (a, b) =>
    (strength.get(b.asset) ?? 0) - (strength.get(a.asset) ?? 0) ||
    compare(a.asset, b.asset) ||
    TIMEFRAMES.indexOf(a.timeframe) - TIMEFRAMES.indexOf(b.timeframe);
}

/** Returns the instant that biases are of: that of the newest; null of none. */
export const latestAt = (biases: readonly Pick<BiasLine, "at">[]): Instant | null =>
  biases.reduce<Instant | null>((most, { at }) => (most === null || at > most ? at : most), null);

/** A period is half open, so its last instant is the millisecond before its end. */
function asOf({ scope, biases, marketAt }: ReportRecords): Report["asOf"] {
  const newest = latestAt(biases);
  return {
    bias: newest === null ? null : (marketAt ?? newest),
    rest: scope.type === "run" ? instant(millis(scope.end) - 1) : scope.end,
  };
}

/**
 * Returns why each traded asset without an order was not traded, by asset: the first gap between it and an order.
 * `orders` are those of the time that is asked about, denied ones included; `standing` are the denials that stood before.
 */
export function noTrade({ scope, biases, evidence, tradedAssets, orders, standing }: TradeRecords): Report["noTrade"] {
  const policy = policyOf(scope);
  const { has, needs } = evidence.find(({ horizon }) => horizon === policy.timeframe) ?? { has: 0, needs: 0 };
  const placed = new Set(orders.filter(({ status }) => status !== "denied").map(({ asset }) => asset));
  return tradedAssets
    .filter((asset) => !placed.has(asset))
    .map((asset) => {
      const bias = biases.find((line) => line.asset === asset && line.timeframe === policy.timeframe) ?? null;
      const denied =
        [...standing, ...orders]
          .filter((order) => order.asset === asset)
          .sort(byTime)
          .at(-1)?.why.denied ?? [];
      return whyNoTrade({ asset, bias, bets: { has, needs }, denied }, policy);
    });
}

interface Moved {
  readonly line: WalletLine;
  readonly move: number;
}

/** How far each wallet's credibility moved; where the desk knew nothing of any of them yet, how far until outcomes had settled. */
function movesOf(wallets: readonly WalletLine[]): Moved[] {
  const moved = wallets.map((line) => ({ line, move: moveOf(line, ({ score }) => score) }));
  if (moved.some(({ move }) => move !== 0)) return moved;
  return wallets.map((line) => ({ line, move: moveOf(line, ({ score, settled }) => settled?.score ?? score) }));
}

/** The largest change of a wallet's credibility over the horizons, signed. */
function moveOf({ credibility }: WalletLine, scoreOf: (line: CredibilityLine) => number): number {
  const moves = credibility.map((line) => scoreOf(line) - (line.previous ?? NEUTRAL));
  return moves.reduce((largest, move) => (Math.abs(move) > Math.abs(largest) ? move : largest), 0);
}

const movers = (moved: readonly Moved[]): WalletLine[] =>
  [...moved]
    .sort((a, b) => Math.abs(b.move) - Math.abs(a.move) || compare(a.line.wallet.address, b.line.wallet.address))
    .slice(0, MOVERS)
    .map(({ line }) => line);

const byTime = (a: OrderLine, b: OrderLine): number => compare(a.decidedAt, b.decidedAt) || compare(a.id, b.id);
const byOpening = (a: PositionLine, b: PositionLine): number => compare(a.openedAt, b.openedAt) || compare(a.id, b.id);

function denials(orders: readonly OrderLine[]): Denial[] {
  const groups = new Map<string, Denial>();
  for (const { instrument, side, why, decidedAt } of orders) {
    const key = JSON.stringify([instrument, side, why.denied]);
    const group = groups.get(key) ?? { instrument, side, denied: why.denied, count: 0, lastAt: decidedAt };
    const lastAt = compare(decidedAt, group.lastAt) > 0 ? decidedAt : group.lastAt;
    groups.set(key, { ...group, count: group.count + 1, lastAt });
  }
  return [...groups].sort(([a, x], [b, y]) => y.count - x.count || compare(a, b)).map(([, group]) => group);
}
