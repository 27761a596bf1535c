import { and, asc, desc, eq, lt, lte, sql } from "drizzle-orm";
import * as z from "zod";
import type { Probabilities } from "#analysis/contribution";
import type { Behaviour } from "#scoring/archetype";
import { Evidence } from "#scoring/credibility";
import { costOf } from "#scoring/outcome";
import type { Bet } from "#scoring/statistics";
import type { Decimal } from "#units/decimal";
import type { WalletId } from "#units/ids";
import type { Horizon, Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { plain, rows } from "../rows.ts";
import { walletLatestScores, walletOutcomes, walletScores } from "../schema.ts";
import * as kind from "../shape.ts";

const PeerRow = kind.shape("evidence of peers", { evidence: kind.json });

/** One score of a wallet: a row of `wallet_scores`. Credibilities are null where direction means nothing. */
export interface Score {
  readonly walletId: WalletId;
  readonly timestamp: Instant;
  readonly credibility1h: Decimal | null;
  readonly credibility4h: Decimal | null;
  readonly credibility24h: Decimal | null;
  readonly equityUsd: Decimal | null;
  readonly tradingVolume24h: Decimal | null;
  readonly winRate: Decimal | null;
  readonly archetype: string;
  readonly evidence: Evidence & { readonly archetypes: Readonly<Record<string, number>> };
}

/** Returns a wallet's outcomes known at `at`, per horizon, by event. */
export async function betsOf(db: Db, walletId: WalletId, at: Instant): Promise<Record<Horizon, Bet[]>> {
  const list = await drizzleOf(db)
    .select({
      horizon: walletOutcomes.horizon,
      eventId: walletOutcomes.eventId,
      asset: walletOutcomes.asset,
      enteredAt: walletOutcomes.enteredAt,
      excess: walletOutcomes.excess,
      volatility: walletOutcomes.volatility,
    })
    .from(walletOutcomes)
    .where(and(eq(walletOutcomes.walletId, walletId), lte(walletOutcomes.asOf, at)))
    .orderBy(asc(walletOutcomes.eventId), asc(walletOutcomes.horizon));
  const bets: Record<Horizon, Bet[]> = { "1h": [], "4h": [], "24h": [] };
  for (const { horizon, volatility, ...bet } of list) bets[horizon].push({ ...bet, cost: costOf(volatility) });
  return bets;
}

/** Returns the evidence of every wallet's last score before `before`, without those whose direction means nothing, by id. */
export async function peerEvidence(db: Db, before: Instant): Promise<Evidence[]> {
  const list = await rows(
    db,
    PeerRow,
    sql`SELECT s.evidence FROM wallet_latest_scores l
        JOIN LATERAL (SELECT q.evidence, q.credibility_1h FROM wallet_scores q
                      WHERE q.wallet_id = l.wallet_id AND q."timestamp" < ${before}::timestamptz
                      ORDER BY q."timestamp" DESC LIMIT 1) s ON true
        WHERE s.credibility_1h IS NOT NULL
        ORDER BY l.wallet_id`,
  );
  return list.map((row) => Evidence.parse(row.evidence));
}

/**
 * Returns a wallet's credibility as it stood before `at`: what may be known of it when something seen at `at` is weighed.
 * Strictly before, so that a score made at the same instant counts next time, whichever of the two ran first.
 */
export async function probabilitiesBefore(db: Db, walletId: WalletId, at: Instant): Promise<Probabilities> {
  const [row] = await drizzleOf(db)
    .select()
    .from(walletScores)
    .where(and(eq(walletScores.walletId, walletId), lt(walletScores.timestamp, at)))
    .orderBy(desc(walletScores.timestamp))
    .limit(1);
  if (!row) return { "1h": null, "4h": null, "24h": null };
  const evidence = Evidence.parse(row.evidence);
  return {
    "1h": row.credibility1h === null ? null : evidence["1h"].probability,
    "4h": row.credibility4h === null ? null : evidence["4h"].probability,
    "24h": row.credibility24h === null ? null : evidence["24h"].probability,
  };
}

/** What a wallet did, with its last known equity and its swaps of 24 hours in USD; null where nothing was priced. */
export interface Activity {
  readonly behaviour: Behaviour;
  readonly equityUsd: Decimal | null;
  readonly volume24hUsd: Decimal | null;
}

const ActivityRow = kind.shape("activity of a wallet", {
  events: kind.int,
  transactions: kind.int,
  counterparties: kind.int,
  inflowUsd: kind.float,
  outflowUsd: kind.float,
  netSwapUsd: kind.float,
  signedSwapUsd: kind.float,
  grossSwapUsd: kind.float,
  swaps: kind.int,
  roundTrips: kind.int,
  bridgeUsd: kind.float,
  yieldUsd: kind.float,
  grossUsd: kind.float,
  /** Null = there is no such wallet. */
  words: kind.orNull(kind.built(z.array(z.string()))),
  equity: kind.orNull(kind.decimal),
  volume: kind.orNull(kind.decimal),
});

/** Returns what a wallet did in the 30 days before `at`, in events seen before it. */
export async function activityBefore(db: Db, walletId: string, at: Instant): Promise<Activity> {
  const usd = (filter: string) => sql`coalesce(sum(notional_usd) FILTER (WHERE ${sql.raw(filter)}), 0)::float8`;
  const count = (filter: string) => sql`(count(*) FILTER (WHERE ${sql.raw(filter)}))::int`;
  const [row] = await rows(
    db,
    ActivityRow,
    sql`WITH seen AS (
          SELECT e.*, (e.raw_data ->> 'txIndex')::int AS tx_index FROM events e
          WHERE e.wallet_id = ${walletId}::uuid AND e.observed_at < ${at}::timestamptz
            AND e."timestamp" >= ${at}::timestamptz - interval '30 days' AND e."timestamp" < ${at}::timestamptz
        ), placed AS (
          SELECT *, event_type = 'swap' AND direction <> 0 AS is_swap,
                 lag(direction) OVER legs = -direction AND direction <> 0 AND block_number - lag(block_number) OVER legs <= 1 AS undone
          FROM seen WINDOW legs AS (PARTITION BY asset, event_type ORDER BY block_number, tx_index, log_index, id)
        ), nets AS (
          SELECT coalesce(sum(abs(net)), 0)::float8 AS net FROM
            (SELECT sum(direction * notional_usd) AS net FROM placed WHERE is_swap GROUP BY asset) n
        )
        SELECT count(*)::int AS events, count(DISTINCT tx_hash)::int AS transactions,
               count(DISTINCT counterparty)::int AS counterparties,
               ${usd("direction = 1")} AS "inflowUsd", ${usd("direction = -1")} AS "outflowUsd",
               (SELECT net FROM nets) AS "netSwapUsd",
               coalesce(sum(direction * notional_usd) FILTER (WHERE is_swap), 0)::float8 AS "signedSwapUsd",
               ${usd("is_swap")} AS "grossSwapUsd", ${count("is_swap")} AS swaps, ${count("is_swap AND undone")} AS "roundTrips",
               ${usd("event_type IN ('bridge_in', 'bridge_out')")} AS "bridgeUsd",
               ${usd("event_type IN ('stake', 'unstake', 'lend', 'unlend')")} AS "yieldUsd", ${usd("true")} AS "grossUsd",
               (SELECT ${plain(sql`s.raw_data ->> 'equityUsd'`)} FROM seen s WHERE s.raw_data ->> 'equityUsd' IS NOT NULL
                ORDER BY s.block_number DESC, s.tx_index DESC, s.log_index DESC, s.id LIMIT 1) AS equity,
               (SELECT ${plain(sql`sum(largest)`)} FROM (SELECT max(notional_usd) AS largest FROM placed
                WHERE is_swap AND "timestamp" >= ${at}::timestamptz - interval '24 hours' GROUP BY tx_hash) t) AS volume,
               (SELECT array_remove(ARRAY[lower(w.label)] || w.tags || ARRAY(SELECT l.kind::text FROM labels l
                WHERE l.chain = w.chain AND l.address = w.address ORDER BY l.kind), NULL)
                FROM wallets w WHERE w.id = ${walletId}::uuid) AS words
        FROM placed`,
  );
  if (!row) throw new RangeError("an aggregate without a row");
  const { words, equity, volume, ...counts } = row;
  return {
    behaviour: { ...counts, labels: (words ?? []).map((word) => word.toLowerCase()) },
    equityUsd: equity,
    volume24hUsd: volume,
  };
}

/** Stores a score; the same wallet and time are replaced. The latest score moves only forwards in time. */
export async function saveScore(db: Db, score: Score): Promise<void> {
  const { walletId, timestamp, ...figures } = score;
  await drizzleOf(db).transaction(async (tx) => {
    await tx
      .insert(walletScores)
      .values(score)
      .onConflictDoUpdate({ target: [walletScores.walletId, walletScores.timestamp], set: figures });
    await tx
      .insert(walletLatestScores)
      .values(score)
      .onConflictDoUpdate({
        target: walletLatestScores.walletId,
        set: { timestamp, ...figures },
        setWhere: sql`${walletLatestScores.timestamp} <= ${timestamp}::timestamptz`,
      });
  });
}
