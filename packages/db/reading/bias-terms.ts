import { inArray, sql } from "drizzle-orm";
import * as z from "zod";
import { explainedTerms } from "#bias/bias";
import { allTerms, type BiasSum, type BiasTerm } from "#reporting/bias-terms";
import type { WalletName } from "#reporting/report";
import { EventId, WalletId } from "#units/ids";
import type { Horizon, Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, rows } from "../rows.ts";
import { wallets } from "../schema.ts";
import * as kind from "../shape.ts";
import { termsBefore } from "../signals/bias.ts";

const OneBias = kind.shape("a bias with its components", {
  at: kind.instant,
  value: kind.float,
  confidence: kind.orNull(kind.float),
  components: kind.orNull(kind.json),
});

const kept = z.number().nullable().default(null);

/** What is read of stored components. Source: `Components` in packages/bias/bias.ts; releases before kept less. */
const Stored = z.object({
  n: z.int(),
  model_version: z.string().optional(),
  A: z.number().optional(),
  B: z.number().optional(),
  K: z.number().optional(),
  contributions: z.array(
    z.object({
      ...{ event_id: EventId, wallet_id: WalletId, contribution: z.number(), credibility: z.number().nullable() },
      ...{ channel: z.string().nullable().default(null), w: kept, d: kept, delta: kept, cap: kept },
    }),
  ),
});
type StoredTerm = z.infer<typeof Stored>["contributions"][number];

/**
 * Returns the newest bias of an asset at `at`, in the day before it, with all its terms; null without one. The twenty largest are
 * as they were stored; the others are computed again, by the same formula from the same rows and with the K that was stored.
 */
export async function biasSum(db: Db, asset: string, timeframe: Horizon, at: Instant): Promise<BiasSum | null> {
  const [row] = await rows(
    db,
    OneBias,
    sql`SELECT ${iso(sql`b."timestamp"`)} AS at, b.value::float8 AS value, b.confidence::float8 AS confidence, b.components
        FROM bias b
        WHERE b.asset = ${asset} AND b.timeframe = ${timeframe} AND b."timestamp" <= ${at}::timestamptz
          AND b."timestamp" > ${at}::timestamptz - interval '24 hours'
        ORDER BY b."timestamp" DESC LIMIT 1`,
  );
  if (row === undefined) return null;
  const stored = Stored.parse(row.components ?? { n: 0, contributions: [] });
  const { A, B, K, n } = stored;
  const computed =
    K === undefined || n <= stored.contributions.length
      ? []
      : explainedTerms({ timeframe, at: row.at, terms: (await termsBefore(db, asset, row.at))[timeframe], k: K });
  const { terms, rest } = allTerms(
    { value: row.value, count: n, stored: stored.contributions.map(termOf) },
    computed.map(termOf),
  );
  const names = await walletNames(db, [...new Set(terms.map(({ walletId }) => walletId))]);
  return {
    ...{ asset, timeframe, at: row.at, value: row.value, confidence: row.confidence },
    modelVersion: stored.model_version ?? null,
    sums: A === undefined || B === undefined || K === undefined ? null : { A, B, K },
    terms: terms.map((term) => ({ ...term, wallet: names.get(term.walletId) ?? null })),
    rest,
  };
}

const termOf = ({ event_id: eventId, wallet_id: walletId, ...term }: StoredTerm): BiasTerm => ({
  ...{ eventId, walletId, channel: term.channel, w: term.w, d: term.d, delta: term.delta, cap: term.cap },
  ...{ contribution: term.contribution, credibility: term.credibility },
});

async function walletNames(db: Db, ids: readonly WalletId[]): Promise<Map<WalletId, WalletName>> {
  if (ids.length === 0) return new Map();
  const list = await drizzleOf(db)
    .select({ id: wallets.id, address: wallets.address, label: wallets.label })
    .from(wallets)
    .where(inArray(wallets.id, [...ids]));
  return new Map(list.map((wallet) => [wallet.id, wallet]));
}
