import { sql } from "drizzle-orm";
import * as z from "zod";
import type { Bias } from "#bias/bias";
import { countsSince } from "#bias/decay";
import type { Term } from "#bias/term";
import { fixed } from "#units/decimal";
import { EventId, WalletId } from "#units/ids";
import { barStart, HORIZON_SECONDS, HORIZONS, Horizon, type Instant, instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, rows } from "../rows.ts";
import { bias } from "../schema.ts";
import * as kind from "../shape.ts";

const MovedAsset = kind.shape("assets moved", { asset: kind.text });
const Mass = kind.shape("earlier masses", { mass: kind.orNull(kind.float) });
/** [event, wallet, milliseconds, channel, d, w, score]. */
const PackedTerm = z.tuple([EventId, WalletId, z.number(), z.string(), z.number(), z.number(), z.number().nullable()]);
const Terms = kind.shape("terms of a bias", {
  timeframe: kind.oneOf(...HORIZONS),
  packed: kind.built(z.array(PackedTerm)),
});

/** Returns those of `assets` with a weighty contribution since their last bias before `at`, sorted. */
export async function assetsMoved(db: Db, assets: readonly string[], at: Instant): Promise<string[]> {
  const list = await rows(
    db,
    MovedAsset,
    sql`SELECT a.asset FROM unnest(${sql.param([...assets])}::text[]) a(asset)
        WHERE EXISTS (
          SELECT 1 FROM bias_contributions c
          WHERE c.asset = a.asset AND c.timeframe = '1h' AND c.at < ${at}::timestamptz AND c.w > 0
            AND c.at >= coalesce((SELECT max(b."timestamp") FROM bias b
                                  WHERE b.asset = a.asset AND b.timeframe = '1h' AND b."timestamp" < ${at}::timestamptz), '-infinity'))
        ORDER BY a.asset`,
  );
  return list.map((row) => row.asset);
}

/**
 * Returns the contributions to an asset that still count at `at`, per timeframe, by event. Those seen at `at` itself are
 * left to the next bias: at one instant nobody knows which of two jobs ran first.
 */
export async function termsBefore(db: Db, asset: string, at: Instant): Promise<Record<Horizon, Term[]>> {
  const windows = sql.join(
    HORIZONS.map((timeframe) => sql`(timeframe = ${timeframe} AND at >= ${countsSince(timeframe, at)}::timestamptz)`),
    sql` OR `,
  );
  // One row of JSON a timeframe: several hundred rows of eight columns cost more to carry than to sum.
  const list = await rows(
    db,
    Terms,
    sql`SELECT timeframe, json_agg(json_build_array(event_id, wallet_id, (extract(epoch FROM at) * 1000)::int8, channel, d, w,
                                                    (factors ->> 'score')::float8) ORDER BY event_id) AS packed
        FROM bias_contributions
        WHERE asset = ${asset} AND w > 0 AND at < ${at}::timestamptz AND (${windows})
        GROUP BY timeframe`,
  );
  const terms: Record<Horizon, Term[]> = { "1h": [], "4h": [], "24h": [] };
  for (const { timeframe, packed } of list) {
    terms[timeframe] = packed.map(([eventId, walletId, ms, channel, d, w, credibility]) => {
      return { eventId, walletId, at: instant(ms), channel, d, w, credibility };
    });
  }
  return terms;
}

/** What a bias at `at` knows besides its contributions. */
export interface Circumstances {
  /** Time of the newest block seen before `at`; null = none. */
  readonly newestBlock: Instant | null;
  /** Share of the asset's events within one horizon that were understood; 1 when there was none. */
  readonly coverage: Readonly<Record<Horizon, number>>;
  /** K of the last bias of the same hour, per timeframe; null = the first of its hour. */
  readonly k: Readonly<Record<Horizon, number | null>>;
}

const CircumstancesRow = kind.shape("circumstances of a bias", {
  newest: kind.orNull(kind.instant),
  counts: kind.built(z.record(Horizon, z.object({ seen: z.int(), clear: z.int() }))),
  ks: kind.built(z.record(Horizon, z.number().nullable())),
});

/** Returns the circumstances of an asset's bias at `at`, from what was known before it. */
export async function circumstancesAt(db: Db, chain: string, asset: string, at: Instant): Promise<Circumstances> {
  const counts = HORIZONS.map((horizon) => {
    const recent = sql`at >= ${at}::timestamptz - make_interval(secs => ${HORIZON_SECONDS[horizon]}::int)`;
    return sql`${horizon}::text, jsonb_build_object('seen', count(*) FILTER (WHERE ${recent}), 'clear',
               count(*) FILTER (WHERE ${recent} AND channel <> 'unclear'))`;
  });
  const ks = HORIZONS.map(
    (horizon) => sql`${horizon}::text, (SELECT (b.components ->> 'K')::float8 FROM bias b
      WHERE b.asset = ${asset} AND b.timeframe = ${horizon} AND b."timestamp" < ${at}::timestamptz
        AND b."timestamp" >= ${barStart(at, 3600)}::timestamptz ORDER BY b."timestamp" DESC LIMIT 1)`,
  );
  const [row] = await rows(
    db,
    CircumstancesRow,
    sql`SELECT (SELECT ${iso(sql`b."timestamp"`)} FROM chain_blocks b WHERE b.chain = ${chain} AND b.observed_at < ${at}::timestamptz
                ORDER BY b.number DESC LIMIT 1) AS newest,
               jsonb_build_object(${sql.join(ks, sql`, `)}) AS ks,
               (SELECT jsonb_build_object(${sql.join(counts, sql`, `)}) FROM bias_contributions
                WHERE asset = ${asset} AND timeframe = '24h' AND at < ${at}::timestamptz
                  AND at >= ${at}::timestamptz - interval '24 hours') AS counts`,
  );
  const share = (horizon: Horizon): number => {
    const { seen, clear } = row?.counts[horizon] ?? { seen: 0, clear: 0 };
    return seen === 0 ? 1 : clear / seen;
  };
  return {
    newestBlock: row?.newest ?? null,
    coverage: { "1h": share("1h"), "4h": share("4h"), "24h": share("24h") },
    k: row?.ks ?? { "1h": null, "4h": null, "24h": null },
  };
}

/**
 * Returns B before capping of an asset's biases in the seven days before the hour of `at`, those of the first minute of each five, by time:
 * what K is the median of. It changes once an hour.
 */
export async function earlierMasses(db: Db, asset: string, timeframe: Horizon, at: Instant): Promise<number[]> {
  const hour = barStart(at, 3600);
  const list = await rows(
    db,
    Mass,
    sql`SELECT (components ->> 'uncapped')::float8 AS mass FROM bias
        WHERE asset = ${asset} AND timeframe = ${timeframe} AND "timestamp" < ${hour}::timestamptz
          AND "timestamp" >= ${hour}::timestamptz - interval '7 days' AND extract(epoch FROM "timestamp")::numeric % 300 < 60
        ORDER BY "timestamp"`,
  );
  return list.flatMap(({ mass }) => (mass === null ? [] : [mass]));
}

/** Stores the biases of an asset at `at`; the same time is replaced. */
export async function saveBiases(
  db: Db,
  asset: string,
  at: Instant,
  biases: Readonly<Record<Horizon, Bias>>,
): Promise<void> {
  await drizzleOf(db)
    .insert(bias)
    .values(
      HORIZONS.map((timeframe) => ({
        timestamp: at,
        asset,
        timeframe,
        value: fixed(biases[timeframe].value, 6),
        components: biases[timeframe].components,
        confidence: fixed(biases[timeframe].confidence, 3),
      })),
    )
    .onConflictDoUpdate({
      target: [bias.asset, bias.timeframe, bias.timestamp],
      set: { value: sql`excluded.value`, components: sql`excluded.components`, confidence: sql`excluded.confidence` },
    });
}
