import { type SQL, sql } from "drizzle-orm";
import { netUsdOf } from "#reporting/net";
import type { PositionLine } from "#reporting/report";
import { type WaitingPolicy, waitingFor } from "#reporting/waiting";
import type { Account } from "#trading/account";
import { TradingMode } from "#trading/mode";
import { positionsOf, tradedContracts } from "#trading/positions/position";
import { positionId } from "#trading/positions/position-row";
import { PROTECTION_KINDS } from "#trading/protection/protection";
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
  min_size: kind.orNull(kind.decimal),
  asset: kind.text,
  side: kind.oneOf("long", "short"),
  size: kind.orNull(kind.decimal),
  entry_price: kind.orNull(kind.decimal),
  mark_price: kind.orNull(kind.decimal),
  exit_price: kind.orNull(kind.decimal),
  stop_price: kind.orNull(kind.decimal),
  contracts: kind.orNull(kind.decimal),
  unrealized: kind.orNull(kind.decimal),
  realized: kind.orNull(kind.decimal),
  fees: kind.decimal,
  fees_unvalued: kind.flag,
  funding: kind.decimal,
  opened_at: kind.instant,
  closed_at: kind.orNull(kind.instant),
});
type Row = kind.RowOf<typeof PositionRow>;

/** What waits at the venue for the open positions of every account: a handful. */
const WaitingRow = kind.shape("what waits for open positions", {
  mode: kind.oneOf(...TradingMode.options),
  venue: kind.text,
  instrument: kind.text,
  kind: kind.oneOf(...PROTECTION_KINDS),
  trigger: kind.decimal,
  size: kind.orNull(kind.decimal),
  live_at: kind.instant,
  unprotected: kind.float,
});

async function waiting(db: Db): Promise<kind.RowOf<typeof WaitingRow>[]> {
  return rows(
    db,
    WaitingRow,
    sql`SELECT q.trading_mode AS mode, q.exchange AS venue, q.instrument, q.kind, ${plain(sql`q.trigger`)} AS trigger,
               ${plain(sql`q.size`)} AS size, ${iso(sql`q.live_at`)} AS live_at,
               greatest(extract(epoch FROM q.live_at - q.exposed_at)::float8, 0) AS unprotected
        FROM protections q WHERE q.ended_at IS NULL AND q.status = 'live'
        ORDER BY q.live_at, q.algo_cl_ord_id`,
  );
}

/**
 * Returns positions as they are shown, newest opening first, then by id. `where` speaks of `p`. What was
 * traded in each comes from the fills, as the row itself did; `policy` says what it costs when what waits is triggered.
 */
export async function positionLines(
  db: Db,
  policy: WaitingPolicy,
  where: SQL,
  limit: number | null = null,
): Promise<PositionLine[]> {
  const list = await rows(
    db,
    PositionRow,
    sql`SELECT p.id, p.trading_mode AS mode, p.exchange AS venue, p.instrument, ${plain(sql`i.contract_size`)} AS contract_size,
               ${plain(sql`i.min_size`)} AS min_size, p.asset, p.side, ${plain(sql`p.size`)} AS size,
               ${plain(sql`p.entry_price`)} AS entry_price, ${plain(sql`p.mark_price`)} AS mark_price,
               ${plain(sql`p.exit_price`)} AS exit_price, ${plain(sql`p.stop_price`)} AS stop_price,
               ${plain(sql`nullif(abs(p.contracts), 0)`)} AS contracts,
               ${plain(sql`p.unrealized_pnl`)} AS unrealized, ${plain(sql`p.realized_pnl`)} AS realized,
               ${plain(sql`p.fees_paid`)} AS fees, p.fees_unvalued, ${plain(sql`p.funding_paid`)} AS funding,
               ${iso(sql`p.opened_at`)} AS opened_at, ${iso(sql`p.closed_at`)} AS closed_at
        FROM positions p LEFT JOIN instruments i ON i.id = p.instrument
        WHERE ${where}
        ORDER BY p.opened_at DESC, p.id
        ${limit === null ? sql`` : sql`LIMIT ${limit}`}`,
  );
  const traded = await tradedIn(db, list);
  const waits = list.some((row) => row.closed_at === null) ? await waiting(db) : [];
  return list.map((row) => {
    const line = {
      ...{ id: row.id, instrument: row.instrument, asset: row.asset, side: row.side, size: row.size },
      ...(traded.get(row.id) ?? { tradedSize: null, peakSize: null }),
      ...{
        entryPrice: row.entry_price,
        markPrice: row.mark_price,
        exitPrice: row.exit_price,
        stopPrice: row.stop_price,
      },
      ...waitsFor(row, waits, policy),
      ...{ unrealizedUsd: row.unrealized, realizedUsd: row.realized, feesUsd: row.fees, fundingUsd: row.funding },
      feesUnvalued: row.fees_unvalued,
      ...{ openedAt: row.opened_at, closedAt: row.closed_at },
    };
    return { ...line, netUsd: netUsdOf(line) };
  });
}

/** Returns what waits at the venue for a position; nothing waits for one that is closed. */
function waitsFor(
  row: Row,
  all: readonly kind.RowOf<typeof WaitingRow>[],
  policy: WaitingPolicy,
): Pick<PositionLine, "atVenue" | "uncovered" | "legs"> {
  if (row.closed_at !== null) return { atVenue: null, uncovered: null, legs: [] };
  const mine = all.filter(
    ({ mode, venue, instrument }) => mode === row.mode && venue === row.venue && instrument === row.instrument,
  );
  const { side, contracts, contract_size: contractSize, entry_price: entryPrice } = row;
  const { mark_price: markPrice, min_size: minSize } = row;
  return waitingFor(
    { side, contracts, contractSize, entryPrice, markPrice, minSize, policy },
    mine.map(({ live_at: liveAt, unprotected: unprotectedSeconds, ...of }) => ({ ...of, liveAt, unprotectedSeconds })),
  );
}

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
