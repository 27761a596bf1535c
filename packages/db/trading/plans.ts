import { and, asc, desc, eq, inArray, lt, lte, sql } from "drizzle-orm";
import * as z from "zod";
import type { Account } from "#trading/account";
import type { Json } from "#trading/canonical-json";
import { decisive } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import type { TradingMode } from "#trading/mode";
import { IN_FLIGHT } from "#trading/order";
import type { PlanInput, PlannedBias } from "#trading/plan";
import type { Policy } from "#trading/policy";
import { volatilityOf } from "#trading/volatility";
import { big, type Decimal, text, ZERO } from "#units/decimal";
import { EventId, WalletId } from "#units/ids";
import { type Horizon, type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { iso, plain, rows } from "../rows.ts";
import { bias, eventAnalysis, orders } from "../schema.ts";
import { bars } from "../signals/prices.ts";
import { readControl } from "./control.ts";
import { type EquityState, equityAt } from "./equity.ts";
import { countInFlight } from "./orders.ts";
import { openPositions } from "./positions.ts";

const HOUR_MS = 3_600_000;

/** The part of a bias's components that a plan weighs. Source: packages/bias, which writes them. */
const Components = z.object({
  contributions: z
    .array(
      z.object({
        event_id: EventId,
        wallet_id: WalletId,
        contribution: z.number(),
        credibility: z.number().nullable().default(null),
      }),
    )
    .default([]),
});

/**
 * Returns the newest bias of an asset and timeframe at or before `at`, with its top contributions; null without one.
 * @throws ZodError when its components have another shape.
 */
export async function latestBias(db: Db, asset: string, timeframe: Horizon, at: Instant): Promise<PlannedBias | null> {
  const [row] = await db
    .select()
    .from(bias)
    .where(and(eq(bias.asset, asset), eq(bias.timeframe, timeframe), lte(bias.timestamp, at)))
    .orderBy(desc(bias.timestamp))
    .limit(1);
  if (!row) return null;
  return {
    at: row.timestamp,
    value: Number(row.value),
    confidence: row.confidence === null ? null : Number(row.confidence),
    contributions: Components.parse(row.components ?? {}).contributions,
    components: row.components as Json, // jsonb reads as JSON
  };
}

/** Returns the signed contracts of an instrument by our fills. */
export async function heldContracts(db: Db, account: Account, instrument: string): Promise<Decimal> {
  const { mode, venue } = account;
  const [row] = await rows<{ held: Decimal }>(
    db,
    sql`SELECT ${plain(sql`coalesce(sum(CASE side WHEN 'buy' THEN size ELSE -size END), 0)`)} AS held FROM order_fills
        WHERE trading_mode = ${mode} AND exchange = ${venue} AND instrument = ${instrument} AND order_id IS NOT NULL`,
  );
  return row?.held ?? ZERO;
}

/** What other lanes hold and have reserved, as it was before `at`: what they do at `at` itself never shows. */
async function others(db: Db, account: Account, instrument: string, at: Instant, equity: Decimal) {
  const held = (await openPositions(db, account)).filter((position) => position.instrument !== instrument);
  const reserved = await db
    .select({ riskUsd: orders.riskUsd, size: orders.size, filledSize: orders.filledSize })
    .from(orders)
    .where(and(eq(orders.tradingMode, account.mode), inArray(orders.status, [...IN_FLIGHT]), lt(orders.decidedAt, at)))
    .orderBy(asc(orders.id));
  const open = held.reduce((sum, position) => sum.plus(big(position.riskConsumed).times(equity)), big(0));
  const risk = reserved.reduce(
    (sum, order) => sum.plus(big(order.riskUsd).times(big(order.size).minus(order.filledSize)).div(order.size)),
    open,
  );
  const [gross] = await rows<{ usd: Decimal }>(
    db,
    sql`SELECT ${plain(sql`coalesce(sum(abs(p.contracts) * i.contract_size * coalesce(p.mark_price, p.entry_price)), 0)`)} AS usd
        FROM positions p JOIN instruments i ON i.id = p.instrument
        WHERE p.trading_mode = ${account.mode} AND p.exchange = ${account.venue} AND p.closed_at IS NULL AND p.instrument <> ${instrument}`,
  );
  return { otherRiskUsd: text(risk.round(8)), otherGrossUsd: gross?.usd ?? ZERO };
}

/** Returns the counts that the limits on pace need: of the whole mode, and when the asset's last position was closed. */
async function pace(db: Db, account: Account, asset: string, at: Instant) {
  const since = (ms: number) => instant(millis(at) - ms);
  const [row] = await rows<{ minute: number; stops: number; closed: Instant | null }>(
    db,
    sql`SELECT (SELECT count(*)::int FROM orders WHERE trading_mode = ${account.mode} AND status <> 'denied'
                 AND decided_at > ${since(60_000)} AND decided_at < ${at}) AS minute,
               (SELECT count(*)::int FROM orders WHERE trading_mode = ${account.mode} AND order_type = 'stop'
                 AND decided_at > ${since(24 * HOUR_MS)} AND decided_at < ${at} AND filled_size > 0) AS stops,
               (SELECT ${iso(sql`max(closed_at)`)} FROM positions WHERE trading_mode = ${account.mode}
                 AND exchange = ${account.venue} AND asset = ${asset}) AS closed`,
  );
  return { ordersLastMinute: row?.minute ?? 0, stopsLastDay: row?.stops ?? 0, lastClosedAt: row?.closed ?? null };
}

/** Returns what the analysis of each contribution's event said, by event id. */
const analysesOf = (db: Db, eventIds: readonly string[]): Promise<PlanInput["analyses"]> =>
  eventIds.length === 0
    ? Promise.resolve([])
    : db
        .select({
          eventId: eventAnalysis.eventId,
          model: eventAnalysis.llmModel,
          pattern: eventAnalysis.patternMatched,
        })
        .from(eventAnalysis)
        .where(sql`${eventAnalysis.eventId} = ANY(${sql.param([...eventIds])}::uuid[])`)
        .orderBy(asc(eventAnalysis.eventId));

/** Equity older than this is no ground for a decision. */
const EQUITY_MS = 5 * 60_000;

/** Returns the equity that a plan at `at` goes by; null when the newest is too old, and the venue has to be asked. */
export async function plannedEquity(db: Db, account: Account, at: Instant): Promise<EquityState | null> {
  const state = await equityAt(db, account, at);
  return state !== null && millis(at) - millis(state.at) <= EQUITY_MS ? state : null;
}

export interface PlanQuery {
  readonly at: Instant;
  readonly mode: TradingMode;
  readonly venue: string;
  readonly asset: string;
  readonly instrument: Instrument;
  readonly bias: PlannedBias;
  readonly held: Decimal;
  readonly barSeconds: number;
  readonly lanes: number;
  readonly gitSha: string;
  readonly equity: Pick<EquityState, "equity" | "dayStart" | "peak">;
  readonly quote: PlanInput["quote"];
}

/** Returns all that a decision is made from, as it was just before `at`. */
export async function planInput(db: Db, query: PlanQuery, policy: Policy): Promise<PlanInput> {
  const { at, instrument, equity, barSeconds, ...rest } = query;
  const account = { mode: query.mode, venue: query.venue };
  const from = instant(millis(at) - (policy.atrHours + 2) * HOUR_MS);
  const candles = await bars(db, instrument.id, barSeconds, from, at);
  return {
    ...rest,
    at,
    instrument,
    equity: equity.equity,
    dayStart: equity.dayStart,
    peak: equity.peak,
    control: decisive(await readControl(db, query.mode)),
    volatility: volatilityOf(candles, at, policy),
    inFlight: await countInFlight(db, query.mode, instrument.id),
    analyses: await analysesOf(
      db,
      query.bias.contributions.map((c) => c.event_id),
    ),
    ...(await others(db, account, instrument.id, at, equity.equity)),
    ...(await pace(db, account, query.asset, at)),
  };
}
