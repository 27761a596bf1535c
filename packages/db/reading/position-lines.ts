import { type SQL, sql } from "drizzle-orm";
import { netUsdOf } from "#reporting/net";
import type { PositionLine } from "#reporting/report";
import type { Account } from "#trading/account";
import { TradingMode } from "#trading/mode";
import { positionsOf, tradedContracts } from "#trading/positions/position";
import { positionId } from "#trading/positions/position-row";
import { big, type Decimal, text } from "#units/decimal";
import type { PositionId } from "#units/ids";
import type { Db } from "../client.ts";
import { iso, plain, rows } from "../rows.ts";
import * as kind from "../shape.ts";
import { fillsOf } from "../trading/order-fills.ts";
import { archiveOf } from "../trading/positions.ts";

const PositionRow = kind.shape("position lines", {
  id: kind.id("position"),
  mode: kind.oneOf(...TradingMode.options),
  venue: kind.text,
  instrument: kind.text,
  contract_size: kind.orNull(kind.decimal),
  asset: kind.text,
  side: kind.oneOf("long", "short"),
  size: kind.orNull(kind.decimal),
  entry_price: kind.orNull(kind.decimal),
  mark_price: kind.orNull(kind.decimal),
  exit_price: kind.orNull(kind.decimal),
  stop_price: kind.orNull(kind.decimal),
  trigger: kind.orNull(kind.decimal),
  live_at: kind.orNull(kind.instant),
  unprotected: kind.orNull(kind.float),
  unrealized: kind.orNull(kind.decimal),
  realized: kind.orNull(kind.decimal),
  fees: kind.decimal,
  fees_unvalued: kind.flag,
  funding: kind.decimal,
  opened_at: kind.instant,
  closed_at: kind.orNull(kind.instant),
});
type Row = kind.RowOf<typeof PositionRow>;

/** The stop that waits for an open position; of several parts, which have one trigger, the first. */
const WAITING = sql`LEFT JOIN LATERAL (
  SELECT q.trigger, q.live_at, q.exposed_at FROM protections q
  WHERE p.closed_at IS NULL AND q.trading_mode = p.trading_mode AND q.exchange = p.exchange AND q.ended_at IS NULL
    AND q.instrument = p.instrument AND q.kind = 'stop' AND q.status = 'live'
  ORDER BY q.live_at, q.algo_cl_ord_id LIMIT 1) s ON true`;

/**
 * Returns positions as they are shown, newest opening first, then by id. `where` speaks of `p`. What was
 * traded in each comes from the fills, as the row itself did.
 */
export async function positionLines(db: Db, where: SQL, limit: number | null = null): Promise<PositionLine[]> {
  const list = await rows(
    db,
    PositionRow,
    sql`SELECT p.id, p.trading_mode AS mode, p.exchange AS venue, p.instrument, ${plain(sql`i.contract_size`)} AS contract_size,
               p.asset, p.side, ${plain(sql`p.size`)} AS size,
               ${plain(sql`p.entry_price`)} AS entry_price, ${plain(sql`p.mark_price`)} AS mark_price,
               ${plain(sql`p.exit_price`)} AS exit_price, ${plain(sql`p.stop_price`)} AS stop_price,
               ${plain(sql`s.trigger`)} AS trigger, ${iso(sql`s.live_at`)} AS live_at,
               CASE WHEN s.live_at IS NOT NULL
                 THEN greatest(extract(epoch FROM s.live_at - s.exposed_at)::float8, 0) END AS unprotected,
               ${plain(sql`p.unrealized_pnl`)} AS unrealized, ${plain(sql`p.realized_pnl`)} AS realized,
               ${plain(sql`p.fees_paid`)} AS fees, p.fees_unvalued, ${plain(sql`p.funding_paid`)} AS funding,
               ${iso(sql`p.opened_at`)} AS opened_at, ${iso(sql`p.closed_at`)} AS closed_at
        FROM positions p LEFT JOIN instruments i ON i.id = p.instrument ${WAITING}
        WHERE ${where}
        ORDER BY p.opened_at DESC, p.id
        ${limit === null ? sql`` : sql`LIMIT ${limit}`}`,
  );
  const traded = await tradedIn(db, list);
  return list.map((row) => {
    const line = {
      ...{ id: row.id, instrument: row.instrument, asset: row.asset, side: row.side, size: row.size },
      ...(traded.get(row.id) ?? { tradedSize: null, peakSize: null }),
      ...{
        entryPrice: row.entry_price,
        markPrice: row.mark_price,
        exitPrice: row.exit_price,
        stopPrice: row.stop_price,
        atVenue: atVenue(row),
      },
      ...{ unrealizedUsd: row.unrealized, realizedUsd: row.realized, feesUsd: row.fees, fundingUsd: row.funding },
      feesUnvalued: row.fees_unvalued,
      ...{ openedAt: row.opened_at, closedAt: row.closed_at },
    };
    return { ...line, netUsd: netUsdOf(line) };
  });
}

const atVenue = ({ trigger, live_at: liveAt, unprotected: unprotectedSeconds }: Row): PositionLine["atVenue"] =>
  trigger === null || liveAt === null || unprotectedSeconds === null ? null : { trigger, liveAt, unprotectedSeconds };

/** Returns what was opened in each position and the most that was held, in the asset; a position whose fills are gone is absent. */
async function tradedIn(db: Db, list: readonly Row[]) {
  const traded = new Map<PositionId, { readonly tradedSize: Decimal; readonly peakSize: Decimal }>();
  const lanes = Map.groupBy(list, ({ mode, venue, instrument }) => JSON.stringify([mode, venue, instrument]));
  for (const [row] of lanes.values()) {
    if (!row || row.contract_size === null) continue;
    const { instrument, contract_size: contractSize } = row;
    const account: Account = { mode: row.mode, venue: row.venue };
    const archive = await archiveOf(db, account, instrument);
    const fills = await fillsOf(db, account, instrument, archive.until);
    for (const [index, episode] of positionsOf(fills, contractSize).entries()) {
      const inAsset = (contracts: Decimal): Decimal => text(big(contracts).times(contractSize));
      traded.set(positionId(account, instrument, archive.episodes + index), {
        tradedSize: inAsset(tradedContracts(episode)),
        peakSize: inAsset(episode.peakContracts),
      });
    }
  }
  return traded;
}
