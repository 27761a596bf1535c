import { type SQL, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { anyRows } from "#testing/any-rows";
import { type TestDatabase, testDatabase } from "#testing/database";
import { idOf } from "#units/ids";
import { type Instant, instant, instantOf, millis } from "#units/time";
import type { Drizzle } from "./drizzle.ts";

/** What the schema itself guarantees, in SQL. Each test rolls back. */
let database: TestDatabase;
let db: Drizzle;
let edition = "";
beforeAll(async () => {
  database = await testDatabase();
  const [row] = await anyRows(database.db, sql`SELECT app_ts_edition() AS edition`);
  edition = String(row?.edition);
});
afterAll(() => database.close());

const NOW: Instant = instantOf("2022-06-21T12:00:00.000Z");
const DAY = 86_400_000;
const daysBefore = (days: number): Instant => instant(millis(NOW) - days * DAY);
const ADDRESS = `0x${"ab".repeat(20)}`;
const WALLET = idOf("wallet", "ethereum", ADDRESS);

class RollBack extends Error {}
/** Runs a test in a transaction that is rolled back, on a database with one wallet. */
const checked = (name: string, work: () => Promise<void>) =>
  test(name, async () => {
    const run = database.db.transaction(async (transaction) => {
      db = transaction as unknown as Drizzle; // a transaction has every method that the checks use
      await db.execute(sql`INSERT INTO wallets(id, address, first_seen_at, watched_since)
                           VALUES (${WALLET}, ${ADDRESS}, ${NOW}, ${NOW})`);
      await work();
      throw new RollBack();
    });
    await expect(run).rejects.toThrow(RollBack);
  });

/** Returns the SQLSTATE that a statement fails with, or "accepted". The transaction goes on. */
async function outcome(statement: SQL): Promise<string> {
  try {
    await db.transaction(async (nested) => void (await nested.execute(statement)));
    return "accepted";
  } catch (error) {
    const cause = (error as Error).cause as { code?: string } | undefined;
    if (cause?.code === undefined) throw error;
    return cause.code;
  }
}
const UNIQUE = "23505";
const CHECK = "23514";
const FOREIGN_KEY = "23503";
const NOT_NULL = "23502";
const FORBIDDEN = "42501";
const one = async <T>(statement: SQL): Promise<T> => Object.values((await anyRows(db, statement))[0] ?? {})[0] as T;

interface Leg {
  readonly at?: Instant;
  readonly tx: string;
  readonly log: number;
  readonly block?: number;
  readonly hash?: string;
  readonly wallet?: string;
  readonly amount?: string;
}
/** Registers an event and stores it, as ingest does; returns how many were new. */
async function ingest(...legs: Leg[]): Promise<number> {
  let made = 0;
  for (const { at = NOW, tx, log, block = 10, hash = "0xh", wallet = WALLET, amount = "1" } of legs) {
    const id = idOf("event", "ethereum", hash, tx, log, wallet);
    const fresh = await anyRows(
      db,
      sql`INSERT INTO event_refs(id, "timestamp", wallet_id, chain, tx_hash, log_index, block_number, block_hash)
          VALUES (${id}, ${at}, ${wallet}, 'ethereum', ${tx}, ${log}, ${block}, ${hash})
          ON CONFLICT (chain, tx_hash, log_index, trace_address, wallet_id) WHERE reorged_at IS NULL DO NOTHING
          RETURNING id`,
    );
    if (fresh.length === 0) continue;
    made += 1;
    await db.execute(sql`
      INSERT INTO events(id, "timestamp", wallet_id, tx_hash, log_index, block_number, event_type, amount, observed_at)
      VALUES (${id}, ${at}, ${wallet}, ${tx}, ${log}, ${block}, 'transfer_in', ${amount}, ${at})`);
  }
  return made;
}
const eventId = (tx: string, log: number, hash = "0xh") => idOf("event", "ethereum", hash, tx, log, WALLET);
const countOf = (table: string) => one<number>(sql`SELECT count(*)::int FROM ${sql.identifier(table)}`);

describe("users", () => {
  checked("an address in other case is the same user", async () => {
    await db.execute(sql`INSERT INTO users(email, password_hash) VALUES ('A@x.io', 'h')`);
    expect(await outcome(sql`INSERT INTO users(email, password_hash) VALUES ('a@X.io', 'h')`)).toBe(UNIQUE);
  });
  checked("a second factor that is on has a secret", async () => {
    const user = (columns: string, values: string) =>
      outcome(sql.raw(`INSERT INTO users(email, password_hash, ${columns}) VALUES ('a@x.io', 'h', ${values})`));
    expect(await user("two_fa_enabled", "true")).toBe(CHECK);
    expect(await user("trading_mode", "'paper'")).toBe(CHECK);
  });
});

describe("wallets", () => {
  const wallet = (address: string, chain = "ethereum") =>
    outcome(sql`INSERT INTO wallets(id, address, chain, first_seen_at, watched_since)
                VALUES (${idOf("test", chain, address)}, ${address}, ${chain}, ${NOW}, ${NOW})`);
  checked("one address on two chains is two wallets, on one chain one", async () => {
    expect(await wallet(ADDRESS, "base")).toBe("accepted");
    expect(await wallet(ADDRESS)).toBe(UNIQUE);
  });
  checked("an address with checksum case is refused, for it would be a second wallet", async () => {
    expect(await wallet(`0x${"aB".repeat(20)}`)).toBe(CHECK);
    expect(await wallet(`0x${"ab".repeat(19)}`)).toBe(CHECK);
  });
  checked("addresses of other chains fit, with their case", async () => {
    expect(await wallet("9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM", "solana")).toBe("accepted");
    expect(await wallet(`bc1p${"q".repeat(58)}`, "bitcoin")).toBe("accepted");
  });
  checked("an unknown chain is refused", async () => {
    expect(await wallet("x", "mars")).toBe(FOREIGN_KEY);
  });
  checked("a token's address is stored in lower case", async () => {
    const token = (address: string) =>
      outcome(sql`INSERT INTO tokens(id, chain, address, symbol, asset, decimals)
                  VALUES (${idOf("test", address)}, 'ethereum', ${address}, 'T', 'T', 18)`);
    expect(await token(`0x${"AB".repeat(20)}`)).toBe(CHECK);
    expect(await token("native")).toBe("accepted");
  });
});

describe("events", () => {
  checked("one transaction holds several events, and two wallets may share a log", async () => {
    const other = idOf("wallet", "base", ADDRESS);
    await db.execute(sql`INSERT INTO wallets(id, address, chain, first_seen_at, watched_since)
                         VALUES (${other}, ${ADDRESS}, 'base', ${NOW}, ${NOW})`);
    expect(await ingest({ tx: "0xaa", log: 0 }, { tx: "0xaa", log: 1 }, { tx: "0xaa", log: 1, wallet: other })).toBe(3);
    expect(await countOf("events")).toBe(3);
  });
  checked("a replay inserts nothing, not even with another time", async () => {
    await ingest({ tx: "0xaa", log: 0 });
    expect(await ingest({ tx: "0xaa", log: 0, at: instant(millis(NOW) + 60_000) })).toBe(0);
    expect(await countOf("events")).toBe(1);
  });
  checked("amounts from one wei to the largest uint256 are exact", async () => {
    const uint256 = (2n ** 256n - 1n).toString();
    await ingest({ tx: "0xaa", log: 0, amount: uint256 }, { tx: "0xaa", log: 1, amount: "0.000000000000000001" });
    expect(await one(sql`SELECT max(amount)::text FROM events`)).toBe(uint256);
    expect(await one(sql`SELECT min(amount)::text FROM events`)).toBe("0.000000000000000001");
  });
  const event = (columns: string, values: string) =>
    outcome(
      sql.raw(`INSERT INTO events(id, "timestamp", wallet_id, tx_hash, event_type, observed_at, ${columns})
               VALUES ('${eventId("0xn", 0)}', '${NOW}', '${WALLET}', '0xn', 'swap', '${NOW}', ${values})`),
    );
  checked("an amount is a number, finite and not negative", async () => {
    expect(await event("amount", "'NaN'")).toBe(CHECK);
    expect(await event("amount", "'Infinity'")).toBe(CHECK);
    expect(await event("amount", "-1")).toBe(CHECK);
  });
  checked("twelve times the prior balance, a long instrument and a dear gas price fit", async () => {
    expect(await event("size_fraction, gas_price, asset", "12.5, 5000, 'BTC-USD-261225-60000-C'")).toBe("accepted");
  });
  checked("an event without a time of observation is refused", async () => {
    expect(
      await outcome(sql`INSERT INTO events(id, "timestamp", wallet_id, tx_hash, event_type)
                        VALUES (${eventId("0xn", 0)}, ${NOW}, ${WALLET}, '0xn', 'swap')`),
    ).toBe(NOT_NULL);
  });
  checked("a direction is -1, 0 or 1", async () => {
    expect(await event("direction", "2")).toBe(CHECK);
  });
  checked("an event of an unknown wallet is refused by the registry", async () => {
    const stranger = idOf("wallet", "ethereum", "nobody");
    expect(
      await outcome(sql`INSERT INTO event_refs(id, "timestamp", wallet_id, chain, tx_hash)
                        VALUES (${stranger}, ${NOW}, ${stranger}, 'ethereum', '0xcc')`),
    ).toBe(FOREIGN_KEY);
  });
  checked("a transaction hash is stored in lower case", async () => {
    expect(
      await outcome(sql`INSERT INTO event_refs(id, "timestamp", wallet_id, chain, tx_hash)
                             VALUES (${eventId("0xAA", 0)}, ${NOW}, ${WALLET}, 'ethereum', '0xAA')`),
    ).toBe(CHECK);
  });
});

describe("after a reorganisation", () => {
  checked("events above the fork leave, their registry rows stay and say when", async () => {
    await ingest({ tx: "0xaa", log: 0 }, { tx: "0xaa", log: 1 }, { tx: "0xbb", log: 0, block: 9 });
    expect(await one(sql`SELECT app_reorg('ethereum', 9, ${NOW})::int`)).toBe(2);
    expect(await countOf("events")).toBe(1);
    expect(await one(sql`SELECT count(*)::int FROM event_refs WHERE reorged_at = ${NOW}`)).toBe(2);
    expect(await one(sql`SELECT app_reorg('ethereum', 9, ${NOW})::int`)).toBe(0);
  });
  checked("the same transaction in another block is a new event", async () => {
    await ingest({ tx: "0xaa", log: 0 });
    await db.execute(sql`SELECT app_reorg('ethereum', 9, ${NOW})`);
    expect(await ingest({ tx: "0xaa", log: 0, hash: "0xother" })).toBe(1);
    expect(await one(sql`SELECT count(*)::int FROM event_refs WHERE tx_hash = '0xaa'`)).toBe(2);
  });
});

describe("scores and bias", () => {
  const score = (at: Instant, columns: string, values: string) =>
    outcome(
      sql.raw(`INSERT INTO wallet_scores(wallet_id, "timestamp", ${columns}) VALUES ('${WALLET}', '${at}', ${values})`),
    );
  checked("a wallet has one score an instant", async () => {
    expect(await score(NOW, "credibility_4h, win_rate", "7.1, 0.5555")).toBe("accepted");
    expect(await score(NOW, "credibility_4h", "1")).toBe(UNIQUE);
    expect(await one(sql`SELECT win_rate::text FROM wallet_scores`)).toBe("0.5555");
  });
  checked("credibility runs from 0 to 10, a win rate from 0 to 1", async () => {
    expect(await score(NOW, "credibility_1h", "10.1")).toBe(CHECK);
    expect(await score(NOW, "credibility_24h", "-0.1")).toBe(CHECK);
    expect(await score(NOW, "win_rate", "1.01")).toBe(CHECK);
    expect(await score(NOW, "credibility_1h, credibility_24h, win_rate", "0, 10, 1")).toBe("accepted");
  });
  checked("an older score never replaces the latest", async () => {
    const write = (at: Instant, value: number) =>
      db.execute(sql`INSERT INTO wallet_latest_scores(wallet_id, "timestamp", credibility_4h) VALUES (${WALLET}, ${at}, ${value})
        ON CONFLICT (wallet_id) DO UPDATE SET "timestamp" = excluded."timestamp", credibility_4h = excluded.credibility_4h
        WHERE excluded."timestamp" > wallet_latest_scores."timestamp"`);
    await write(NOW, 7);
    await write(daysBefore(1), 3);
    expect(await one(sql`SELECT credibility_4h::text FROM wallet_latest_scores`)).toBe("7.0");
  });
  const bias = (value: string, timeframe = "4h", confidence = "0.5") =>
    outcome(sql`INSERT INTO bias("timestamp", asset, timeframe, value, confidence)
                VALUES (${NOW}, 'ETH', ${timeframe}, ${value}, ${confidence})`);
  checked("a bias lies inside (-1, 1), once an asset, timeframe and instant", async () => {
    expect(await bias("1")).toBe(CHECK);
    expect(await bias("-1")).toBe(CHECK);
    expect(await bias("0.999999")).toBe("accepted");
    expect(await bias("0.1")).toBe(UNIQUE);
    expect(await bias("0.1", "1h", "1.1")).toBe(CHECK);
    expect(await bias("0.1", "7d")).toBe(CHECK);
  });
  const contribution = (d: number, w: number) =>
    outcome(sql`INSERT INTO bias_contributions(event_id, asset, timeframe, wallet_id, at, channel, d, w, factors)
                VALUES (${eventId("0xaa", 0)}, 'ETH', '4h', ${WALLET}, ${NOW}, 'swap', ${d}, ${w}, '{}')`);
  checked("a contribution is of a known event, with d in [-1, 1] and w in [0, 1]", async () => {
    expect(await contribution(1, 1)).toBe(FOREIGN_KEY);
    await ingest({ tx: "0xaa", log: 0 });
    expect(await contribution(1.01, 1)).toBe(CHECK);
    expect(await contribution(1, -0.01)).toBe(CHECK);
    expect(await contribution(-1, 0)).toBe("accepted");
    expect(await contribution(1, 1)).toBe(UNIQUE);
  });
  const outcomeOf = (direction: number, volatility: number, excess: number, price = 1) =>
    outcome(sql`INSERT INTO wallet_outcomes VALUES (${eventId("0xaa", 0)}, '1h', ${WALLET}, 'ETH', ${direction}, ${NOW},
                ${price}, 1, 0.01, 0, 1, ${volatility}, ${excess}, ${NOW})`);
  checked("an outcome has a direction, a price, a spread and a bounded excess", async () => {
    await ingest({ tx: "0xaa", log: 0 });
    expect(await outcomeOf(0, 0.1, 0)).toBe(CHECK);
    expect(await outcomeOf(1, 0, 0)).toBe(CHECK);
    expect(await outcomeOf(1, 0.1, 4.1)).toBe(CHECK);
    expect(await outcomeOf(1, 0.1, 0, 0)).toBe(CHECK);
    expect(await outcomeOf(-1, 0.1, -4)).toBe("accepted");
    expect(await outcomeOf(-1, 0.1, 1)).toBe(UNIQUE);
  });
  checked("an analysis is of a known event; the vector of 768 numbers fits, another length does not", async () => {
    const analysis = (size: number) =>
      outcome(
        sql.raw(`INSERT INTO event_analysis(event_id, confidence, analyzed_at, embedding)
                 VALUES ('${eventId("0xaa", 0)}', 1, '${NOW}', (array_fill(0.5::real, ARRAY[${size}])))`),
      );
    expect(await analysis(768)).toBe(FOREIGN_KEY);
    await ingest({ tx: "0xaa", log: 0 });
    expect(["22000", CHECK]).toContain(await analysis(767));
    expect(await analysis(768)).toBe("accepted");
  });
  const candle = (open: string, high: string, low: string, close: string) =>
    outcome(sql`INSERT INTO prices(instrument, bar_seconds, "timestamp", open, high, low, close, source)
                VALUES ('ETH-USDT-SWAP', 60, ${NOW}, ${open}, ${high}, ${low}, ${close}, 'test')`);
  checked("a candle's high and low hold its open and close, and every price is positive", async () => {
    expect(await candle("2", "1.9", "1", "1.5")).toBe(CHECK);
    expect(await candle("2", "3", "2.1", "2.5")).toBe(CHECK);
    expect(await candle("0", "3", "0", "2.5")).toBe(CHECK);
    expect(await candle("NaN", "NaN", "NaN", "NaN")).toBe(CHECK);
    expect(await candle("0.000000000001", "3", "0.000000000001", "2.5")).toBe("accepted");
    expect(await candle("1", "1", "1", "1")).toBe(UNIQUE);
  });
});

const ORDER = idOf("test", "order");
const order = (over: Record<string, string | null> = {}, id = ORDER) => {
  const values: Record<string, string | null> = {
    id,
    trading_mode: "demo",
    client_order_id: "c1",
    asset: "ETH",
    side: "buy",
    order_type: "market",
    size: "1",
    instrument: "ETH-USDT-SWAP",
    decided_at: NOW,
    updated_at: NOW,
    ...over,
  };
  const columns = sql.join(
    Object.keys(values).map((name) => sql.identifier(name)),
    sql`, `,
  );
  return sql`INSERT INTO orders(${columns}) VALUES (${sql.join(
    Object.values(values).map((value) => sql`${value}`),
    sql`, `,
  )})`;
};

describe("orders", () => {
  checked("a client order id is used once", async () => {
    await db.execute(order());
    expect(await outcome(order({}, idOf("test", "another")))).toBe(UNIQUE);
  });
  checked("a venue's order id is used once a venue and mode", async () => {
    await db.execute(order({ exchange_order_id: "v1" }));
    const second = { client_order_id: "c2", exchange_order_id: "v1" };
    expect(await outcome(order(second, idOf("test", "b")))).toBe(UNIQUE);
    expect(await outcome(order({ ...second, trading_mode: "live" }, idOf("test", "c")))).toBe("accepted");
  });
  checked("sizes and prices are positive numbers; tiny prices and huge sizes fit", async () => {
    const limit = { order_type: "ioc" };
    expect(await outcome(order({ size: "0" }))).toBe(CHECK);
    expect(await outcome(order({ size: "NaN" }))).toBe(CHECK);
    expect(await outcome(order({ ...limit, price: "NaN" }))).toBe(CHECK);
    expect(await outcome(order({ ...limit, price: null }))).toBe(CHECK);
    expect(await outcome(order({ ...limit, price: "0.000000000001", size: "10000000000" }))).toBe("accepted");
  });
  checked("side, type, mode and status are of their lists", async () => {
    for (const wrong of [{ side: "long" }, { order_type: "iceberg" }, { trading_mode: "paper" }, { status: "pending" }])
      expect(await outcome(order(wrong))).toBe(CHECK);
  });
  checked("no more is filled than was ordered", async () => {
    await db.execute(order());
    expect(await outcome(sql`UPDATE orders SET filled_size = 1.000000000000000001`)).toBe(CHECK);
    expect(await outcome(sql`UPDATE orders SET filled_size = 1`)).toBe("accepted");
  });
  checked("the time of the last change is the work's: no trigger overwrites it", async () => {
    await db.execute(order());
    await db.execute(sql`UPDATE orders SET status = 'approved', updated_at = ${daysBefore(-1)}`);
    expect(await one(sql`SELECT (updated_at = ${daysBefore(-1)})::int FROM orders`)).toBe(1);
    expect(await outcome(order({ updated_at: null }, idOf("test", "b")))).toBe(NOT_NULL);
  });
  checked("an order's events are numbered once and never change", async () => {
    await db.execute(order());
    const event = sql`INSERT INTO order_events(order_id, seq, at, to_status, prev_hash, hash)
                      VALUES (${ORDER}, 1, ${NOW}, 'approved', ${"0".repeat(64)}, ${"1".repeat(64)})`;
    await db.execute(event);
    expect(await outcome(event)).toBe(UNIQUE);
    expect(await outcome(sql`UPDATE order_events SET to_status = 'denied'`)).toBe(FORBIDDEN);
    expect(await outcome(sql`DELETE FROM order_events`)).toBe(FORBIDDEN);
    expect(await outcome(sql`TRUNCATE order_events`)).toBe(FORBIDDEN);
    expect(await outcome(sql`TRUNCATE orders CASCADE`)).toBe(FORBIDDEN);
    expect(await outcome(sql`DELETE FROM orders`)).toBe(FOREIGN_KEY);
  });
  checked("a venue's trade is stored once; a fill that is not ours is kept too", async () => {
    const fill = (size: string, trade = "t1") =>
      outcome(sql`INSERT INTO order_fills(trading_mode, exchange, instrument, exchange_trade_id, side, filled_at, size, price, fee, fee_asset, liquidity)
                  VALUES ('demo', 'okx', 'ETH-USDT-SWAP', ${trade}, 'buy', ${NOW}, ${size}, 1, -0.004, 'USDT', 'maker')`);
    expect(await fill("1")).toBe("accepted");
    expect(await fill("1")).toBe(UNIQUE);
    expect(await fill("0", "t2")).toBe(CHECK);
    expect(await one(sql`SELECT trim_scale(fee)::text FROM order_fills`)).toBe("-0.004");
  });
  checked("the kill switch has a row a mode: demo on, live off until armed", async () => {
    const found = await anyRows(
      db,
      sql`SELECT trading_mode AS mode, state, epoch::int FROM trading_control ORDER BY 1`,
    );
    expect(found).toEqual([
      { mode: "demo", state: "ACTIVE", epoch: 1 },
      { mode: "live", state: "HALTED", epoch: 1 },
    ]);
    expect(await outcome(sql`UPDATE trading_control SET state = 'PAUSED'`)).toBe(CHECK);
  });
});

const position = (over: Record<string, string | null> = {}, key = "p1") => {
  const values: Record<string, string | null> = {
    id: idOf("test", key),
    opened_at: NOW,
    updated_at: NOW,
    trading_mode: "demo",
    asset: "ETH",
    side: "long",
    instrument: "ETH-USDT-SWAP",
    ...over,
  };
  const columns = sql.join(
    Object.keys(values).map((name) => sql.identifier(name)),
    sql`, `,
  );
  return sql`INSERT INTO positions(${columns}) VALUES (${sql.join(
    Object.values(values).map((value) => sql`${value}`),
    sql`, `,
  )})`;
};

describe("positions", () => {
  checked("an instrument has one open position a mode and venue", async () => {
    await db.execute(position());
    expect(await outcome(position({}, "p2"))).toBe(UNIQUE);
    expect(await outcome(position({ trading_mode: "live" }, "p3"))).toBe("accepted");
    expect(await outcome(position({ closed_at: NOW }, "p4"))).toBe("accepted");
  });
  checked("a position closes after it opened", async () => {
    expect(await outcome(position({ closed_at: daysBefore(1) }))).toBe(CHECK);
  });
  checked("125 times leverage, a deep drawdown and a fee below a cent fit", async () => {
    await db.execute(position({ leverage: "125", max_drawdown: "-1250", fees_paid: "0.004" }));
    expect(await one(sql`SELECT trim_scale(fees_paid)::text FROM positions`)).toBe("0.004");
  });
  checked("the view shows the latest score and the bias of four hours", async () => {
    await db.execute(position({ signal_wallet_id: WALLET }));
    await db.execute(
      sql`INSERT INTO wallet_latest_scores(wallet_id, "timestamp", credibility_4h) VALUES (${WALLET}, ${NOW}, 7)`,
    );
    await db.execute(sql`INSERT INTO bias("timestamp", asset, timeframe, value) VALUES
      (${NOW}, 'ETH', '4h', 0.5), (${NOW}, 'ETH', '1h', -0.9), (${daysBefore(1)}, 'ETH', '4h', 0.1)`);
    const view = sql`SELECT signal_wallet, trim_scale(wallet_credibility)::text AS credibility, trim_scale(current_bias)::text AS bias
                     FROM active_positions_view`;
    expect(await anyRows(db, view)).toEqual([{ signal_wallet: ADDRESS, credibility: "7", bias: "0.5" }]);
  });
  checked("daily performance counts closed positions, archived ones too", async () => {
    const closed = { opened_at: daysBefore(40), closed_at: daysBefore(39) };
    await db.execute(position({ ...closed, realized_pnl: "5" }, "a"));
    await db.execute(position({ ...closed, realized_pnl: "-1" }, "b"));
    await db.execute(position({}, "open"));
    const performance = sql`SELECT total_trades::int AS trades, trim_scale(win_rate)::text AS win, trim_scale(total_pnl)::text AS pnl
                            FROM daily_performance_view`;
    await db.execute(sql`REFRESH MATERIALIZED VIEW daily_performance`);
    expect(await anyRows(db, performance)).toEqual([{ trades: 2, win: "0.5", pnl: "4" }]);
    expect(await one(sql`SELECT app_archive_positions(${daysBefore(30)})::int`)).toBe(2);
    expect(await countOf("positions")).toBe(1);
    await db.execute(sql`REFRESH MATERIALIZED VIEW daily_performance`);
    expect(await anyRows(db, performance)).toEqual([{ trades: 2, win: "0.5", pnl: "4" }]);
  });
});

describe("reports and the audit log", () => {
  const report = (start: Instant, end: Instant) =>
    outcome(
      sql`INSERT INTO reports(id, period_start, period_end) VALUES (${idOf("test", start, end)}, ${start}, ${end})`,
    );
  checked("a period has one report of a type, and ends after it starts", async () => {
    expect(await report(daysBefore(1), NOW)).toBe("accepted");
    expect(await report(daysBefore(1), daysBefore(0.5))).toBe(UNIQUE);
    expect(await report(NOW, NOW)).toBe(CHECK);
  });
  checked("the audit log only grows", async () => {
    await db.execute(sql`INSERT INTO audit_logs(id, seq, "timestamp", action, prev_hash, hash)
                         VALUES (${idOf("test", 1)}, 1, ${NOW}, 'x', ${"0".repeat(64)}, ${"1".repeat(64)})`);
    expect(await outcome(sql`UPDATE audit_logs SET action = 'y'`)).toBe(FORBIDDEN);
    expect(await outcome(sql`DELETE FROM audit_logs`)).toBe(FORBIDDEN);
    expect(await outcome(sql`TRUNCATE audit_logs`)).toBe(FORBIDDEN);
  });
});

describe("partitions and retention", () => {
  const placeOf = (tx: string) => one<string>(sql`SELECT tableoid::regclass::text FROM events WHERE tx_hash = ${tx}`);
  beforeEach(() => expect(["plain", "apache", "timescale"]).toContain(edition));

  checked("a row outside of every partition is kept, and moves when its partition is made", async () => {
    await ingest({ tx: "0xbb", log: 0, at: daysBefore(100) });
    if (edition === "plain") expect(await placeOf("0xbb")).toBe("events_default");
    const made = await one<number>(sql`SELECT app_ts_ensure('events', ${daysBefore(100)}, ${daysBefore(99)})`);
    expect(made).toBe(edition === "plain" ? 1 : 0);
    expect(await placeOf("0xbb")).not.toBe("events_default");
    expect(await one(sql`SELECT app_ts_ensure('events', ${daysBefore(100)}, ${daysBefore(99)})`)).toBe(0);
  });

  checked("retention drops old events; the registry, the analysis and the order stay", async () => {
    await ingest({ tx: "0xbb", log: 0, at: daysBefore(100), block: 5 }, { tx: "0xaa", log: 0 });
    const id = eventId("0xbb", 0);
    await db.execute(sql`INSERT INTO event_analysis(event_id, confidence, analyzed_at) VALUES (${id}, 1, ${NOW})`);
    await db.execute(order({ signal_event_id: id, signal_snapshot: '{"tx_hash":"0xbb"}' }));
    await db.execute(sql`SELECT app_ts_ensure('events', ${daysBefore(100)}, ${daysBefore(99)})`);
    const dropped = await anyRows(db, sql`SELECT dropped FROM app_ts_maintain(${NOW}) WHERE table_name = 'events'`);
    expect(dropped[0]?.dropped).toHaveLength(1);
    expect(await anyRows(db, sql`SELECT tx_hash FROM events`)).toEqual([{ tx_hash: "0xaa" }]);
    expect(await countOf("event_analysis")).toBe(1);
    expect(await one(sql`SELECT signal_snapshot->>'tx_hash' FROM orders WHERE signal_event_id = ${id}`)).toBe("0xbb");
    expect(await one(sql`SELECT app_prune_event_refs(${daysBefore(90)})::int`)).toBe(0);
    expect(await outcome(sql`DELETE FROM event_refs WHERE id = ${id}`)).toBe(FOREIGN_KEY);
    expect(await ingest({ tx: "0xbb", log: 0, at: daysBefore(100), block: 5 })).toBe(0);
  });

  checked("the same rows go on every backend: whole chunks that ended, whether in a partition or not", async () => {
    // Chunks of 7 days begin on Thursdays; 23 March 2022 is a Wednesday, 90 days before.
    const kept = ["2022-03-17T00:00:00.000Z", "2022-03-23T12:00:00.000Z", "2022-03-24T00:00:00.000Z"];
    const gone = ["2022-03-16T23:59:59.999Z", "2022-03-10T00:00:00.000Z", "2021-01-01T00:00:00.000Z"];
    await ingest(...[...kept, ...gone].map((at, log) => ({ tx: "0xee", log, at: instantOf(at) })));
    await db.execute(sql`SELECT app_ts_ensure('events', '2022-03-08', '2022-03-10')`); // some in partitions, some in none
    await db.execute(sql`SELECT * FROM app_ts_maintain(${NOW})`);
    const left = await anyRows(db, sql`SELECT log_index AS log FROM events ORDER BY 1`);
    expect(left).toEqual([{ log: 0 }, { log: 1 }, { log: 2 }]);
    await db.execute(sql`SELECT * FROM app_ts_maintain(${NOW})`);
    expect(await countOf("events")).toBe(3);
  });

  checked("registry rows that nothing refers to are pruned once their event is gone", async () => {
    await ingest({ tx: "0xbb", log: 0, at: daysBefore(100) }, { tx: "0xaa", log: 0 });
    expect(await one(sql`SELECT app_prune_event_refs(${daysBefore(90)})::int`)).toBe(0); // the event is still there
    await db.execute(sql`SELECT * FROM app_ts_maintain(${NOW})`);
    expect(await one(sql`SELECT app_prune_event_refs(${daysBefore(90)})::int`)).toBe(1);
    expect(await countOf("event_refs")).toBe(1);
  });

  checked("maintenance makes partitions ahead of the time it is given, whatever the clock says", async () => {
    const made = async () => one<number>(sql`SELECT made FROM app_ts_maintain(${NOW}) WHERE table_name = 'events'`);
    expect(await made()).toBe(edition === "plain" ? 3 : 0);
    expect(await made()).toBe(0);
    await ingest({ tx: "0xaa", log: 0, at: daysBefore(-6) });
    expect(await placeOf("0xaa")).not.toBe("events_default");
  });

  checked("maintenance makes the partitions of rows that came before them", async () => {
    await ingest({ tx: "0xaa", log: 0, at: daysBefore(60) }, { tx: "0xbb", log: 0, at: daysBefore(-200) });
    await db.execute(sql`SELECT * FROM app_ts_maintain(${NOW})`);
    expect([await placeOf("0xaa"), await placeOf("0xbb")]).not.toContain("events_default");
  });

  checked("every time series has its policy", async () => {
    const policies = sql`SELECT table_name AS "table", extract(day FROM keep)::int AS days FROM time_series_policies ORDER BY 1`;
    expect(await anyRows(db, policies)).toEqual([
      { table: "bias", days: 30 },
      { table: "events", days: 90 },
      { table: "prices", days: 400 },
      { table: "wallet_scores", days: 180 },
    ]);
  });
});
