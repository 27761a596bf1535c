import * as z from "zod";
import { NATIVE, tokenAt } from "#chain/tokens";
import { type Big, big, units } from "#units/decimal";
import type { Label, WatchedWallet } from "../schema.ts";
import type { BlockWithReceipts } from "../writer.ts";

const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const COUNTED = new Set(["ETH", "WETH", "WBTC", "USDC", "USDT", "DAI"]);
const SENDERS = 150;
const LABEL_LENGTH = 100;

const Sent = z.object({
  block: z.object({
    miner: z.string(),
    transactions: z.array(z.object({ from: z.string(), value: z.string() })),
  }),
  receipts: z.array(
    z.object({
      status: z.string(),
      logs: z.array(z.object({ address: z.string(), topics: z.array(z.string()), data: z.string() })),
    }),
  ),
});
type Sent = z.infer<typeof Sent>;

/** USD of one whole unit by asset. */
export type Prices = Readonly<Record<string, string>>;

/** Returns an amount's USD value, or null for a token that is not counted or has no price. */
function valueUsd(token: string, amount: bigint, prices: Prices): Big | null {
  const known = tokenAt(token);
  const price = known && COUNTED.has(known.symbol) ? prices[known.asset] : undefined;
  return known && price ? big(units(amount, known.decimals)).times(price) : null;
}

/** Returns what a transaction's sender gave and took in counted tokens, in USD. */
function movedUsd(sender: string, value: string, logs: Sent["receipts"][number]["logs"], prices: Prices): Big {
  const word = `0x${sender.slice(2).padStart(64, "0")}`;
  const start = valueUsd(NATIVE, BigInt(value), prices) ?? big(0);
  return logs.reduce((sum, { address, topics, data }) => {
    const own = topics.length === 3 && topics[0] === TRANSFER && (topics[1] === word || topics[2] === word);
    const moved = own && data.length === 66 ? valueUsd(address, BigInt(data), prices) : null;
    return moved ? sum.plus(moved) : sum;
  }, start);
}

/**
 * Returns the senders that moved most counted value (ETH, WETH, WBTC, USDC, USDT, DAI; sent plus received in their own
 * successful transactions), largest first, without miners and the addresses in `named`.
 */
export function largestSenders(
  blocks: readonly BlockWithReceipts[],
  prices: Prices,
  named: ReadonlySet<string>,
): { address: string; usd: Big }[] {
  const totals = new Map<string, Big>();
  const miners = new Set<string>();
  for (const entry of blocks) {
    const { block, receipts } = Sent.parse(entry);
    miners.add(block.miner);
    block.transactions.forEach(({ from, value }, index) => {
      const receipt = receipts[index];
      if (receipt?.status !== "0x1" || named.has(from)) return;
      totals.set(from, (totals.get(from) ?? big(0)).plus(movedUsd(from, value, receipt.logs, prices)));
    });
  }
  return [...totals]
    .map(([address, usd]) => ({ address, usd }))
    .filter(({ address, usd }) => usd.gt(0) && !miners.has(address))
    .sort((a, b) => b.usd.cmp(a.usd) || (a.address < b.address ? -1 : 1))
    .slice(0, SENDERS);
}

/** Returns labelled funds and DAO treasuries that are no exchange's, then the largest unlabelled senders: each once. */
export function packWatchlist(labels: readonly Label[], senders: readonly { address: string }[]): WatchedWallet[] {
  const wallets = new Map<string, WatchedWallet>();
  const exchanges = new Set(labels.filter(({ kind }) => kind === "cex").map(({ address }) => address));
  for (const { address, kind, name } of labels) {
    if ((kind !== "fund" && kind !== "dao") || exchanges.has(address)) continue;
    const tags = [...new Set([...(wallets.get(address)?.tags ?? []), kind])];
    const label = wallets.get(address)?.label ?? name.slice(0, LABEL_LENGTH).toWellFormed(); // the cut may halve a character
    wallets.set(address, { address, label, tags });
  }
  for (const { address } of senders) {
    const label = `${address.slice(0, 6)}…${address.slice(-4)}`;
    if (!wallets.has(address)) wallets.set(address, { address, label, tags: ["hindsight", "large-sender"] });
  }
  return [...wallets.values()];
}
