import * as z from "zod";
import type { RecordedBalance } from "../schema.ts";
import type { BlockWithReceipts } from "../writer.ts";
import type { Agent, Moment } from "./agent.ts";
import { type EvmNode, startAnvil } from "./anvil.ts";
import { arbitrageAgents } from "./arbitrage.ts";
import { balanceBook } from "./balances.ts";
import type { Bet, Call } from "./calls.ts";
import { type Cast, castOf } from "./cast.ts";
import { crowdAgents } from "./crowd.ts";
import { mine, prepareChain, SETUP_SLOTS, send } from "./genesis.ts";
import { BAR_SECONDS, type Market, simulateMarket } from "./market.ts";
import { syncPools } from "./pools.ts";
import { randomOf } from "./random.ts";
import { whaleAgents } from "./whales.ts";

export const CHAIN_ID = 31_337;
const SLOT_MS = 12_000;
const HOUR_MS = 3_600_000;
const WARM_UP_MS = 8 * 24 * HOUR_MS;
/** The 24 h outcomes of the last block, and two hours of grace. */
const AFTERMATH_MS = 26 * HOUR_MS;
const MISSED = 0.008;

export interface SampleOptions {
  readonly seed: string;
  /** Slots of 12 s; about one in a hundred stays empty of a block. */
  readonly slots: number;
  /** The first slot's time: a whole bar. */
  readonly startMs: number;
  readonly progress?: (slot: number, transactions: number) => void;
}

/** A bet that a transaction of a watched wallet carried out. */
export interface PlantedBet extends Bet {
  readonly atMs: number;
  readonly block: number;
}

export interface Sample {
  readonly cast: Cast;
  readonly market: Market;
  readonly blocks: readonly BlockWithReceipts[];
  readonly balances: readonly RecordedBalance[];
  readonly bets: readonly PlantedBet[];
  readonly transactions: number;
  readonly failed: number;
}

const Log = z.object({ address: z.string(), topics: z.array(z.string()), data: z.string() });
const Receipts = z.array(
  z.object({ status: z.string(), from: z.string(), to: z.string().nullable(), logs: z.array(Log) }),
);
type Receipts = z.infer<typeof Receipts>;

/** Returns the watched wallets that a block may have changed: senders, receivers and those that a log names. */
function touched(receipts: Receipts, watched: ReadonlySet<string>): string[] {
  const named = receipts.flatMap(({ from, to, logs }) => [
    from,
    to ?? "",
    ...logs.flatMap(({ topics }) => topics.slice(1).map((topic) => `0x${topic.slice(26)}`)),
  ]);
  return [...new Set(named)].filter((address) => watched.has(address)).sort();
}

/** Returns the calls of all agents: arbitrageurs come first, the rest in random order. */
function ordered(agents: readonly Agent[], rest: readonly Agent[], moment: Moment, shuffle: (calls: Call[]) => Call[]) {
  const first = agents.flatMap((agent) => agent(moment));
  return [...first, ...shuffle(rest.flatMap((agent) => agent(moment)))];
}

async function run(node: EvmNode, options: SampleOptions, cast: Cast, market: Market): Promise<Sample> {
  const { seed, slots, startMs } = options;
  const pools = await prepareChain(node, cast, market, startMs - SLOT_MS);
  const balances = balanceBook(node);
  const watched = new Set(cast.watchlist.map(({ address }) => address));
  let number = Number(await node.call("eth_blockNumber"));
  await balances.read(number, [...watched].sort());
  const slotRandom = randomOf(seed, "slots");
  const agents = [...whaleAgents(seed, cast, startMs), ...crowdAgents(seed, cast)];
  const blocks: BlockWithReceipts[] = [];
  const bets: PlantedBet[] = [];
  let [transactions, failed] = [0, 0];
  for (let slot = 0; slot < slots; slot += 1) {
    if (slot > 0 && slotRandom.chance(MISSED)) continue;
    const moment: Moment = { atMs: startMs + slot * SLOT_MS, market, pools, held: balances.held };
    const calls = ordered(arbitrageAgents(cast), agents, moment, slotRandom.shuffled);
    for (const call of calls) await send(node, call);
    await mine(node, moment.atMs / 1000);
    number += 1;
    const block = await node.call("eth_getBlockByNumber", "latest", true);
    const answered = await node.call("eth_getBlockReceipts", "latest");
    const receipts = Receipts.parse(answered);
    if (receipts.length !== calls.length) throw new RangeError(`block ${number} lacks transactions that were sent`);
    blocks.push({ block, receipts: answered });
    syncPools(
      pools,
      receipts.flatMap(({ logs }) => logs),
    );
    await balances.read(number, touched(receipts, watched));
    receipts.forEach(({ status }, index) => {
      if (status !== "0x1") failed += 1;
      else for (const bet of calls[index]?.bets ?? []) bets.push({ ...bet, atMs: moment.atMs, block: number });
    });
    transactions += calls.length;
    options.progress?.(slot + 1, transactions);
  }
  const planted = bets.filter(({ wallet }) => watched.has(wallet));
  return { cast, market, blocks, balances: balances.rows(), bets: planted, transactions, failed };
}

/**
 * Runs the market and its people on a fresh node and returns what a recording of it holds. The same options give the same
 * blocks, hashes and all.
 * @throws AnvilError when the node is not installed or does not start.
 */
export async function generateSample(options: SampleOptions): Promise<Sample> {
  const { seed, slots, startMs } = options;
  const barMs = BAR_SECONDS * 1000;
  const endMs = startMs + slots * SLOT_MS;
  const market = simulateMarket(
    seed,
    Math.floor((startMs - WARM_UP_MS) / barMs) * barMs,
    Math.ceil((endMs + AFTERMATH_MS) / barMs) * barMs,
  );
  const cast = castOf(seed);
  const node = await startAnvil({ chainId: CHAIN_ID, genesisSeconds: startMs / 1000 - (SETUP_SLOTS + 2) * 12 });
  try {
    return await run(node, options, cast, market);
  } finally {
    await node.stop();
  }
}
