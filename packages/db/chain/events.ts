import { eq, sql } from "drizzle-orm";
import { ChainEvent, EventType } from "#chain/event";
import type { Decimal } from "#units/decimal";
import type { EventId, WalletId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, plain, rows } from "../rows.ts";
import { events, wallets } from "../schema.ts";
import * as kind from "../shape.ts";

const PastRow = kind.shape("history of a wallet", {
  id: kind.id("event"),
  at: kind.instant,
  type: kind.oneOf(...EventType.options),
  asset: kind.orNull(kind.text),
  direction: kind.oneOfInts(-1, 0, 1),
  usd: kind.orNull(kind.decimal),
  tx: kind.text,
});

/** An event with the wallet that it is of. */
export interface StoredEvent {
  readonly event: ChainEvent;
  readonly wallet: {
    readonly id: string;
    readonly address: string;
    readonly label: string | null;
    readonly tags: readonly string[];
    readonly watchedSince: Instant;
  };
}

/** Where an event is on its chain. */
export type ChainPosition = Pick<ChainEvent, "blockNumber" | "logIndex"> & { readonly txIndex: number };

/** Returns an event's place on its chain. */
export const positionOf = ({ blockNumber, logIndex, evidence }: ChainEvent): ChainPosition => ({
  blockNumber,
  logIndex,
  txIndex: evidence.txIndex,
});

/**
 * Returns an event with its wallet, or null when there is none: never written, taken back by a reorg, or past retention.
 * @throws ZodError when the stored row breaks the event's contract.
 */
export async function eventById(db: Db, id: EventId): Promise<StoredEvent | null> {
  const [row] = await drizzleOf(db)
    .select()
    .from(events)
    .innerJoin(wallets, eq(events.walletId, wallets.id))
    .where(eq(events.id, id));
  if (!row) return null;
  const { id: walletId, address, label, tags, watchedSince } = row.wallets;
  const { eventType: type, gasPrice: gasPriceGwei, rawData: evidence, ...rest } = row.events;
  const event = ChainEvent.parse({ ...rest, type, gasPriceGwei, evidence, wallet: address });
  return { event, wallet: { id: walletId, address, label, tags, watchedSince } };
}

/** What a streak or a round trip is read from. */
export interface PastEventRow {
  readonly id: EventId;
  readonly timestamp: Instant;
  readonly type: EventType;
  readonly asset: string | null;
  readonly direction: -1 | 0 | 1;
  readonly notionalUsd: Decimal | null;
  readonly txHash: string;
}

/**
 * Returns a wallet's events since `since` that stand before `before` on the chain, ascending by chain position, at most
 * the newest `limit`. By position, not by arrival: the answer for an event is the same whatever was ingested after it.
 */
export async function walletHistory(
  db: Db,
  walletId: WalletId,
  before: ChainPosition,
  since: Instant,
  limit = 500,
): Promise<PastEventRow[]> {
  const place = sql`coalesce((raw_data ->> 'txIndex')::int, 0)`;
  const list = await rows(
    db,
    PastRow,
    sql`SELECT id, ${iso(sql`"timestamp"`)} AS at, event_type AS type, asset, direction::int AS direction,
               ${plain(sql`notional_usd`)} AS usd, tx_hash AS tx
        FROM events
        WHERE wallet_id = ${walletId}::uuid AND "timestamp" >= ${since}::timestamptz
          AND (block_number, ${place}, log_index) < (${before.blockNumber}::bigint, ${before.txIndex}::int, ${before.logIndex}::int)
        ORDER BY block_number DESC, ${place} DESC, log_index DESC, id LIMIT ${limit}`,
  );
  return list.reverse().map(({ at, usd, tx, ...row }) => ({ ...row, timestamp: at, notionalUsd: usd, txHash: tx }));
}
