import * as z from "zod";
import type { TradingMode } from "#trading/mode";
import { byTime, once } from "#trading/positions/fill";
import { type Position, positionsOf, riskUsdOf } from "#trading/positions/position";
import { actOf, type Counted, stepsOf } from "#trading/positions/step";
import { big, Decimal, fixed, text, ZERO } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { Instant, millis } from "#units/time";
import { eventLine, type OrderEventRow } from "./event-line.ts";
import type { Explanation, LimitLine, ProtectionLine, ResultLine, StopLine } from "./explanation.ts";
import { netUsdOf } from "./net.ts";
import { orderText, orderWhy } from "./order-text.ts";
import { legTexts, stopText } from "./phrase.ts";
import type { OrderLine, PositionLine } from "./report.ts";
import { stepsOf as sizingSteps } from "./steps.ts";

/** What an order of a position said: how it was sent, and which stop it set. */
export interface OrderFact {
  readonly type: string;
  readonly stopLoss: Decimal | null;
}

/** What an explanation is made of. */
export interface ExplainRecords {
  readonly line: OrderLine;
  readonly mode: TradingMode;
  readonly venue: string;
  readonly clientOrderId: string;
  readonly venueOrderId: string | null;
  /** The whole snapshot, without the bias's components. */
  readonly snapshot: unknown;
  /** Of the bias in the snapshot; null where it kept none. */
  readonly modelVersion: string | null;
  readonly contractSize: Decimal | null;
  /** Of the instrument: from when it was last flat before the order to when it was flat next, or to now. */
  readonly fills: readonly Counted[];
  /** Of the orders of those fills. */
  readonly facts: ReadonlyMap<OrderId, OrderFact>;
  readonly events: readonly OrderEventRow[];
  /** Of the position that the order moved, the first wanted first. */
  readonly protections: readonly ProtectionLine[];
  /** The stored row of the position that the order moved; null = the books have none. */
  readonly result: Omit<ResultLine, "netUsd"> | null;
  /** The same position as it is listed, while it is open; else null. */
  readonly open: PositionLine | null;
}

const Contracts = z.record(z.string(), Decimal);
const Text = z.union([z.string(), z.number()]).transform(String);

/** A policy snapshot, as much of it as a release has kept. Source: `snapshotOf` in packages/trading/plans/plan.ts. */
const Snapshot = z.object({
  at: Instant.nullish(),
  git_sha: z.string().nullish(),
  policy: z.record(z.string(), Text).nullish(),
  control: z.object({ state: z.string(), epoch: z.number() }).nullish(),
  equity: z.object({ now: Decimal }).nullish(),
  bias: z.object({ at: Instant.nullish() }),
  quote: z.object({ bid: Decimal, ask: Decimal, mark: Decimal }).nullish(),
  sizing: z.object({
    ...{ s: z.number(), phase: z.string().nullish(), credibilityFactor: z.number().nullish() },
    ...{ bounds: Contracts.default({}), orderBounds: Contracts.default({}) },
    ...{ held: Decimal.nullish(), target: Decimal.nullish(), trade: Decimal.nullish() },
  }),
  limits: z
    .array(z.object({ name: z.string(), limit: Decimal, used: Decimal, headroom: Decimal, ok: z.boolean() }))
    .default([]),
  past: z.object({ earlier: z.array(z.number()) }).nullish(),
});
type Snapshot = z.infer<typeof Snapshot>;

/** The limits of a policy that say when a position is opened, resized or closed. */
const THRESHOLDS =
  /^(enter|exit|deadBand|(open|grow|shrink)(Band|Share)|orderGapSeconds|minHoldSeconds|closeLooks|edge|timeframe)$/;

/**
 * Returns everything that is known of an order, from what the books keep of it.
 * @throws ZodError for a snapshot of another shape
 */
export function explainOrder(records: ExplainRecords): Explanation {
  const { line, fills, contractSize, result } = records;
  const snapshot = records.snapshot === null ? null : Snapshot.parse(records.snapshot);
  const around = contractSize === null ? null : positionsAround(line.id, line.decidedAt, fills, contractSize);
  const costsBps = wayOutBps(snapshot);
  const stopOf = (position: Position | null): StopLine | null =>
    position === null || contractSize === null ? null : stopLine(position, records.facts, contractSize, costsBps);
  return {
    ...{ text: orderText(line), whyText: orderWhy(line), order: line },
    ...{ mode: records.mode, venue: records.venue },
    ...{ clientOrderId: records.clientOrderId, venueOrderId: records.venueOrderId },
    decision: snapshot === null ? null : decisionOf(snapshot, line),
    ...{ steps: sizingSteps(records.snapshot), modelVersion: records.modelVersion },
    sizing: sizingOf(snapshot),
    limits: limitLines(snapshot?.limits ?? []),
    limitsApply: snapshot !== null && !line.reduceOnly,
    stop: { before: stopOf(around?.before ?? null), after: stopOf(around?.after ?? null) },
    edge: edgeOf(snapshot, line),
    events: records.events.map(eventLine),
    protections: [...records.protections],
    waiting: records.open === null ? [] : [stopText(records.open), ...legTexts(records.open)],
    unprotectedSeconds: withoutStop(records.protections),
    episode: episodeOf(fills, records.facts),
    result: result === null ? null : { ...result, netUsd: netUsdOf(result) },
    resultR: result === null || contractSize === null ? null : inRisk(netUsdOf(result), records, contractSize),
    ownRealizedUsd: around === null ? null : realizedBy(around),
  };
}

interface Around {
  /** Open before the order's first fill, and after its last; null = flat. */
  readonly before: Position | null;
  readonly after: Position | null;
  /** Realized by everything up to each of the two. */
  readonly realizedBefore: Decimal;
  readonly realizedAfter: Decimal;
}

/** Returns the position on both sides of an order; of one without a fill, as it was at the decision, twice. */
function positionsAround(id: OrderId, at: Instant, fills: readonly Counted[], contractSize: Decimal): Around {
  const sorted = once(fills);
  const own = sorted.filter(({ orderId }) => orderId === id);
  const [first, last] = [own[0], own.at(-1)];
  const until = (is: (fill: (typeof sorted)[number]) => boolean) => positionsOf(sorted.filter(is), contractSize);
  const before = until(first === undefined ? ({ filledAt }) => filledAt <= at : (fill) => byTime(fill, first) < 0);
  const after = last === undefined ? before : until((fill) => byTime(fill, last) <= 0);
  const open = (list: readonly Position[]): Position | null => {
    const newest = list.at(-1);
    return newest === undefined || newest.closedAt !== null ? null : newest;
  };
  const realized = (list: readonly Position[]): Decimal =>
    text(list.reduce((sum, position) => sum.plus(position.realized), big(0)));
  return {
    ...{ before: open(before), after: open(after) },
    ...{ realizedBefore: realized(before), realizedAfter: realized(after) },
  };
}

/** Returns a net result in units of what the episode that the order moved had at risk once its first order had filled. */
function inRisk(net: Decimal | null, { line, fills, facts }: ExplainRecords, contractSize: Decimal): number | null {
  const moved = positionsOf(fills, contractSize).findLast(({ parts }) =>
    parts.some(({ orderId }) => orderId === line.id),
  );
  const opener = moved?.parts[0]?.orderId ?? null;
  if (net === null || moved === undefined || opener === null) return null;
  const first = positionsOf(
    moved.parts.filter(({ orderId }) => orderId === opener),
    contractSize,
  )[0];
  const risk = first === undefined ? null : (stopLine(first, facts, contractSize, ZERO)?.riskUsd ?? null);
  return risk === null || !big(risk).gt(0) ? null : Number(fixed(big(net).div(big(risk)), 4));
}

/**
 * Returns how long a position has been without a stop: from when it had none to when one waited, or to when the venue had
 * refused it and it was closed at market instead. What overlaps counts once. Null = neither has happened.
 */
function withoutStop(protections: readonly ProtectionLine[]): number | null {
  const gaps = protections
    .filter(({ kind }) => kind === "stop")
    .flatMap(({ exposedAt, liveAt, status, endedAt }) => {
      const until = liveAt ?? (status === "failed" ? endedAt : null);
      return until === null ? [] : [{ from: millis(exposedAt), until: millis(until) }];
    })
    .sort((a, b) => a.from - b.from);
  if (gaps.length === 0) return null;
  let [covered, total] = [Number.NEGATIVE_INFINITY, 0];
  for (const { from, until } of gaps) {
    total += Math.max(0, until - Math.max(from, covered));
    covered = Math.max(covered, until);
  }
  return total / 1000;
}

function realizedBy({ realizedBefore, realizedAfter }: Around): Decimal | null {
  const own = big(realizedAfter).minus(realizedBefore);
  return own.eq(0) ? null : text(own);
}

const wayOutBps = (snapshot: Snapshot | null): Decimal => {
  const costs = Decimal.array().safeParse([snapshot?.policy?.takerFeeBps, snapshot?.policy?.exitSlippageBps]);
  return costs.success ? text(costs.data.reduce((sum, bps) => sum.plus(bps), big(0))) : ZERO;
};

/** The newest order that set a stop rules the whole position, as in the stored row. */
function stopLine(
  position: Position,
  facts: ExplainRecords["facts"],
  contractSize: Decimal,
  costsBps: Decimal,
): StopLine | null {
  const stops = position.parts.flatMap(({ orderId }) => (orderId && facts.get(orderId)?.stopLoss) || []);
  const price = stops.at(-1);
  if (price === undefined) return null;
  const held = big(position.contracts);
  const atStop = held.abs().times(contractSize).times(price);
  const lost = held.gt(0) ? big(position.cost).minus(atStop) : atStop.minus(position.cost);
  const cents = (value: Decimal): Decimal => text(fixed(value, 8));
  return {
    ...{ price, entryPrice: position.entryPrice, riskUsd: cents(text(lost)) },
    lossUsd: cents(riskUsdOf(position, price, contractSize, costsBps)),
  };
}

function decisionOf(snapshot: Snapshot, line: OrderLine): NonNullable<Explanation["decision"]> {
  const { sizing, control } = snapshot;
  const thresholds = Object.entries(snapshot.policy ?? {}).filter(([name]) => THRESHOLDS.test(name));
  return {
    ...{ at: snapshot.at ?? line.decidedAt, biasAt: snapshot.bias.at ?? null },
    ...{ signal: sizing.s, signalBefore: line.why.signalBefore },
    earlier: snapshot.past?.earlier ?? [],
    ...{ phase: sizing.phase ?? null, credibilityFactor: sizing.credibilityFactor ?? null },
    thresholds: Object.fromEntries(thresholds),
    equityUsd: snapshot.equity?.now ?? null,
    quote: snapshot.quote ?? null,
    control: control ? `${control.state} in epoch ${control.epoch}` : null,
    gitSha: snapshot.git_sha ?? null,
  };
}

function sizingOf(snapshot: Snapshot | null): Explanation["sizing"] {
  const list = (bounds: Readonly<Record<string, Decimal>> = {}) =>
    Object.entries(bounds)
      .map(([name, contracts]) => ({ name, contracts }))
      .sort((a, b) => big(a.contracts).cmp(b.contracts) || (a.name < b.name ? -1 : 1));
  const { bounds, orderBounds, held = null, target = null, trade = null } = snapshot?.sizing ?? {};
  return { bounds: list(bounds), orderBounds: list(orderBounds), held, target, trade };
}

/** Those that stand in the way first, then by what is left of each; a limit of 0 has no part, and stands last. */
function limitLines(limits: Snapshot["limits"]): LimitLine[] {
  return limits
    .map((limit) => ({
      ...limit,
      headroomPercent: big(limit.limit).eq(0)
        ? null
        : Number(fixed(big(limit.headroom).div(big(limit.limit)).times(100), 2)),
    }))
    .sort(
      (a, b) =>
        Number(a.ok) - Number(b.ok) ||
        (a.headroomPercent ?? Number.POSITIVE_INFINITY) - (b.headroomPercent ?? Number.POSITIVE_INFINITY) ||
        (a.name < b.name ? -1 : 1),
    );
}

/**
 * A way in and out: two fees, two half spreads, and the slippage that the policy assumes on both.
 * Source: docs/glossary.md#expected-edge
 */
function edgeOf(snapshot: Snapshot | null, { notionalUsd }: OrderLine): Explanation["edge"] {
  const { policy, quote } = snapshot ?? {};
  const state = policy?.edge ?? "off";
  const expectedBps = null; // nothing is expected of a signal that no ledger has graded
  if (!quote || !policy?.takerFeeBps) return { state, expectedBps, costBps: null, costUsd: null };
  const half = big(quote.ask).minus(quote.bid).times(10_000).div(big(quote.ask).plus(quote.bid));
  const costBps = half.plus(wayOutBps(snapshot ?? null)).times(2);
  return {
    ...{ state, expectedBps, costBps: Number(fixed(costBps, 4)) },
    costUsd: notionalUsd === null ? null : text(fixed(costBps.times(notionalUsd).div(10_000), 8)),
  };
}

function episodeOf(fills: readonly Counted[], facts: ExplainRecords["facts"]): Explanation["episode"] {
  return stepsOf(fills).flatMap((step) => {
    const { orderId, cause, at, before, after, total } = step;
    const fact = orderId === null ? undefined : facts.get(orderId);
    const maker = cause === null ? { type: fact?.type ?? "market" } : { cause };
    return { at, act: actOf(step, maker), before, after, price: total.price, order: orderId, cause };
  });
}
