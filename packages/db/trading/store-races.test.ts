import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectPostgres } from "#db/server/connect";
import { readEnv } from "#runtime/config";
import { emptyServerDatabase } from "#testing/database";
import { memoryStore } from "#testing/memory/store";
import { ACCOUNT, BAR, INSTRUMENTS, rowsIn, rowsOf, START, setUp } from "#testing/memory/store-world";
import { settleOrder } from "#trading/orders/settle";
import { type NewOrder, orderIdOf } from "#trading/orders/stored-order";
import { POLICY } from "#trading/plans/policy";
import { compared } from "#trading/positions/comparison";
import type { Seen, TradingStore } from "#trading/store";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { type Drizzle, drizzleOf } from "../drizzle.ts";
import { rows } from "../rows.ts";
import { tradingControl } from "../schema.ts";
import { migrate } from "../server/migrate.ts";
import { readMigrations } from "../server/migration.ts";
import * as kind from "../shape.ts";
import { sqlStore } from "./store.ts";

// Two sessions at once, where only a real server has two: each compare-and-set and each unique key against another session.

const server = readEnv("TEST_DATABASE_URL");
const raced = test.skipIf(server === null);
const sessions: Drizzle[] = [];
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (server === null) return;
  const { url, drop } = await emptyServerDatabase(server, true);
  closing.push(drop);
  for (let session = 0; session < 3; session++) {
    const { db, migrations, close } = connectPostgres(url);
    if (session === 0) await migrate(migrations, await readMigrations("migrations"));
    sessions.push(drizzleOf(db));
    closing.unshift(close);
  }
});
afterAll(async () => {
  for (const close of closing) await close();
});

const at = instant(START);
const claim = { at, by: "submit-order", expiresAt: instant(START + 4000) };
const halt = { state: "HALTED", reason: "race", actor: "test", at } as const;
const id = orderIdOf("raced");

const fresh: NewOrder = {
  ...{
    ...ACCOUNT,
    asset: "ETH",
    instrument: "ETH-USDT-SWAP",
    timeframe: "4h",
    biasAt: at,
    epoch: 1,
    at,
    by: "plan-order",
  },
  ...{ verdict: "approved", codes: [], policySnapshot: null },
  order: {
    ...{ clientOrderId: "raced", side: "buy", type: "ioc", size: decimalOf("2"), price: decimalOf("50") },
    ...{ reduceOnly: false, stopLoss: null, riskUsd: decimalOf("1"), signal: null },
  },
};

/** Returns two sessions' stores, a third session, and the twin in memory, all with one approved order. */
async function stage() {
  const [first, second, third] = sessions;
  if (!first || !second || !third) throw new TypeError("three sessions");
  const [a, b] = [sqlStore(first), sqlStore(second)];
  const { store: twin, books } = memoryStore(await setUp(first, a));
  for (const store of [a, twin]) await store.insert(fresh);
  return { a, b, third, twin, books, kept: () => rowsOf(first) };
}

const Waiting = kind.shape("waiting session", { waiting: kind.flag });

/** Resolves when a session waits for a lock of another. */
async function someoneWaits(db: Drizzle): Promise<void> {
  for (;;) {
    const [row] = await rows(
      db,
      Waiting,
      sql`SELECT EXISTS (SELECT 1 FROM pg_stat_activity
                         WHERE datname = current_database() AND wait_event_type = 'Lock') AS waiting`,
    );
    if (row?.waiting) return;
  }
}

raced("two sessions claim one order: one wins, and the books are those of one claim", async () => {
  for (let again = 0; again < 20; again++) {
    const { a, b, twin, books, kept } = await stage();
    const claims = await Promise.all([a.claim(id, claim), b.claim(id, claim)]);
    expect(claims.filter((order) => order !== null)).toEqual([await twin.claim(id, claim)]);
    expect(rowsIn(books)).toEqual(await kept());
  }
});

raced("a claim beside a change of epoch comes before it or after it, never between", async () => {
  for (let again = 0; again < 20; again++) {
    const { a, b, twin, books, kept } = await stage();
    const [claimed] = await Promise.all([a.claim(id, claim), b.tighten("demo", halt)]);
    const steps: (() => Promise<unknown>)[] = [() => twin.claim(id, claim), () => twin.tighten("demo", halt)];
    for (const step of claimed === null ? steps.reverse() : steps) await step();
    expect(rowsIn(books)).toEqual(await kept());
  }
});

raced("a claim that finds the kill switch changing waits, and is voided by what it became", async () => {
  const { a, b, third, twin, books, kept } = await stage();
  const { state, reason, actor } = halt;
  const row = { state, reason, actor, changedAt: at, epoch: 2 };
  const claimed = await third.transaction(async (tx) => {
    await tx.update(tradingControl).set(row).where(eq(tradingControl.tradingMode, "demo"));
    const waiting = a.claim(id, claim);
    await someoneWaits(tx);
    return { waiting };
  });
  expect(await claimed.waiting).toBe(null);
  await twin.tighten("demo", halt);
  expect(await twin.claim(id, claim)).toBe(null);
  expect((await b.order(id))?.status).toBe("canceled");
  expect(rowsIn(books)).toEqual(await kept());
});

const fills = ["1", "2"].map((tradeId) => ({
  ...{ tradeId, venueOrderId: "v1", clientOrderId: "raced", instrument: "ETH-USDT-SWAP", side: "buy" as const },
  ...{ size: decimalOf("1"), price: decimalOf("50"), fee: decimalOf("0.1"), feeAsset: "USDT" },
  ...{ liquidity: "taker" as const, filledAt: at },
}));
const seen: Seen = {
  ...{ fills, feePrices: [], orderIds: [id], equity: decimalOf("1000"), mark: null, since: null },
  ...{ instrument: "ETH-USDT-SWAP", listed: INSTRUMENTS.find((one) => one.asset === "ETH") ?? null },
};
const balance = { equity: decimalOf("1000"), cash: decimalOf("1000"), available: decimalOf("900") };
const run = { account: ACCOUNT, at, by: "reconcile-orders", policy: POLICY, barSeconds: BAR };
const book = (store: TradingStore) => store.book(run, seen, (books) => settleOrder(books, null, POLICY));

raced("two sessions book the same fills: each is booked once, and the books are those of one booking", async () => {
  for (let again = 0; again < 20; again++) {
    const { a, b, twin, books, kept } = await stage();
    for (const store of [a, twin]) await store.claim(id, claim);
    const booked = await Promise.all([book(a), book(b)]);
    const once = await book(twin);
    expect(booked).toEqual([once, once]);
    expect(rowsIn(books)).toEqual(await kept());
  }
});

raced("two sessions record one run's balance: it is kept once, and as the first of them wrote it", async () => {
  for (let again = 0; again < 20; again++) {
    const { a, b, twin, books, kept } = await stage();
    await Promise.all([a.recordEquity(run, balance), b.recordEquity(run, balance)]);
    await twin.recordEquity(run, balance);
    expect(rowsIn(books)).toEqual(await kept());
  }
});

const differing = compared(null, "ETH-USDT-SWAP", at, {
  ...{ kind: "differs", ours: decimalOf("1"), theirs: decimalOf("2"), positionAt: null, seenAt: at },
});

raced("two sessions note one comparison: the second leaves what the first wrote", async () => {
  for (let again = 0; again < 20; again++) {
    const { a, b, twin, books, kept } = await stage();
    await Promise.all([a, b].map((store) => store.noteComparisons(ACCOUNT, [differing])));
    for (let time = 0; time < 2; time++) await twin.noteComparisons(ACCOUNT, [differing]);
    expect(rowsIn(books)).toEqual(await kept());
    const [stored] = await a.comparisons(ACCOUNT);
    if (!stored) throw new TypeError("no comparison");
    const next = [compared(stored, stored.instrument, at, { kind: "agrees" })];
    await Promise.all([a, b].map((store) => store.noteComparisons(ACCOUNT, next)));
    await twin.noteComparisons(ACCOUNT, next);
    expect(rowsIn(books)).toEqual(await kept());
  }
});

raced("two sessions lift one kill switch, or one lifts and one tightens: one of them is first", async () => {
  const broken = { ...halt, state: "REDUCING", lifts: ["break:ETH-USDT-SWAP"] } as const;
  const by = { reason: "race", actor: "test", at };
  for (let again = 0; again < 20; again++) {
    const { a, b, twin, books, kept } = await stage();
    for (const store of [a, twin]) {
      await store.noteComparisons(ACCOUNT, [differing]);
      await store.tighten("demo", broken);
    }
    const now = await a.control("demo");
    const lifted = await Promise.all([a.lift(ACCOUNT, now, by), b.lift(ACCOUNT, now, by)]);
    expect(lifted.filter((control) => control !== null)).toEqual([await twin.lift(ACCOUNT, now, by)]);
    expect(rowsIn(books)).toEqual(await kept());
    for (const store of [a, twin]) await store.tighten("demo", { ...broken, actor: "again" });
    const then = await a.control("demo");
    const [late] = await Promise.all([a.lift(ACCOUNT, then, by), b.tighten("demo", halt)]);
    const steps = [() => twin.lift(ACCOUNT, then, by), () => twin.tighten("demo", halt)];
    for (const step of late === null ? steps.reverse() : steps) await step();
    expect(rowsIn(books)).toEqual(await kept());
  }
});

raced("two causes at once: both are kept, and one that does not lift itself ends that", async () => {
  const cause = (name: string) => ({ ...halt, state: "REDUCING", actor: name, lifts: [name] }) as const;
  for (let again = 0; again < 20; again++) {
    const { a, b, twin, books, kept } = await stage();
    for (const store of [a, twin]) await store.tighten("demo", cause("break:X"));
    await Promise.all([a.tighten("demo", cause("break:Y")), b.tighten("demo", cause("break:Z"))]);
    for (const name of ["break:Y", "break:Z"]) await twin.tighten("demo", cause(name));
    expect(rowsIn(books)).toEqual(await kept());
    const loss = { ...cause("break:W"), lifts: [] };
    await Promise.all([a.tighten("demo", cause("break:V")), b.tighten("demo", loss)]);
    for (const change of [cause("break:V"), loss]) await twin.tighten("demo", change);
    expect(rowsIn(books)).toEqual(await kept());
  }
});

raced("two sessions insert one order: it is written once, and both are given it", async () => {
  for (let again = 0; again < 20; again++) {
    const { a, b, twin, books, kept } = await stage();
    const other = { ...fresh, order: { ...fresh.order, clientOrderId: "other" } };
    const inserted = await Promise.all([a.insert(other), b.insert(other)]);
    const once = await twin.insert(other);
    expect(inserted).toEqual([once, once]);
    expect(rowsIn(books)).toEqual(await kept());
  }
});
