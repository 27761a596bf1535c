import { Interface, parseUnits } from "ethers";
import { ROUTER, type SampleToken, WETH } from "./contracts.ts";

/** A bet on the market that a call makes, for the check: +1 = the sender gains the asset. */
export interface Bet {
  readonly wallet: string;
  readonly asset: string;
  readonly direction: 1 | -1;
}

/** A transaction to send. */
export interface Call {
  readonly from: string;
  readonly to: string;
  readonly data: string;
  readonly value: bigint;
  readonly gas: number;
  readonly bets: readonly Bet[];
}

/** Native ether, as one side of a swap. */
export const ETHER = "ether";
export type Side = SampleToken | typeof ETHER;
/** Returns the token that a pool holds for a side: WETH for ether. */
export const tokenOf = (side: Side): SampleToken => (side === ETHER ? WETH : side);

const erc20 = new Interface([
  "function transfer(address to, uint256 amount)",
  "function transferFrom(address from, address to, uint256 amount)",
  "function approve(address spender, uint256 amount)",
]);
const weth = new Interface(["function deposit() payable", "function withdraw(uint256 amount)"]);
const router = new Interface([
  "function swapExactTokensForTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline)",
  "function swapExactTokensForETH(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline)",
  "function swapExactETHForTokens(uint256 amountOutMin, address[] path, address to, uint256 deadline) payable",
  "function addLiquidity(address a, address b, uint256 amountA, uint256 amountB, uint256 minA, uint256 minB, address to, uint256 deadline)",
  "function removeLiquidity(address a, address b, uint256 liquidity, uint256 minA, uint256 minB, address to, uint256 deadline)",
]);
/** 1 January 2100: no transaction of the sample is late. */
const DEADLINE = 4_102_444_800n;
const NO_BETS: readonly Bet[] = [];

/** Returns `amount` whole tokens in the token's smallest unit, cut to three significant digits as people type it. */
export const roundAmount = (side: Side, amount: number): bigint =>
  parseUnits(
    Number(Number(amount.toPrecision(3)).toFixed(8)).toFixed(tokenOf(side).decimals === 6 ? 6 : 8),
    tokenOf(side).decimals,
  );

/** Returns an amount cut to its two leading digits. */
export function coarse(amount: bigint): bigint {
  const digits = amount.toString().length;
  const unit = digits > 2 ? 10n ** BigInt(digits - 2) : 1n;
  return (amount / unit) * unit;
}

export const sendEther = (from: string, to: string, value: bigint): Call => ({
  from,
  to,
  data: "0x",
  value,
  gas: 21_000,
  bets: NO_BETS,
});

export const sendToken = (token: string, from: string, to: string, amount: bigint): Call => ({
  from,
  to: token,
  data: erc20.encodeFunctionData("transfer", [to, amount]),
  value: 0n,
  gas: 70_000,
  bets: NO_BETS,
});

/** Moves nothing out of another's wallet, and so writes a Transfer into its history: address poisoning. */
export const sendNothing = (token: string, by: string, victim: string, lookalike: string): Call => ({
  from: by,
  to: token,
  data: erc20.encodeFunctionData("transferFrom", [victim, lookalike, 0n]),
  value: 0n,
  gas: 70_000,
  bets: NO_BETS,
});

export const wrapEther = (from: string, amount: bigint): Call => ({
  from,
  to: WETH.address,
  data: weth.encodeFunctionData("deposit"),
  value: amount,
  gas: 60_000,
  bets: NO_BETS,
});

export const unwrapEther = (from: string, amount: bigint): Call => ({
  from,
  to: WETH.address,
  data: weth.encodeFunctionData("withdraw", [amount]),
  value: 0n,
  gas: 60_000,
  bets: NO_BETS,
});

/** A swap through the router. `through` are tokens between the two sides. */
export interface Swap {
  readonly from: string;
  readonly give: Side;
  readonly take: Side;
  readonly through: readonly SampleToken[];
  readonly amount: bigint;
  readonly least: bigint;
}

/** Returns the assets a swap moves: stablecoins are money, so they are no bet. */
function betsOf({ from, give, take }: Swap): Bet[] {
  const leg = (side: Side, direction: 1 | -1): Bet[] => {
    const { asset } = tokenOf(side);
    return asset === "USD" ? [] : [{ wallet: from, asset, direction }];
  };
  return [...leg(give, -1), ...leg(take, 1)];
}

export function swapCall(swap: Swap): Call {
  const { from, give, take, through, amount, least } = swap;
  const path = [tokenOf(give), ...through, tokenOf(take)].map(({ address }) => address);
  const order =
    give === ETHER
      ? router.encodeFunctionData("swapExactETHForTokens", [least, path, from, DEADLINE])
      : router.encodeFunctionData(take === ETHER ? "swapExactTokensForETH" : "swapExactTokensForTokens", [
          amount,
          least,
          path,
          from,
          DEADLINE,
        ]);
  const value = give === ETHER ? amount : 0n;
  return { from, to: ROUTER, data: order, value, gas: 160_000 + 110_000 * path.length, bets: betsOf(swap) };
}

export const addLiquidity = (from: string, a: SampleToken, b: SampleToken, amountA: bigint, amountB: bigint): Call => ({
  from,
  to: ROUTER,
  data: router.encodeFunctionData("addLiquidity", [a.address, b.address, amountA, amountB, 0n, 0n, from, DEADLINE]),
  value: 0n,
  gas: 350_000,
  bets: NO_BETS,
});

export const removeLiquidity = (from: string, a: SampleToken, b: SampleToken, liquidity: bigint): Call => ({
  from,
  to: ROUTER,
  data: router.encodeFunctionData("removeLiquidity", [a.address, b.address, liquidity, 0n, 0n, from, DEADLINE]),
  value: 0n,
  gas: 350_000,
  bets: NO_BETS,
});
