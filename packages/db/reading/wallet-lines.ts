import { type SQL, sql } from "drizzle-orm";
import * as z from "zod";
import type { CredibilityLine, Report, WalletLine } from "#reporting/report";
import { betsNeeded, DEFAULT_PRIOR } from "#scoring/prior";
import { HORIZONS, type Instant } from "#units/time";
import type { Db } from "../client.ts";
import { rows } from "../rows.ts";
import * as kind from "../shape.ts";

/** The part of a score's evidence that is shown. Source: `Evidence` in packages/scoring/credibility.ts. */
const HorizonEvidence = z.object({ edge: z.number(), effectiveBets: z.number() });
const Evidence = z
  .object({ "1h": HorizonEvidence.optional(), "4h": HorizonEvidence.optional(), "24h": HorizonEvidence.optional() })
  .nullable();

const Scores = z.object({
  credibility_1h: z.number().nullable(),
  credibility_4h: z.number().nullable(),
  credibility_24h: z.number().nullable(),
});
const score = kind.orNull(kind.float);
const wallet = {
  wallet_id: kind.id("wallet"),
  address: kind.text,
  label: kind.orNull(kind.text),
  archetype: kind.orNull(kind.text),
  evidence: kind.orNull(kind.json),
  credibility_1h: score,
  credibility_4h: score,
  credibility_24h: score,
};
const ScoredWallet = kind.shape("scored wallets", { ...wallet, before: kind.orNull(kind.built(Scores)) });
const LatestWallet = kind.shape("latest wallets", wallet);
type Row = kind.RowOf<typeof LatestWallet> & { readonly before?: z.infer<typeof Scores> | null };

const scores = (alias: SQL): SQL =>
  sql`${alias}.credibility_1h::float8 AS credibility_1h, ${alias}.credibility_4h::float8 AS credibility_4h,
      ${alias}.credibility_24h::float8 AS credibility_24h`;

/** Returns the wallets that were scored in [start, end), each with its last score there and the last one before. By id. */
export async function scoredWallets(db: Db, start: Instant, end: Instant): Promise<WalletLine[]> {
  const list = await rows(
    db,
    ScoredWallet,
    sql`SELECT s.wallet_id, w.address, w.label, s.archetype, s.evidence, ${scores(sql`s`)}, to_jsonb(p) AS before
        FROM (SELECT DISTINCT ON (wallet_id) * FROM wallet_scores
              WHERE "timestamp" >= ${start}::timestamptz AND "timestamp" < ${end}::timestamptz
              ORDER BY wallet_id, "timestamp" DESC) s
        JOIN wallets w ON w.id = s.wallet_id
        LEFT JOIN LATERAL (
          SELECT ${scores(sql`q`)} FROM wallet_scores q
          WHERE q.wallet_id = s.wallet_id AND q."timestamp" < ${start}::timestamptz
          ORDER BY q."timestamp" DESC LIMIT 1
        ) p ON true
        ORDER BY s.wallet_id`,
  );
  return list.map(walletLine);
}

const BetsRow = kind.shape("bets of a horizon", { horizon: kind.oneOf(...HORIZONS), has: kind.float });

/**
 * Returns, per horizon, the effective bets of the wallet that had most when it was last scored in the week before `end`,
 * and how many it takes to tell skill from luck.
 */
export async function evidenceBefore(db: Db, end: Instant): Promise<Report["evidence"]> {
  const found = await rows(
    db,
    BetsRow,
    sql`SELECT h.horizon, max(coalesce((s.evidence -> h.horizon ->> 'effectiveBets')::float8, 0)) AS has
        FROM (SELECT DISTINCT ON (wallet_id) evidence FROM wallet_scores
              WHERE "timestamp" >= ${end}::timestamptz - interval '7 days' AND "timestamp" < ${end}::timestamptz
              ORDER BY wallet_id, "timestamp" DESC) s
        CROSS JOIN unnest(${sql.param([...HORIZONS])}::text[]) AS h(horizon)
        GROUP BY h.horizon`,
  );
  const has = new Map(found.map((row) => [row.horizon, row.has]));
  const needs = betsNeeded(DEFAULT_PRIOR);
  return HORIZONS.map((horizon) => ({ horizon, has: has.get(horizon) ?? 0, needs }));
}

/** Returns watched wallets with their latest score, by 4 h credibility (unscored last) and id: all from `offset` on, or `limit` of them. */
export async function latestWallets(
  db: Db,
  page: { readonly limit: number | null; readonly offset?: number },
): Promise<WalletLine[]> {
  const list = await rows(
    db,
    LatestWallet,
    sql`SELECT w.id AS wallet_id, w.address, w.label, s.archetype, s.evidence, ${scores(sql`s`)}
        FROM wallets w LEFT JOIN wallet_latest_scores s ON s.wallet_id = w.id
        WHERE w.is_active
        ORDER BY s.credibility_4h DESC NULLS LAST, w.id
        ${page.limit === null ? sql`` : sql`LIMIT ${page.limit} OFFSET ${page.offset ?? 0}`}`,
  );
  return list.map(walletLine);
}

function walletLine(row: Row): WalletLine {
  const evidence = Evidence.parse(row.evidence ?? null);
  return {
    wallet: { id: row.wallet_id, address: row.address, label: row.label },
    archetype: row.archetype,
    credibility: HORIZONS.flatMap((horizon): CredibilityLine[] => {
      const score = row[`credibility_${horizon}`];
      const proof = evidence?.[horizon];
      if (score === null) return [];
      return [
        {
          horizon,
          score,
          previous: row.before?.[`credibility_${horizon}`] ?? null,
          edge: proof?.edge ?? null,
          bets: proof?.effectiveBets ?? null,
        },
      ];
    }),
  };
}
