import { type SQL, sql } from "drizzle-orm";
import { askedOf, changeLine, spreadUsd } from "#reporting/change";
import type { OrderLine } from "#reporting/report";
import { type Decision, decisionOf, whyOf } from "#reporting/why";
import type { Account } from "#trading/account";
import { SETTLED_IN } from "#trading/ledger/ledger";
import { signed } from "#trading/positions/fill";
import { type Counted, stepsOf } from "#trading/positions/step";
import { big, text } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { iso, plain, rows } from "../rows.ts";
import * as kind from "../shape.ts";
import { laneFills, laneKey } from "./lane-fills.ts";

const OrderRow = kind.shape("order lines", {
  id: kind.id("order"),
  decided_at: kind.instant,
  mode: kind.text,
  venue: kind.text,
  instrument: kind.text,
  contract_size: kind.orNull(kind.decimal),
  asset: kind.text,
  side: kind.oneOf("buy", "sell"),
  type: kind.text,
  size: kind.decimal,
  price: kind.orNull(kind.decimal),
  filled_size: kind.decimal,
  asset_size: kind.orNull(kind.decimal),
  filled_asset_size: kind.orNull(kind.decimal),
  notional_usd: kind.orNull(kind.decimal),
  average_price: kind.orNull(kind.decimal),
  fees: kind.decimal,
  fees_unvalued: kind.flag,
  status: kind.text,
  reduce_only: kind.flag,
  timeframe: kind.orNull(kind.text),
  snapshot: kind.orNull(kind.json),
  previous_signal: kind.orNull(kind.float),
  previous_version: kind.orNull(kind.text),
  previous_hash: kind.orNull(kind.text),
  error: kind.orNull(kind.text),
});
type Row = kind.RowOf<typeof OrderRow>;

/** Returns SQL of what is shown of a policy snapshot: the rest of it does not leave the database. */
const shown = sql`((o.policy_snapshot #- ARRAY['bias', 'components'])
  - ARRAY['policy', 'wallets', 'analyses', 'limits', 'volatility', 'order'])
  || jsonb_build_object('policy_version', o.policy_snapshot #> ARRAY['policy', 'version'])`;

/** The last order before `o` of its instrument that filled and that a plan decided. */
const previous = sql`LEFT JOIN LATERAL (
  SELECT (b.policy_snapshot #>> ARRAY['sizing', 's'])::float8 AS signal, b.policy_snapshot #>> ARRAY['policy', 'version'] AS version,
         b.policy_snapshot ->> 'policy_hash' AS hash
  FROM orders b
  WHERE b.trading_mode = o.trading_mode AND b.exchange = o.exchange AND b.instrument = o.instrument
    AND b.decided_at < o.decided_at AND b.decided_at > o.decided_at - interval '90 days'
    AND b.filled_size > 0 AND b.policy_snapshot IS NOT NULL
  ORDER BY b.decided_at DESC LIMIT 1) p ON true`;

/** The fees of an order's fills in USDT: a price that was found after the order was closed counts here. */
const VALUED = sql`(SELECT sum(f.fee * CASE WHEN f.fee_asset = ${SETTLED_IN} THEN 1 ELSE f.fee_price END)
                    FROM order_fills f WHERE f.order_id = o.id)`;
const UNVALUED = sql`EXISTS (SELECT 1 FROM order_fills f WHERE f.order_id = o.id AND f.fee_asset <> ${SETTLED_IN}
                                AND f.fee <> 0 AND f.fee_price IS NULL)`;

/**
 * Returns orders as they are shown, each with what was held before and after it. `where` and `order` speak of `o`.
 */
export async function orderLines(db: Db, where: SQL, order: SQL, limit: number | null = null): Promise<OrderLine[]> {
  const list = await rows(
    db,
    OrderRow,
    sql`SELECT o.id, ${iso(sql`o.decided_at`)} AS decided_at, o.trading_mode AS mode, o.exchange AS venue, o.instrument,
               ${plain(sql`i.contract_size`)} AS contract_size, o.asset, o.side, o.order_type AS type, ${plain(sql`o.size`)} AS size,
               ${plain(sql`o.price`)} AS price, ${plain(sql`o.filled_size`)} AS filled_size,
               ${plain(sql`o.size * i.contract_size`)} AS asset_size,
               ${plain(sql`o.filled_size * i.contract_size`)} AS filled_asset_size, ${plain(sql`o.avg_fill_price`)} AS average_price,
               ${plain(sql`CASE WHEN o.filled_size > 0 THEN o.filled_size * o.avg_fill_price ELSE o.size * o.price END
                           * i.contract_size`)} AS notional_usd,
               ${plain(sql`coalesce(${VALUED}, o.fees)`)} AS fees, ${UNVALUED} AS fees_unvalued, o.status, o.reduce_only, o.timeframe, o.error_message AS error,
               ${shown} AS snapshot, p.signal AS previous_signal, p.version AS previous_version, p.hash AS previous_hash
        FROM orders o LEFT JOIN instruments i ON i.id = o.instrument ${previous}
        WHERE ${where}
        ORDER BY ${order}
        ${limit === null ? sql`` : sql`LIMIT ${limit}`}`,
  );
  const fills = await laneFills(
    db,
    list.map(({ id }) => id),
  );
  const steps = new Map([...fills].map(([lane, own]) => [lane, stepsOf(own)]));
  return list.map((row) => {
    const lane = laneKey(row.mode, row.venue, row.instrument);
    return lineOf(row, steps.get(lane) ?? [], fills.get(lane) ?? []);
  });
}

function lineOf(row: Row, steps: ReturnType<typeof stepsOf>, fills: readonly Counted[]): OrderLine {
  const decision = decisionOf(row.snapshot);
  const policy =
    row.previous_version === null || row.previous_hash === null
      ? null
      : { version: row.previous_version, hash: row.previous_hash };
  return {
    id: row.id,
    decidedAt: row.decided_at,
    instrument: row.instrument,
    asset: row.asset,
    side: row.side,
    type: row.type,
    size: row.size,
    filledSize: row.filled_size,
    assetSize: row.asset_size,
    filledAssetSize: row.filled_asset_size,
    notionalUsd: row.notional_usd,
    averagePrice: row.average_price,
    feesUsd: row.fees,
    feesUnvalued: row.fees_unvalued,
    status: row.status,
    reduceOnly: row.reduce_only,
    timeframe: row.timeframe,
    why: whyOf(decision, { signal: row.previous_signal, policy }),
    error: row.error,
    ...changed(row, decision, steps, fills),
  };
}

/** What the order did to what is held; of one without a fill, what it asks for. */
function changed(
  row: Row,
  decision: Decision | null,
  steps: ReturnType<typeof stepsOf>,
  fills: readonly Counted[],
): Pick<OrderLine, "change" | "filledAt" | "spreadUsd"> {
  const { id, side, size, type, contract_size: contractSize } = row;
  const step = steps.find(({ orderId }) => orderId === id);
  const price = step?.total.price ?? row.price ?? decision?.quote?.mark ?? null;
  const valued = { contractSize, price };
  if (step === undefined) {
    const asked = askedOf(decision?.sizing.held ?? heldAt(fills, row), side, size);
    return { change: changeLine(asked, { type }, valued, true), filledAt: null, spreadUsd: null };
  }
  const { total, at } = step;
  const quote = decision?.quote ?? null;
  const filled = { side, size: total.size, price: total.price };
  return {
    change: changeLine(step, { type }, valued, false),
    filledAt: at,
    spreadUsd:
      quote === null || contractSize === null || filled.price === null
        ? null
        : spreadUsd({ ...filled, price: filled.price }, quote, contractSize),
  };
}

/** Returns the signed contracts held when an order was decided. */
const heldAt = (fills: readonly Counted[], { decided_at: at }: Row) =>
  text(fills.filter((fill) => fill.filledAt <= at).reduce((sum, fill) => sum.plus(signed(fill)), big(0)));

/** Returns the denials of an account that stand at `at`: the newest orders of their instruments, of before it. By time and id. */
export const standingDenials = (db: Db, { mode, venue }: Account, at: Instant): Promise<OrderLine[]> =>
  orderLines(
    db,
    sql`o.trading_mode = ${mode} AND o.exchange = ${venue} AND o.status = 'denied' AND o.id IN (
          SELECT DISTINCT ON (n.instrument) n.id FROM orders n
          WHERE n.trading_mode = ${mode} AND n.exchange = ${venue} AND n.decided_at < ${at}::timestamptz
          ORDER BY n.instrument, n.decided_at DESC, n.id DESC)`,
    sql`o.decided_at, o.id`,
  );
