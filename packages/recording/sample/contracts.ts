import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { AbiCoder, getBytes, hexlify, keccak256, toUtf8Bytes, zeroPadValue } from "ethers";

const require = createRequire(import.meta.url);

/** A token of the sample, at the address that it has on Ethereum mainnet. */
export interface SampleToken {
  /** Lower case. */
  readonly address: string;
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
  /** What it is worth: an asset of the market, or "USD". */
  readonly asset: string;
}

const token = (address: string, symbol: string, name: string, decimals: number, asset: string): SampleToken => ({
  address,
  symbol,
  name,
  decimals,
  asset,
});

export const WETH = token("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "WETH", "Wrapped Ether", 18, "ETH");
export const USDC = token("0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "USDC", "USD Coin", 6, "USD");
export const USDT = token("0xdac17f958d2ee523a2206206994597c13d831ec7", "USDT", "Tether USD", 6, "USD");
export const DAI = token("0x6b175474e89094c44da98b954eedeac495271d0f", "DAI", "Dai Stablecoin", 18, "USD");
export const WBTC = token("0x2260fac5e5542a773aa44fbcfedf7c193bc2c599", "WBTC", "Wrapped BTC", 8, "BTC");
export const LINK = token("0x514910771af9ca656af840dff83e8264ecf986ca", "LINK", "ChainLink Token", 18, "LINK");
export const UNI = token("0x1f9840a85d5af5bf1d1762f925bdaddc4201f984", "UNI", "Uniswap", 18, "UNI");
export const AAVE = token("0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9", "AAVE", "Aave Token", 18, "AAVE");
export const TOKENS: readonly SampleToken[] = [WETH, USDC, USDT, DAI, WBTC, LINK, UNI, AAVE];

export const FACTORY = "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f";
export const ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d";

interface Artifact {
  readonly bytecode: string;
  readonly evm: { readonly deployedBytecode: { readonly object: string } };
}

const CORE = dirname(require.resolve("@uniswap/v2-core/package.json"));
const PERIPHERY = dirname(require.resolve("@uniswap/v2-periphery/package.json"));

const artifact = (folder: string, contract: string): Artifact =>
  JSON.parse(readFileSync(join(folder, "build", `${contract}.json`), "utf8")) as Artifact;
const runtimeOf = (folder: string, contract: string): string => artifact(folder, contract).evm.deployedBytecode.object;
const creationOf = (folder: string, contract: string): string =>
  `0x${artifact(folder, contract).bytecode.replace(/^0x/, "")}`;

export const factoryCode = (): string => `0x${runtimeOf(CORE, "UniswapV2Factory")}`;
/** Returns the code that creates a pair: its hash is part of every pair's address. */
export const pairCreation = (): string => creationOf(CORE, "UniswapV2Pair");
export const weth9Code = (): string => `0x${runtimeOf(PERIPHERY, "WETH9")}`;

/** Returns the code that creates the router: its addresses are immutables, which only a deployment writes. */
export function routerCreation(): string {
  const addresses = AbiCoder.defaultAbiCoder().encode(["address", "address"], [FACTORY, WETH.address]);
  return `${creationOf(PERIPHERY, "UniswapV2Router02")}${addresses.slice(2)}`;
}

const hex = (value: number, bytes: number): string => value.toString(16).padStart(bytes * 2, "0");
const word = (value: number): string => hex(value, 32);
const JUMPDEST = "5b";
const MSTORE = "52";
const store = (value: string, at: number): string => `7f${value}60${hex(at, 1)}${MSTORE}`;

/** Returns EVM code that returns `words` (32 bytes each). */
const returning = (...words: readonly string[]): string =>
  `${JUMPDEST}${words.map((value, index) => store(value, index * 32)).join("")}60${hex(words.length * 32, 1)}6000f3`;

function textWords(text: string): string[] {
  const bytes = hexlify(toUtf8Bytes(text)).slice(2);
  return [word(32), word(bytes.length / 2), bytes.padEnd(64, "0")];
}

/**
 * Returns an ERC-20's code with the given name, symbol and decimals: Uniswap's test token, whose three constants are
 * replaced by sending the dispatcher to a few instructions behind the program. All else is the compiled contract.
 * @throws RangeError when the artifact does not look as expected.
 */
export function erc20Code({ name, symbol, decimals }: Pick<SampleToken, "name" | "symbol" | "decimals">): string {
  // 33 zero bytes: no PUSH at the end of the old code may swallow the first new instruction.
  let code = runtimeOf(PERIPHERY, "ERC20") + "00".repeat(33);
  const getters = [
    ["06fdde03", returning(...textWords(name))],
    ["95d89b41", returning(...textWords(symbol))],
    ["313ce567", returning(word(decimals))],
  ] as const;
  for (const [selector, instructions] of getters) {
    const dispatch = new RegExp(`63${selector}1461[0-9a-f]{4}57`);
    if (!dispatch.test(code)) throw new RangeError(`the ERC-20 artifact has no entry ${selector}`);
    code = code.replace(dispatch, `63${selector}1461${hex(code.length / 2, 2)}57`) + instructions;
  }
  return `0x${code}`;
}

/** Returns the storage word that a short Solidity string is kept as. */
export function stringWord(text: string): string {
  const bytes = getBytes(toUtf8Bytes(text));
  return `0x${hexlify(bytes).slice(2).padEnd(62, "0")}${hex(bytes.length * 2, 1)}`;
}

const slotOf = (key: string, slot: string): string => keccak256(`${zeroPadValue(key, 32)}${slot.slice(2)}`);

/** Where a token keeps balances and allowances: the slots of their mappings. */
const mappings = (address: string) =>
  address === WETH.address ? { balance: 3, allowance: 4 } : { balance: 1, allowance: 2 };

export const balanceSlot = (tokenAddress: string, holder: string): string =>
  slotOf(holder, `0x${word(mappings(tokenAddress).balance)}`);

export const allowanceSlot = (tokenAddress: string, owner: string, spender: string): string =>
  slotOf(spender, slotOf(owner, `0x${word(mappings(tokenAddress).allowance)}`));
