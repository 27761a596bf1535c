import { asc, eq } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { asFullBlock, type FullBlock } from "#chain/block";
import { WETH } from "#chain/tokens";
import { seedCursor } from "#db/chain/blocks";
import { walletIdOf, watchWallets } from "#db/chain/wallets";
import type { Db } from "#db/client";
import { drizzleOf } from "#db/drizzle";
import { bias, biasContributions, eventAnalysis, eventRefs, events, walletOutcomes } from "#db/schema";
import { upsertCandles } from "#db/signals/prices";
import type { Laptop } from "#local/laptop";
import { send } from "#runtime/send";
import { provide } from "#runtime/services";
import { chainNode } from "#testing/chain/chain-node";
import { generatedBlock, type PlannedTransaction, word } from "#testing/chain/generated-block";
import { NOBODY, transferLog } from "#testing/chain/tiny-recording";
import { testDesk } from "#testing/desk";
import { BUYERS } from "#testing/whale-market";
import { decimalOf } from "#units/decimal";
import { idOf, sha256 } from "#units/ids";
import { HORIZON_SECONDS, HORIZONS, instant } from "#units/time";

// Added and taken back is never added: one desk lives through reorgs, another only sees the chain that won.
const START = Date.parse("2023-11-14T12:00:00.000Z");
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const POOL = `0x${"d4".repeat(20)}`;
const ASSETS = ["ETH", "BTC"];

/** A watched wallet buys or sells thousands of dollars of ether. */
interface Move {
  readonly who: number;
  readonly buys: boolean;
  readonly thousands: number;
}
/** Blocks of moves: those that lose, then those that take their place. */
interface Round {
  readonly lost: readonly (readonly Move[])[];
  readonly won: readonly (readonly Move[])[];
}
const move = fc.record({
  who: fc.nat({ max: BUYERS.length - 1 }),
  buys: fc.boolean(),
  thousands: fc.integer({ min: 50, max: 9_000 }),
});
const blocks = (count: number, least: number) =>
  fc.array(fc.array(move, { minLength: least, maxLength: 3 }), { minLength: count, maxLength: count });
const rounds = fc.array(fc.record({ lost: blocks(2, 1), won: blocks(3, 0) }), { minLength: 2, maxLength: 4 });

function swap({ who, buys, thousands }: Move): PlannedTransaction {
  const wallet = BUYERS[who] ?? "";
  const [dollars, ether] = [BigInt(thousands) * 1000n * 10n ** 6n, BigInt(thousands) * 10n ** 18n];
  const [from, to] = buys ? [wallet, POOL] : [POOL, wallet];
  return {
    from: wallet,
    to: POOL,
    logs: [transferLog(USDC, from, to, dollars), transferLog(WETH, to, from, ether / 2n)],
  };
}

/** Returns `chain` with the blocks of a branch on its head. */
function grown(chain: readonly FullBlock[], branch: string, lists: Round["won"]): FullBlock[] {
  const longer = [...chain];
  for (const list of lists) {
    const number = longer.length + 1;
    const own = { input: word(branch) };
    const transactions = list.map((one, i) => ({ ...swap(one), ...own, nonce: 10 * number + i }));
    const planned = { number, timestamp: START / 1000 + number * 12, transactions, branch };
    const { block, receipts } = generatedBlock(planned, longer.at(-1)?.block.hash ?? NOBODY);
    longer.push(asFullBlock(block, receipts));
  }
  return longer;
}

/** Wallets with a record of sixty bets each, nearly all won, so that what they do has weight; and a day of prices. */
async function prepare(db: Db): Promise<void> {
  await watchWallets(
    db,
    "ethereum",
    BUYERS.map((address) => ({ address, label: null, tags: [] })),
    instant(START),
  );
  await seedCursor(db, "ethereum", { number: 0, hash: NOBODY });
  const bet = (address: string, horizon: (typeof HORIZONS)[number], i: number) => ({
    ...{ eventId: idOf("event", address, horizon, String(i)), horizon, walletId: walletIdOf("ethereum", address) },
    ...{ asset: "ETH", direction: 1, enteredAt: instant(START - (i + 2) * HORIZON_SECONDS[horizon] * 1000) },
    ...{
      entryPrice: decimalOf("2000"),
      exitPrice: decimalOf("2001"),
      forwardReturn: 0.01,
      marketReturn: 0,
      beta: 1,
      volatility: 0.01,
    },
    ...{ excess: i % 10 === 0 ? -0.4 : 1.1, asOf: instant(START - 1000) },
  });
  const record = BUYERS.flatMap((address) =>
    HORIZONS.flatMap((horizon) => Array.from({ length: 60 }, (_, i) => bet(address, horizon, i))),
  );
  await drizzleOf(db)
    .insert(eventRefs)
    .values(
      record.map(({ eventId, walletId, enteredAt }, i) => ({
        ...{ id: eventId, walletId, timestamp: enteredAt, chain: "ethereum" },
        ...{ txHash: `0x${sha256(eventId)}`, logIndex: i, blockNumber: 0, blockHash: NOBODY },
      })),
    );
  await drizzleOf(db).insert(walletOutcomes).values(record);
  const bars = Array.from({ length: 1440 }, (_, i) => {
    const price = decimalOf(String(2000 + (i % 7)));
    const openedAt = instant(START - 6 * 3_600_000 + i * 60_000);
    return { openedAt, open: price, high: price, low: price, close: price, volume: decimalOf("1") };
  });
  await upsertCandles(db, { instrument: "ETH-USDT-SWAP", barSeconds: 60 }, "generated", bars);
}

/** Plays the rounds on a desk of its own. Returns what it holds in the end, and of each round how many terms counted
 * before the other chain won, and the biases after. */
async function lived(plan: readonly Round[], seesLost: boolean) {
  const desk: Laptop = await testDesk({ env: { HEAD_POLL_SECONDS: "0" }, secrets: new Map() });
  const { db } = desk.database;
  let chain: FullBlock[] = [];
  provide(
    "rpc",
    chainNode(() => chain),
  );
  const follow = async (ms: number): Promise<void> => {
    await desk.runSchedule("watch-head", instant(ms));
    await desk.drain();
  };
  const score = async (ms: number): Promise<void> => {
    await send(
      "wallets",
      BUYERS.map((address) => ({ walletId: walletIdOf("ethereum", address), at: instant(ms) })),
    );
    await desk.drain();
  };
  const biases = async (ms: number) => {
    await send(
      "biases",
      ASSETS.map((asset) => ({ asset, at: instant(ms), plan: false })),
    );
    await desk.drain();
    return drizzleOf(db)
      .select()
      .from(bias)
      .where(eq(bias.timestamp, instant(ms)))
      .orderBy(asc(bias.asset), asc(bias.timeframe));
  };
  const told: { counted: number; after: unknown }[] = [];
  try {
    await prepare(db);
    await score(START);
    chain = grown([], "main", [[{ who: 0, buys: true, thousands: 900 }]]);
    for (const [i, { lost, won }] of plan.entries()) {
      const at = START + (i + 1) * 600_000;
      const base = chain;
      if (seesLost) chain = grown(base, `lost-${i}`, lost);
      await follow(at);
      const counted = (await biases(at + 60_000)).reduce((sum, row) => sum + (row.components as { n: number }).n, 0);
      chain = grown(base, `won-${i}`, won);
      await follow(at + 120_000);
      await score(at + 121_000);
      told.push({ counted, after: await biases(at + 180_000) });
    }
    expect(desk.deadLetters()).toEqual([]);
    const held = {
      events: (await drizzleOf(db).select().from(events).orderBy(asc(events.id))).map(
        ({ processedAt, ...event }) => event,
      ),
      analyses: (await drizzleOf(db).select().from(eventAnalysis).orderBy(asc(eventAnalysis.eventId))).map(
        ({ createdAt, ...analysis }) => analysis,
      ),
      contributions: await drizzleOf(db)
        .select()
        .from(biasContributions)
        .orderBy(asc(biasContributions.eventId), asc(biasContributions.asset), asc(biasContributions.timeframe)),
    };
    return { told, held };
  } finally {
    await desk.close();
  }
}

test("what a reorg took back leaves events, analyses and every later bias as if it had never been", async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (plan) => {
      const through = await lived(plan, true);
      const never = await lived(plan, false);
      expect(through.held).toEqual(never.held);
      expect(through.told.map(({ after }) => after)).toEqual(never.told.map(({ after }) => after));
      // It was there: while it stood, it counted.
      for (const [i, { counted }] of through.told.entries()) expect(counted).toBeGreaterThan(never.told[i]!.counted);
      expect(never.held.contributions.every(({ w }) => w > 0)).toBe(true);
    }),
    { numRuns: 2, endOnFailure: true },
  );
});
