import { and, asc, gt, lte, sql } from "drizzle-orm";
import type { Closes } from "#scoring/forward-return";
import { DIRECTIONAL_TYPES, type Due, type Settled } from "#scoring/settlement";
import { assetOf } from "#units/candle";
import type { Decimal } from "#units/decimal";
import type { WalletId } from "#units/ids";
import { HORIZON_SECONDS, HORIZONS, type Instant, instant, millis } from "#units/time";
import { insertion } from "../bulk.ts";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, rows } from "../rows.ts";
import { prices, walletOutcomes } from "../schema.ts";
import * as kind from "../shape.ts";

const DueRow = kind.shape("due outcomes", {
  event_id: kind.id("event"),
  wallet_id: kind.id("wallet"),
  asset: kind.text,
  direction: kind.oneOfInts(-1, 1),
  observed_at: kind.instant,
  horizon: kind.oneOf(...HORIZONS),
});

/** An event that could not be settled this long after its horizon never will be: its bar is missing. */
const GIVE_UP_DAYS = 7;
/** Blocks are seen at most this long after they were made; it bounds the partitions that are read. */
const SEEN_WITHIN_DAYS = 7;
const PAGE = 500;

/** Where a page of due events ended. */
export type DueKey = Pick<Due, "eventId" | "horizon">;

/**
 * Returns a page of events and horizons without an outcome, by event and horizon, after `after`: swaps and exchange flows
 * of `assets` with a direction, in final blocks, seen at least one horizon before `at`. A page of fewer than `PAGE` rows
 * (see `isLastPage`) is the last.
 */
export async function dueOutcomes(
  db: Db,
  query: { readonly chain: string; readonly assets: readonly string[]; readonly at: Instant },
  after: DueKey | null,
): Promise<Due[]> {
  const { chain, assets, at } = query;
  const horizons = sql.join(
    HORIZONS.map((horizon) => sql`(${horizon}::text, ${HORIZON_SECONDS[horizon]}::int)`),
    sql`, `,
  );
  const oldest = instant(millis(at) - (GIVE_UP_DAYS + SEEN_WITHIN_DAYS + 1) * 86_400_000);
  const list = await rows(
    db,
    DueRow,
    sql`SELECT e.id AS event_id, e.wallet_id, e.asset, e.direction::int AS direction, ${iso(sql`e.observed_at`)} AS observed_at, h.horizon
        FROM events e CROSS JOIN (VALUES ${horizons}) h(horizon, seconds)
        WHERE e.chain = ${chain} AND e."timestamp" >= ${oldest}::timestamptz AND e."timestamp" <= ${at}::timestamptz
          AND e.asset = ANY(${sql.param([...assets])}::text[]) AND e.direction <> 0
          AND e.event_type = ANY(${sql.param([...DIRECTIONAL_TYPES])}::text[])
          AND e.observed_at <= ${at}::timestamptz - make_interval(secs => h.seconds)
          AND e.observed_at >= ${at}::timestamptz - make_interval(secs => h.seconds, days => ${GIVE_UP_DAYS})
          AND e.block_number <= (SELECT c.finalized_number FROM block_cursors c WHERE c.chain = ${chain} AND c.stream = 'main')
          AND NOT EXISTS (SELECT 1 FROM wallet_outcomes o WHERE o.event_id = e.id AND o.horizon = h.horizon)
          AND (${after?.eventId ?? null}::uuid IS NULL OR (e.id, h.horizon) > (${after?.eventId ?? null}::uuid, ${after?.horizon ?? null}::text))
        ORDER BY e.id, h.horizon LIMIT ${PAGE}`,
  );
  return list.map((row) => ({
    eventId: row.event_id,
    walletId: row.wallet_id,
    asset: row.asset,
    direction: row.direction,
    observedAt: row.observed_at,
    horizon: row.horizon,
  }));
}

/** Returns whether no page follows this one. */
export const isLastPage = (page: readonly Due[]): boolean => page.length < PAGE;

/**
 * Returns, per asset of `instruments`, the closes of the bars that closed at exactly these times. A missing bar is
 * absent. Assets are in the order of their instruments' ids.
 */
export async function closesAt(
  db: Db,
  instruments: readonly string[],
  barSeconds: number,
  closedAt: readonly Instant[],
): Promise<ReadonlyMap<string, Closes>> {
  const sorted = [...new Set(instruments)].sort();
  const found = new Map(sorted.map((instrument) => [assetOf(instrument), new Map<number, Decimal>()]));
  if (closedAt.length === 0) return found;
  const opened = closedAt.map((time) => instant(millis(time) - barSeconds * 1000));
  const list = await drizzleOf(db)
    .select({ instrument: prices.instrument, openedAt: prices.timestamp, close: prices.close })
    .from(prices)
    .where(
      sql`${prices.instrument} = ANY(${sql.param(sorted)}::text[]) AND ${prices.barSeconds} = ${barSeconds}
          AND ${prices.timestamp} = ANY(${sql.param(opened)}::timestamptz[])`,
    )
    .orderBy(asc(prices.instrument), asc(prices.timestamp));
  for (const { instrument, openedAt, close } of list) {
    found.get(assetOf(instrument))?.set(millis(openedAt) + barSeconds * 1000, close);
  }
  return found;
}

/** Stores outcomes as of `at`; one that is there stays. */
export async function saveOutcomes(db: Db, settled: readonly Settled[], at: Instant): Promise<void> {
  if (settled.length === 0) return;
  const values = settled.map(({ due: { observedAt, ...due }, ...outcome }) => ({ ...due, ...outcome, asOf: at }));
  await drizzleOf(db).execute(sql`${insertion(walletOutcomes, values)} ON CONFLICT DO NOTHING`);
}

/** Returns the wallets with an outcome as of a time in (`after`, `until`], by id. */
export async function walletsSettled(db: Db, after: Instant, until: Instant): Promise<WalletId[]> {
  const list = await drizzleOf(db)
    .selectDistinct({ walletId: walletOutcomes.walletId })
    .from(walletOutcomes)
    .where(and(gt(walletOutcomes.asOf, after), lte(walletOutcomes.asOf, until)))
    .orderBy(asc(walletOutcomes.walletId));
  return list.map((row) => row.walletId);
}
