import { and, eq, isNull, sql } from "drizzle-orm";
import type { Contribution } from "#analysis/contribution";
import type { AssetFlow } from "#analysis/observed-event";
import type { Analysis } from "#analysis/pattern";
import { fixed } from "#units/decimal";
import type { EventId, WalletId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { rows } from "../rows.ts";
import { biasContributions, eventAnalysis, eventRefs } from "../schema.ts";
import * as kind from "../shape.ts";

const AssetRow = kind.shape("past of an asset", {
  n: kind.int,
  large: kind.orNull(kind.float),
  bought: kind.float,
  sold: kind.float,
});

/** What happened to an asset before an event. */
export interface AssetPast {
  /** 99th percentile of its last 1,000 notionals of 30 days; null with fewer than 100. */
  readonly largeUsd: number | null;
  /** Swaps of the other watched wallets in the 24 hours before. */
  readonly flow: AssetFlow;
}

/** Returns what happened to an asset in blocks made before `before`. The event's own block is left out: it has no order yet. */
export async function assetPast(db: Db, asset: string, walletId: string, before: Instant): Promise<AssetPast> {
  const flow = (direction: number) =>
    sql`coalesce(sum(notional_usd) FILTER (WHERE event_type = 'swap' AND direction = ${direction} AND wallet_id <> ${walletId}::uuid
        AND "timestamp" >= ${before}::timestamptz - interval '24 hours'), 0)::float8`;
  const [row] = await rows(
    db,
    AssetRow,
    sql`SELECT count(*)::int AS n, (percentile_disc(0.99) WITHIN GROUP (ORDER BY notional_usd))::float8 AS large,
               ${flow(1)} AS bought, ${flow(-1)} AS sold
        FROM (SELECT wallet_id, event_type, direction, notional_usd, "timestamp" FROM events
              WHERE asset = ${asset} AND notional_usd IS NOT NULL AND "timestamp" < ${before}::timestamptz
                AND "timestamp" >= ${before}::timestamptz - interval '30 days'
              ORDER BY "timestamp" DESC, id DESC LIMIT 1000) recent`,
  );
  const enough = (row?.n ?? 0) >= 100;
  return {
    largeUsd: enough ? (row?.large ?? null) : null,
    flow: { boughtUsd: row?.bought ?? 0, soldUsd: row?.sold ?? 0 },
  };
}

/**
 * Stores what an event means and what it adds to each bias, in one transaction; the same event is replaced. An event that
 * a reorg has taken back in the meantime is left alone: its row is locked first, so the two cannot cross.
 */
export async function saveAnalysis(
  db: Db,
  event: { readonly id: EventId; readonly walletId: WalletId; readonly observedAt: Instant },
  analysis: Analysis,
  contributions: readonly Contribution[],
  at: Instant,
): Promise<void> {
  const row = {
    patternMatched: analysis.pattern,
    biasImpact: fixed(analysis.impact, 3),
    proposedAction: analysis.proposedAction === null ? null : { action: analysis.proposedAction },
    source: "rules" as const,
    direction: analysis.direction,
    confidence: fixed(analysis.confidence, 3),
    features: analysis.features,
    analyzedAt: at,
  };
  await drizzleOf(db).transaction(async (tx) => {
    const [present] = await tx
      .select({ id: eventRefs.id })
      .from(eventRefs)
      .where(and(eq(eventRefs.id, event.id), isNull(eventRefs.reorgedAt)))
      .for("share");
    if (!present) return;
    await tx
      .insert(eventAnalysis)
      .values({ eventId: event.id, ...row })
      .onConflictDoUpdate({ target: eventAnalysis.eventId, set: row });
    if (contributions.length === 0) return;
    const excluded = (name: string) => sql.raw(`excluded.${name}`);
    await tx
      .insert(biasContributions)
      .values(
        contributions.map((share) => ({ eventId: event.id, walletId: event.walletId, at: event.observedAt, ...share })),
      )
      .onConflictDoUpdate({
        target: [biasContributions.eventId, biasContributions.asset, biasContributions.timeframe],
        set: { channel: excluded("channel"), d: excluded("d"), w: excluded("w"), factors: excluded("factors") },
      });
  });
}
