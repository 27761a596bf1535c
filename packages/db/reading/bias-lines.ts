import { sql } from "drizzle-orm";
import { Explanation } from "#bias/bias";
import type { BiasLine } from "#reporting/report";
import { credibilityOf } from "#trading/plans/plan";
import { HORIZONS, type Instant } from "#units/time";
import type { Db } from "../client.ts";
import { iso, rows } from "../rows.ts";
import * as kind from "../shape.ts";
import { eventsById } from "./event-lines.ts";

const BiasRow = kind.shape("bias lines", {
  asset: kind.text,
  timeframe: kind.oneOf(...HORIZONS),
  at: kind.instant,
  value: kind.float,
  confidence: kind.orNull(kind.float),
  components: kind.orNull(kind.json),
  previous: kind.orNull(kind.float),
});

/**
 * Returns the last bias before `end` of every asset and timeframe that had one in the 24 h before, by asset and timeframe:
 * with the value as it stood before `start`, and its `terms` largest contributions, each with its event.
 */
export async function biasLines(
  db: Db,
  { start, end, terms, asset = null }: { start: Instant; end: Instant; terms: number; asset?: string | null },
): Promise<BiasLine[]> {
  const list = await rows(
    db,
    BiasRow,
    sql`SELECT k.asset, k.timeframe, ${iso(sql`b."timestamp"`)} AS at, b.value::float8 AS value,
               b.confidence::float8 AS confidence, b.components, p.value::float8 AS previous
        FROM (SELECT asset, timeframe, max("timestamp") AS latest FROM bias
              WHERE "timestamp" >= ${end}::timestamptz - interval '24 hours' AND "timestamp" < ${end}::timestamptz
                AND (${asset}::text IS NULL OR asset = ${asset}::text)
              GROUP BY asset, timeframe) k
        JOIN bias b ON b.asset = k.asset AND b.timeframe = k.timeframe AND b."timestamp" = k.latest
        LEFT JOIN LATERAL (
          SELECT q.value FROM bias q
          WHERE q.asset = k.asset AND q.timeframe = k.timeframe AND q."timestamp" < ${start}::timestamptz
          ORDER BY q."timestamp" DESC LIMIT 1
        ) p ON true
        ORDER BY k.asset, k.timeframe`,
  );
  const told = list.map((row) => ({ row, ...largestTerms(row.components, terms) }));
  const events = await eventsById(
    db,
    told.flatMap(({ largest }) => largest.map((term) => term.event_id)),
  );
  return told.map(({ row, n, credibility, largest }) => ({
    asset: row.asset,
    timeframe: row.timeframe,
    value: row.value,
    confidence: row.confidence,
    at: row.at,
    previous: row.previous,
    credibility,
    contributions: largest.map((term) => ({
      eventId: term.event_id,
      contribution: term.contribution,
      event: events.get(term.event_id) ?? null,
    })),
    others: {
      count: n - largest.length,
      contribution: nine(largest.reduce((rest, term) => rest - term.contribution, row.value)),
    },
  }));
}

const nine = (value: number): number => Math.round(value * 1e9) / 1e9 || 0;

/** @throws ZodError when the components have another shape. */
function largestTerms(components: unknown, terms: number) {
  if (components === null) return { n: 0, credibility: null, largest: [] };
  const { n, contributions } = Explanation.parse(components);
  const largest = contributions
    .filter((term) => term.contribution !== 0)
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || (a.event_id < b.event_id ? -1 : 1))
    .slice(0, terms);
  return { n, credibility: credibilityOf(contributions), largest };
}
