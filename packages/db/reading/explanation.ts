import { type SQL, sql } from "drizzle-orm";
import { type ExplainRecords, explainOrder, type OrderFact } from "#reporting/explain";
import type { Explanation } from "#reporting/explanation";
import { orderText } from "#reporting/order-text";
import type { WaitingPolicy } from "#reporting/waiting";
import { TradingMode } from "#trading/mode";
import type { Counted } from "#trading/positions/step";
import { PROTECTION_KINDS } from "#trading/protection/protection";
import { OrderId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, plain, rows } from "../rows.ts";
import * as kind from "../shape.ts";
import { laneFills } from "./lane-fills.ts";
import { orderLines } from "./order-lines.ts";
import { positionLines } from "./position-lines.ts";

const NameRow = kind.shape("orders by name", { id: kind.id("order"), client_order_id: kind.text });
const OneRow = kind.shape("explained order", {
  mode: kind.oneOf(...TradingMode.options),
  venue: kind.text,
  instrument: kind.text,
  client_order_id: kind.text,
  venue_order_id: kind.orNull(kind.text),
  contract_size: kind.orNull(kind.decimal),
  snapshot: kind.orNull(kind.json),
  model_version: kind.orNull(kind.text),
});
const FactRow = kind.shape("orders of an episode", {
  id: kind.id("order"),
  type: kind.text,
  stop_loss: kind.orNull(kind.decimal),
});
const EventRow = kind.shape("events of an explained order", {
  at: kind.instant,
  status: kind.text,
  detail: kind.json,
});
const ResultRow = kind.shape("position of an order", {
  id: kind.id("position"),
  side: kind.oneOf("long", "short"),
  opened_at: kind.instant,
  closed_at: kind.orNull(kind.instant),
  realized: kind.orNull(kind.decimal),
  unrealized: kind.orNull(kind.decimal),
  mark_price: kind.orNull(kind.decimal),
  fees: kind.decimal,
  fees_unvalued: kind.flag,
  funding: kind.decimal,
});
const ProtectionRow = kind.shape("protections of a position", {
  id: kind.text,
  kind: kind.oneOf(...PROTECTION_KINDS),
  trigger: kind.decimal,
  size: kind.orNull(kind.decimal),
  status: kind.text,
  reason: kind.orNull(kind.text),
  exposed_at: kind.instant,
  wanted_at: kind.instant,
  live_at: kind.orNull(kind.instant),
  ended_at: kind.orNull(kind.instant),
});
type One = kind.RowOf<typeof OneRow>;
type Result = kind.RowOf<typeof ResultRow>;

/** An order that a name could mean, in the words of the report. */
export interface Candidate {
  readonly id: OrderId;
  readonly clientOrderId: string;
  readonly text: string;
}

/** What is known of the order of a name; or why the name means none, or more than one, and which it could mean. */
export type Explained =
  | { readonly found: true; readonly explanation: Explanation }
  | { readonly found: false; readonly why: string; readonly candidates: readonly Candidate[] };

/** So few letters mean any order. */
const LEAST_LETTERS = 4;
const CANDIDATES = 5;
/** More than an order lives through: a look a minute of one that rests for a day. */
const MOST_EVENTS = 2000;

/**
 * Returns what is known of an order by its id, its client order id, or the beginning of one that no other order has, read from
 * one snapshot of the database. A name of none or of several comes with those it could mean: the newest, five at most. `policy`
 * is the one in force: what waits at the venue is told by it.
 */
export const explained = (db: Db, name: string, policy: WaitingPolicy): Promise<Explained> =>
  drizzleOf(db).transaction((tx) => named(tx, name.trim(), policy), {
    isolationLevel: "repeatable read",
    accessMode: "read only",
  });

async function named(db: Db, name: string, policy: WaitingPolicy): Promise<Explained> {
  const found = await byName(db, name);
  const [only] = found;
  if (only !== undefined && found.length === 1)
    return { found: true, explanation: await explanationOf(db, only.id, policy) };
  if (only !== undefined) {
    const why = `${found.length > CANDIDATES ? `more than ${CANDIDATES}` : found.length} orders begin with it: give more of one`;
    return { found: false, why, candidates: await candidates(db, found.slice(0, CANDIDATES)) };
  }
  const newest = await orderNames(db, sql`true`, CANDIDATES);
  const few = name.length < LEAST_LETTERS ? `give ${LEAST_LETTERS} letters of it at least` : "no order has it";
  const why = newest.length === 0 ? `${few}, and this desk has none` : `${few}; the newest are`;
  return { found: false, why, candidates: await candidates(db, newest) };
}

const orderNames = (db: Db, where: SQL, limit: number) =>
  rows(
    db,
    NameRow,
    sql`SELECT o.id, o.client_order_id FROM orders o WHERE ${where} ORDER BY o.decided_at DESC, o.id LIMIT ${limit}`,
  );

/** Returns the order of a whole name, else the first that begin with it, one more than are told. */
async function byName(db: Db, name: string) {
  const id = OrderId.safeParse(name.toLowerCase());
  const whole = await orderNames(db, id.success ? sql`o.id = ${id.data}` : sql`o.client_order_id = ${name}`, 1);
  if (whole.length > 0 || name.length < LEAST_LETTERS) return whole;
  // Letters and digits all sort before "~", byte by byte.
  const byClient = sql`o.client_order_id ~>=~ ${name}::text AND o.client_order_id ~<~ ${`${name}~`}::text`;
  const span = idsFrom(name.toLowerCase());
  const byId = span === null ? sql`false` : sql`o.id BETWEEN ${span.first}::uuid AND ${span.last}::uuid`;
  return orderNames(db, sql`((${byClient}) OR (${byId}))`, CANDIDATES + 1);
}

/** Returns the least and the greatest id that begin with `name`; null where no id does. */
function idsFrom(name: string): { readonly first: string; readonly last: string } | null {
  const digits = name.replaceAll("-", "");
  if (!/^[0-9a-f]{1,32}$/.test(digits)) return null;
  return { first: digits.padEnd(32, "0"), last: digits.padEnd(32, "f") };
}

async function candidates(db: Db, list: readonly kind.RowOf<typeof NameRow>[]): Promise<Candidate[]> {
  if (list.length === 0) return [];
  const ids = list.map(({ id }) => id);
  const lines = await orderLines(db, sql`o.id = ANY(${sql.param(ids)}::uuid[])`, sql`o.decided_at DESC, o.id`);
  const clientIds = new Map(list.map((row) => [row.id, row.client_order_id]));
  return lines.map((line) => ({ id: line.id, clientOrderId: clientIds.get(line.id) ?? "", text: orderText(line) }));
}

async function explanationOf(db: Db, id: OrderId, policy: WaitingPolicy): Promise<Explanation> {
  const [line] = await orderLines(db, sql`o.id = ${id}`, sql`o.id`);
  const [one] = await rows(
    db,
    OneRow,
    sql`SELECT o.trading_mode AS mode, o.exchange AS venue, o.instrument, o.client_order_id,
               o.exchange_order_id AS venue_order_id, ${plain(sql`i.contract_size`)} AS contract_size,
               (o.policy_snapshot #- ARRAY['bias', 'components']) - ARRAY['wallets', 'analyses'] AS snapshot,
               o.policy_snapshot #>> ARRAY['bias', 'components', 'model_version'] AS model_version
        FROM orders o LEFT JOIN instruments i ON i.id = o.instrument WHERE o.id = ${id}`,
  );
  if (line === undefined || one === undefined) throw new TypeError(`order ${id} was there a moment ago`);
  const fills = [...(await laneFills(db, [id], { after: true })).values()].flat();
  const at = fills.findLast(({ orderId }) => orderId === id)?.filledAt ?? line.decidedAt;
  const row = await resultAt(db, one, at);
  return explainOrder({
    ...{ line, mode: one.mode, venue: one.venue, clientOrderId: one.client_order_id, venueOrderId: one.venue_order_id },
    ...{ snapshot: one.snapshot, modelVersion: one.model_version, contractSize: one.contract_size, fills },
    facts: await factsOf(db, fills),
    events: await eventsOf(db, id),
    protections: row === null ? [] : await protectionsOf(db, one, row),
    result: row === null ? null : resultOf(row),
    open:
      row === null
        ? null
        : ((await positionLines(db, policy, sql`p.id = ${row.id} AND p.closed_at IS NULL`))[0] ?? null),
  });
}

async function factsOf(db: Db, fills: readonly Counted[]): Promise<Map<OrderId, OrderFact>> {
  const ids = [...new Set(fills.flatMap(({ orderId }) => orderId ?? []))];
  if (ids.length === 0) return new Map();
  const list = await rows(
    db,
    FactRow,
    sql`SELECT o.id, o.order_type AS type, ${plain(sql`o.stop_loss`)} AS stop_loss FROM orders o
        WHERE o.id = ANY(${sql.param(ids)}::uuid[])`,
  );
  return new Map(list.map(({ id, type, stop_loss: stopLoss }) => [id, { type, stopLoss }]));
}

const eventsOf = (db: Db, id: OrderId) =>
  rows(
    db,
    EventRow,
    sql`SELECT ${iso(sql`e.at`)} AS at, e.to_status AS status, e.detail FROM order_events e
        WHERE e.order_id = ${id} ORDER BY e.seq LIMIT ${MOST_EVENTS}`,
  );

const lane = (alias: SQL, { mode, venue, instrument }: One): SQL =>
  sql`${alias}.trading_mode = ${mode} AND ${alias}.exchange = ${venue} AND ${alias}.instrument = ${instrument}`;

/** Returns the stored position that was open at an instant, an archived one too; of a flip's two the later one. */
async function resultAt(db: Db, one: One, at: Instant): Promise<Result | null> {
  const part = (table: SQL) => sql`
    SELECT p.id, p.side, p.opened_at, p.closed_at, p.realized_pnl, p.unrealized_pnl, p.mark_price, p.fees_paid, p.fees_unvalued, p.funding_paid
    FROM ${table} p WHERE ${lane(sql`p`, one)} AND p.opened_at <= ${at}::timestamptz
      AND (p.closed_at IS NULL OR p.closed_at >= ${at}::timestamptz)`;
  const [row] = await rows(
    db,
    ResultRow,
    sql`SELECT p.id, p.side, ${iso(sql`p.opened_at`)} AS opened_at, ${iso(sql`p.closed_at`)} AS closed_at,
               ${plain(sql`p.realized_pnl`)} AS realized, ${plain(sql`p.unrealized_pnl`)} AS unrealized,
               ${plain(sql`p.mark_price`)} AS mark_price, ${plain(sql`p.fees_paid`)} AS fees, p.fees_unvalued,
               ${plain(sql`p.funding_paid`)} AS funding
        FROM (${part(sql`positions`)} UNION ALL ${part(sql`positions_archive`)}) p
        ORDER BY p.opened_at DESC LIMIT 1`,
  );
  return row ?? null;
}

const resultOf = (row: Result): ExplainRecords["result"] => ({
  ...{ side: row.side, openedAt: row.opened_at, closedAt: row.closed_at, markPrice: row.mark_price },
  ...{ realizedUsd: row.realized, unrealizedUsd: row.unrealized, feesUsd: row.fees, fundingUsd: row.funding },
  feesUnvalued: row.fees_unvalued,
});

/** Returns what was asked of the venue to end a position at a price. One that has ended did so while it was held, or soon after. */
async function protectionsOf(db: Db, one: One, { id, opened_at }: Result): Promise<ExplainRecords["protections"]> {
  const list = await rows(
    db,
    ProtectionRow,
    sql`SELECT x.algo_cl_ord_id AS id, x.kind, ${plain(sql`x.trigger`)} AS trigger, ${plain(sql`x.size`)} AS size, x.status,
               x.reason, ${iso(sql`x.exposed_at`)} AS exposed_at, ${iso(sql`x.wanted_at`)} AS wanted_at,
               ${iso(sql`x.live_at`)} AS live_at, ${iso(sql`x.ended_at`)} AS ended_at
        FROM protections x
        WHERE ${lane(sql`x`, one)} AND x.episode = ${id}
          AND (x.ended_at IS NULL OR x.ended_at >= ${opened_at}::timestamptz)
        ORDER BY x.wanted_at, x.algo_cl_ord_id`,
  );
  return list.map((row) => ({
    ...{ kind: row.kind === "stop" ? ("stop" as const) : ("take-profit" as const), id: row.id, trigger: row.trigger },
    ...{ size: row.size, status: row.status, reason: row.reason },
    ...{ exposedAt: row.exposed_at, wantedAt: row.wanted_at, liveAt: row.live_at, endedAt: row.ended_at },
  }));
}
