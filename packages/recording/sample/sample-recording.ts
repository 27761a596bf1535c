import { swapOf } from "#units/candle";
import type { RecordingContent } from "../writer.ts";
import { CHAIN_ID, type Sample } from "./generate.ts";
import { instrumentRows } from "./instruments.ts";
import { ASSETS, BAR_SECONDS } from "./market.ts";
import { TRUTH_FILE } from "./planted.ts";

/** Ethereum's own: `safe` trails by an epoch, `finalized` by two. */
const FINALITY = { safeLag: 32, finalizedLag: 64 };

const NOTE =
  "Generated, not recorded: a local EVM node, a simulated market and scripted wallets. Tokens, factory, pairs and router " +
  "stand at their mainnet addresses; every other address belongs to nobody. What was planted is in truth.json.";

/** Returns a sample in the form that a recording is written from. */
export function sampleContent(sample: Sample, seed: string): RecordingContent {
  const { cast, market, blocks, balances, bets } = sample;
  const whales = cast.whales.map((whale) => ({
    ...whale,
    bets: bets.filter(({ wallet }) => wallet === whale.address).length,
  }));
  return {
    manifest: {
      name: "sample",
      kind: "generated",
      note: NOTE,
      chain: "ethereum",
      chainId: CHAIN_ID,
      explorer: null,
      barSeconds: BAR_SECONDS,
      finality: FINALITY,
      sources: [
        `npm run make-sample -- --seed ${seed}: anvil 1.7.1, @uniswap/v2-core 1.0.1, @uniswap/v2-periphery 1.1.0-beta.0`,
      ],
    },
    blocks,
    candles: Object.fromEntries(ASSETS.map((asset) => [swapOf(asset), market.bars(asset)])),
    instruments: instrumentRows(),
    watchlist: cast.watchlist,
    labels: cast.labels,
    balances,
    extra: { [TRUTH_FILE]: `${JSON.stringify({ seed, whales }, null, 2)}\n` },
  };
}
