import { getTableColumns, inArray, sql } from "drizzle-orm";
import type { Policy } from "#trading/plans/policy";
import type { Fill } from "#trading/positions/fill";
import { type Position, positionsOf } from "#trading/positions/position";
import {
  isSettled,
  type OpenPosition,
  type PositionRow,
  positionId,
  positionRow,
  type RowInput,
} from "#trading/positions/position-row";
import type { Candle } from "#units/candle";
import { type Decimal, text, ZERO } from "#units/decimal";
import type { PositionId } from "#units/ids";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { positions } from "../schema.ts";
import { bars, usableOpening } from "../signals/prices.ts";
import type { BookFacts } from "./book-facts.ts";

/** What rows become of fills. */
export interface Rebuilt {
  /** To be written. */
  readonly rows: readonly PositionRow[];
  /** To be removed before: no episode accounts for them. */
  readonly gone: readonly PositionId[];
  /** Signed contracts. */
  readonly held: Decimal;
  readonly open: OpenPosition | null;
}

/** What the rows of an instrument are made by. */
type Making = Pick<RowInput, "account" | "instrument" | "marking"> & { readonly policy: Policy };

/**
 * Returns the position rows of one instrument from its fills alone, those of `books` and `fresh` ones: the same fills give the
 * same rows, whatever they were before. Archived episodes are over: only fills after the last of them count. Mark,
 * unrealized result, risk and drawdown are those of the marking. It reads bars where a drawdown is measured.
 */
export async function rebuiltPositions(
  db: Db,
  making: Making,
  books: BookFacts,
  fresh: readonly Fill[],
): Promise<Rebuilt> {
  const { account, instrument, marking, policy } = making;
  const { facts, funding } = books;
  const { episodes, until } = books.archive[0] ?? { episodes: 0, until: null };
  const fills = [...books.fills, ...fresh.filter(({ filledAt }) => until === null || filledAt > until)];
  const all = positionsOf(fills, instrument.contractSize);
  const unaccounted = new Map(books.positions.map((row) => [row.id, row]));
  const moving = all
    .map((episode, index) => ({ episode, ordinal: episodes + index }))
    .filter(({ episode, ordinal }) => {
      const id = positionId(account, instrument.id, ordinal);
      const before = unaccounted.get(id);
      unaccounted.delete(id);
      return before === undefined || !isSettled(before, episode);
    });
  const candlesOf = await measured(
    db,
    making,
    books,
    moving.map(({ episode }) => episode),
  );
  const rows = moving.map(({ episode, ordinal }) => {
    const candles = candlesOf(episode);
    return positionRow({ account, instrument, episode, ordinal, facts, funding, candles, marking, policy });
  });
  const open = rows.find(({ closedAt }) => closedAt === null) ?? null;
  return { rows, gone: [...unaccounted.keys()], held: all.at(-1)?.contracts ?? ZERO, open: open && openOf(open) };
}

const openOf = ({
  id,
  instrument,
  asset,
  openedAt,
  contracts,
  stopPrice,
  riskConsumed,
}: PositionRow): OpenPosition => ({
  ...{ id, instrument, asset, openedAt, contracts: text(contracts) },
  ...{ stopPrice: stopPrice && text(stopPrice), riskConsumed: text(riskConsumed) },
});

/** Returns the bars that each episode lived through, null where its drawdown is not measured now. */
async function measured(
  db: Db,
  { instrument, marking }: Making,
  { bars: known, barsSince, barsUntil }: BookFacts,
  episodes: readonly Position[],
) {
  const { at, barSeconds, measure } = marking;
  const measuring = episodes.filter(({ closedAt }) => closedAt !== null || measure);
  const from = measuring.map(({ openedAt }) => openedAt).sort()[0];
  const to = [...measuring.map(({ closedAt }) => closedAt ?? at), at].sort().at(-1) ?? at;
  const isKnown = from === undefined || (barsSince !== null && barsSince <= from && to <= barsUntil);
  const read = isKnown ? known : await bars(db, instrument.id, barSeconds, from, to);
  return (episode: Position): Candle[] | null => {
    if (!measuring.includes(episode)) return null;
    const newest = usableOpening(episode.closedAt ?? at, barSeconds);
    return read.filter(({ openedAt }) => openedAt >= episode.openedAt && openedAt <= newest);
  };
}

/** Removes position rows. */
export const removePositions = async (db: Db, ids: readonly PositionId[]): Promise<void> =>
  void (await drizzleOf(db)
    .delete(positions)
    .where(inArray(positions.id, [...ids])));

/** Returns the write of position rows, each in place of the one before it: a drawdown or a mark that is not known stays. */
export function writing(db: Db, rows: readonly PositionRow[]) {
  const { id: _, ...columns } = getTableColumns(positions);
  const excluded = (name: string) => sql`excluded.${sql.identifier(name)}`;
  const set = Object.fromEntries(Object.entries(columns).map(([key, { name }]) => [key, excluded(name)]));
  const stays = {
    maxDrawdown: sql`coalesce(${excluded("max_drawdown")}, ${positions.maxDrawdown})`,
    markPrice: sql`coalesce(${excluded("mark_price")}, ${positions.markPrice})`,
  };
  return drizzleOf(db)
    .insert(positions)
    .values([...rows])
    .onConflictDoUpdate({ target: positions.id, set: { ...set, ...stays } });
}
