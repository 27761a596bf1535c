import { Interface, toQuantity } from "ethers";
import type { EvmNode } from "./anvil.ts";
import { roundAmount, sendToken } from "./calls.ts";
import type { Cast } from "./cast.ts";
import {
  allowanceSlot,
  balanceSlot,
  erc20Code,
  FACTORY,
  factoryCode,
  ROUTER,
  routerCreation,
  type SampleToken,
  stringWord,
  TOKENS,
  USDC,
  USDT,
  WETH,
  weth9Code,
} from "./contracts.ts";
import type { Market } from "./market.ts";
import { emptyPools, type Pool, syncPools } from "./pools.ts";

const factory = new Interface(["function createPair(address a, address b) returns (address)"]);
const pair = new Interface([
  "function mint(address to) returns (uint256)",
  "function balanceOf(address) view returns (uint256)",
]);

const FORK_FEE = toQuantity(1_000_000_000);
/** Blocks that the setting up may take before the first one that is recorded. */
export const SETUP_SLOTS = 24;
const SLOT_SECONDS = 12;
const MAX_UINT = `0x${"f".repeat(64)}`;
const SUPPLY = 10n ** 30n;
const wordOf = (amount: bigint): string => `0x${amount.toString(16).padStart(64, "0")}`;

/** What a holder begins with, in dollars per token; ether comes in whole ether. */
interface Purse {
  readonly stable: number;
  readonly risky: number;
  readonly ether: number;
}
const WHALE: Purse = { stable: 2.2e6, risky: 2e6, ether: 700 };
const TRADER: Purse = { stable: 120_000, risky: 90_000, ether: 60 };
const EXCHANGE: Purse = { stable: 400e6, risky: 100e6, ether: 90_000 };
const BUSINESS: Purse = { stable: 300e6, risky: 300e6, ether: 5000 };
/** A scammer's token that calls itself USDC; it is on nobody's allow-list. */
export const FAKE_USDC = "0x5afe0000000000000000000000000000005dc5dc";

/** Mines the waiting transactions into a block at `seconds`, with a base fee that never moves. */
export async function mine(node: EvmNode, seconds: number): Promise<void> {
  await node.call("evm_setNextBlockTimestamp", seconds);
  await node.call("anvil_setNextBlockBaseFeePerGas", FORK_FEE);
  await node.call("evm_mine");
}

/** Sends a transaction without waiting for a block. The fees never vary: they say nothing here. */
export const send = (node: EvmNode, call: { from: string; to?: string; data: string; value?: bigint; gas: number }) =>
  node.call("eth_sendTransaction", {
    from: call.from,
    ...(call.to ? { to: call.to } : {}),
    input: call.data,
    value: toQuantity(call.value ?? 0n),
    gas: toQuantity(call.gas),
    maxFeePerGas: toQuantity(2_000_000_000),
    maxPriorityFeePerGas: toQuantity(100_000_000),
  });

async function installTokens(node: EvmNode): Promise<void> {
  await node.call("anvil_setCode", WETH.address, weth9Code());
  await node.call("anvil_setStorageAt", WETH.address, "0x0", stringWord(WETH.name));
  await node.call("anvil_setStorageAt", WETH.address, "0x1", stringWord(WETH.symbol));
  await node.call("anvil_setStorageAt", WETH.address, "0x2", wordOf(18n));
  await node.call("anvil_setBalance", WETH.address, toQuantity(10n ** 26n));
  for (const token of TOKENS) {
    if (token === WETH) continue;
    await node.call("anvil_setCode", token.address, erc20Code(token));
    await node.call("anvil_setStorageAt", token.address, "0x0", wordOf(SUPPLY));
  }
  await node.call("anvil_setCode", FAKE_USDC, erc20Code(USDC));
}

/** Puts factory and router at their mainnet addresses; returns the time of the last block. */
async function installUniswap(node: EvmNode, founder: string, seconds: number): Promise<number> {
  await node.call("anvil_setCode", FACTORY, factoryCode());
  await node.call("anvil_setStorageAt", FACTORY, "0x1", `0x${founder.slice(2).padStart(64, "0")}`);
  const hash = await send(node, { from: founder, data: routerCreation(), gas: 6_000_000 });
  await mine(node, seconds);
  const receipt = (await node.call("eth_getTransactionReceipt", hash)) as { contractAddress: string };
  await node.call("anvil_setCode", ROUTER, await node.call("eth_getCode", receipt.contractAddress, "latest"));
  return seconds;
}

type Write = readonly [method: string, ...params: unknown[]];

function purseWrites(holder: string, purse: Purse, market: Market, atMs: number): Write[] {
  const amount = (token: SampleToken): bigint =>
    token.asset === "USD"
      ? roundAmount(token, purse.stable)
      : roundAmount(token, (token === WETH ? purse.risky / 2 : purse.risky) / market.price(token.asset, atMs));
  return [
    ["anvil_setBalance", holder, toQuantity(BigInt(purse.ether) * 10n ** 18n)],
    ...TOKENS.flatMap((token): Write[] => [
      ["anvil_setStorageAt", token.address, balanceSlot(token.address, holder), wordOf(amount(token))],
      ["anvil_setStorageAt", token.address, allowanceSlot(token.address, holder, ROUTER), MAX_UINT],
    ]),
  ];
}

async function fillPurses(node: EvmNode, cast: Cast, market: Market, atMs: number): Promise<void> {
  const purses: (readonly [readonly string[], Purse])[] = [
    [cast.whales.map(({ address }) => address), WHALE],
    [[...cast.crowd, cast.scammer], TRADER],
    [cast.exchanges, EXCHANGE],
    [[...cast.arbitrageurs, ...cast.providers, cast.founder], BUSINESS],
  ];
  for (const [holders, purse] of purses) {
    for (const holder of holders) await node.batch(purseWrites(holder, purse, market, atMs));
  }
  await node.call("anvil_setStorageAt", FAKE_USDC, balanceSlot(FAKE_USDC, cast.scammer), wordOf(SUPPLY));
}

async function fillPool(
  node: EvmNode,
  pool: Pool,
  founder: string,
  price: (token: SampleToken) => number,
): Promise<void> {
  for (const token of [pool.token0, pool.token1]) {
    const amount = wordOf(roundAmount(token, pool.depthUsd / price(token)));
    await node.call("anvil_setStorageAt", token.address, balanceSlot(token.address, pool.address), amount);
  }
  await send(node, { from: founder, to: pool.address, data: pair.encodeFunctionData("mint", [founder]), gas: 400_000 });
}

/** Gives each provider a hundredth of the shares of the pools it tends. */
async function shareOut(node: EvmNode, pools: readonly Pool[], { founder, providers }: Cast): Promise<void> {
  for (const pool of pools.filter(({ token0, token1 }) => token0 === USDC && (token1 === WETH || token1 === USDT))) {
    const data = pair.encodeFunctionData("balanceOf", [founder]);
    const shares = BigInt((await node.call("eth_call", { to: pool.address, data }, "latest")) as string);
    for (const provider of providers) {
      await send(node, sendToken(pool.address, founder, provider, shares / 100n));
      await node.call("anvil_setStorageAt", pool.address, allowanceSlot(pool.address, provider, ROUTER), MAX_UINT);
    }
  }
}

/**
 * Sets the chain up in the blocks before `startMs`: contracts, purses and pools at the market's prices. Returns the pools.
 * @throws RangeError when a pair is not where it should be.
 */
export async function prepareChain(node: EvmNode, cast: Cast, market: Market, startMs: number): Promise<Pool[]> {
  let seconds = startMs / 1000 - (SETUP_SLOTS - 1) * SLOT_SECONDS;
  const nextBlock = async () => {
    seconds += SLOT_SECONDS;
    await mine(node, seconds);
  };
  await node.call("anvil_setCoinbase", cast.founder);
  await installTokens(node);
  await fillPurses(node, cast, market, startMs);
  await installUniswap(node, cast.founder, seconds);
  const pools = emptyPools();
  for (const { token0, token1 } of pools) {
    const data = factory.encodeFunctionData("createPair", [token0.address, token1.address]);
    await send(node, { from: cast.founder, to: FACTORY, data, gas: 4_000_000 });
    await nextBlock();
  }
  const price = ({ asset }: SampleToken) => (asset === "USD" ? 1 : market.price(asset, startMs));
  for (const pool of pools) await fillPool(node, pool, cast.founder, price);
  await nextBlock();
  const receipts = (await node.call("eth_getBlockReceipts", "latest")) as { logs: Parameters<typeof syncPools>[1] }[];
  syncPools(
    pools,
    receipts.flatMap(({ logs }) => logs),
  );
  const empty = pools.find(({ reserve0, reserve1 }) => reserve0 === 0n || reserve1 === 0n);
  if (empty) throw new RangeError(`the pair ${empty.address} was not made`);
  await shareOut(node, pools, cast);
  await nextBlock();
  return pools;
}
