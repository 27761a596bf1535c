import { type SQL, sql } from "drizzle-orm";
import * as z from "zod";
import { type CredibilityLine, NEUTRAL, type Report, type WalletLine } from "#reporting/report";
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
const Settled = Scores.extend({ evidence: Evidence });
const ScoredWallet = kind.shape("scored wallets", {
  ...wallet,
  before: kind.orNull(kind.built(Scores)),
  settled: kind.orNull(kind.built(Settled)),
});
const LatestWallet = kind.shape("latest wallets", wallet);
interface Row extends kind.RowOf<typeof LatestWallet> {
  readonly before?: z.infer<typeof Scores> | null;
  readonly settled?: z.infer<typeof Settled> | null;
}

const scores = (alias: SQL): SQL =>
  sql`${alias}.credibility_1h::float8 AS credibility_1h, ${alias}.credibility_4h::float8 AS credibility_4h,
      ${alias}.credibility_24h::float8 AS credibility_24h`;

/**
 * Returns the wallets that were scored in [start, settledBy), by id: each with the last score before `end`, the last one before
 * `start` and, where its outcomes settled later, the last one after `end`. A period's `settledBy` is its end.
 */
export async function scoredWallets(
  db: Db,
  { start, end, settledBy }: { start: Instant; end: Instant; settledBy: Instant },
): Promise<WalletLine[]> {
  const last = (from: SQL, to: Instant): SQL =>
    sql`(SELECT ${scores(sql`q`)}, q.archetype, q.evidence FROM wallet_scores q
         WHERE q.wallet_id = k.wallet_id AND ${from} AND q."timestamp" < ${to}::timestamptz
         ORDER BY q."timestamp" DESC LIMIT 1)`;
  const list = await rows(
    db,
    ScoredWallet,
    sql`SELECT k.wallet_id, w.address, w.label, coalesce(s.archetype, l.archetype) AS archetype, s.evidence, ${scores(sql`s`)},
               to_jsonb(p) AS before, to_jsonb(l) AS settled
        FROM (SELECT DISTINCT wallet_id FROM wallet_scores
              WHERE "timestamp" >= ${start}::timestamptz AND "timestamp" < ${settledBy}::timestamptz) k
        JOIN wallets w ON w.id = k.wallet_id
        LEFT JOIN LATERAL ${last(sql`true`, end)} s ON true
        LEFT JOIN LATERAL ${last(sql`true`, start)} p ON true
        LEFT JOIN LATERAL ${last(sql`q."timestamp" >= ${end}::timestamptz`, settledBy)} l ON true
        ORDER BY k.wallet_id`,
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
      const settled = row.settled?.[`credibility_${horizon}`] ?? null;
      const later = row.settled?.evidence?.[horizon];
      if (score === null && settled === null) return [];
      return [
        {
          horizon,
          score: score ?? NEUTRAL,
          previous: row.before?.[`credibility_${horizon}`] ?? null,
          edge: proof?.edge ?? null,
          bets: proof?.effectiveBets ?? null,
          settled:
            settled === null ? null : { score: settled, edge: later?.edge ?? null, bets: later?.effectiveBets ?? null },
        },
      ];
    }),
  };
}
