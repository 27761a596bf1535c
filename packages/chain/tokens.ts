/** A token that the desk knows. `asset` is what it is priced and biased as: WETH is ETH, WBTC is BTC. */
export interface Token {
  /** Lower case, or "native". */
  readonly address: string;
  readonly symbol: string;
  readonly asset: string;
  readonly decimals: number;
  /** money = worth one dollar; staked = a claim on staked ether; risky = the rest. */
  readonly kind: "money" | "staked" | "risky";
}

export const NATIVE = "native";
export const WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";
export const ZERO_ADDRESS = "0x0000000000000000000000000000000000000000";

const risky = (address: string, symbol: string, decimals = 18, asset = symbol): Token => ({
  address,
  symbol,
  asset,
  decimals,
  kind: "risky",
});
const money = (address: string, symbol: string, decimals: number): Token => ({
  address,
  symbol,
  asset: symbol,
  decimals,
  kind: "money",
});
const staked = (address: string, symbol: string): Token => ({
  address,
  symbol,
  asset: symbol.toUpperCase(),
  decimals: 18,
  kind: "staked",
});

/**
 * The allow-list of Ethereum mainnet. A token outside of it has no name and no price here, whatever it calls itself.
 * Addresses and decimals are those of the deployed contracts; a test compares them with a public token list.
 */
export const TOKENS: readonly Token[] = [
  risky(NATIVE, "ETH"),
  risky(WETH, "WETH", 18, "ETH"),
  risky("0x2260fac5e5542a773aa44fbcfedf7c193bc2c599", "WBTC", 8, "BTC"),
  risky("0x18084fba666a33d37592fa2633fd49a74dd93a88", "tBTC", 18, "BTC"),
  money("0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "USDC", 6),
  money("0xdac17f958d2ee523a2206206994597c13d831ec7", "USDT", 6),
  money("0x6b175474e89094c44da98b954eedeac495271d0f", "DAI", 18),
  staked("0xae7ab96520de3a18e5e111b5eaab095312d7fe84", "stETH"),
  staked("0x7f39c581f595b53c5cb19bd0b3f8da6c935e2ca0", "wstETH"),
  staked("0xae78736cd615f374d3085123a210448e74fc6393", "rETH"),
  staked("0xbe9895146f7af43049ca1c1ae358b0541ea49704", "cbETH"),
  risky("0x514910771af9ca656af840dff83e8264ecf986ca", "LINK"),
  risky("0x1f9840a85d5af5bf1d1762f925bdaddc4201f984", "UNI"),
  risky("0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9", "AAVE"),
  risky("0x9f8f72aa9304c8b593d555f12ef6589cc3a579a2", "MKR"),
  risky("0xd533a949740bb3306d119cc777fa900ba034cd52", "CRV"),
  risky("0x5a98fcbea516cf06857215779fd812ca3bef1b32", "LDO"),
  risky("0x7d1afa7b718fb893db30a3abc0cfc608aacfebb0", "MATIC", 18, "POL"),
  risky("0x455e53cbb86018ac2b8092fdcd39d8444affc3f6", "POL"),
  risky("0x95ad61b0a150d79219dcf64e1e6cc01f0b64c4ce", "SHIB"),
  risky("0x6982508145454ce325ddbe47a25d4ec3d2311933", "PEPE"),
  risky("0xc00e94cb662c3520282e6f5717214004a7f26888", "COMP"),
  risky("0xc011a73ee8576fb46f5e1c5751ca3b9fe0af2a6f", "SNX"),
  risky("0xc944e90c64b2c07662a292be6244bdf05cda44a7", "GRT"),
  risky("0xc18360217d8f7ab5e7c516566761ea12ce7f9d72", "ENS"),
  risky("0x0bc529c00c6401aef6d220be8c6ea1667f6ad93e", "YFI"),
  risky("0x6b3595068778dd592e39a122f4f5a5cf09c90fe2", "SUSHI"),
  risky("0xba100000625a3754423978a60c9317c58a424e3d", "BAL"),
  risky("0x111111111117dc0aa78b770fa6a738034120c302", "1INCH"),
  risky("0x4d224452801aced8b2f0aebe155379bb5d594381", "APE"),
  risky("0x3845badade8e6dff049820680d1f14bd3903a5d0", "SAND"),
  risky("0x0f5d2fb29fb7d3cfee444a200298f468908cc942", "MANA"),
  risky("0xd33526068d116ce69f19a9ee46f0bd304f21a51f", "RPL"),
  risky("0x4e3fbd56cd56c3e72c1403e103b45db9da5b9d2b", "CVX"),
  risky("0xb50721bcf8d664c30412cfbc6cf7a15145234ad1", "ARB"),
];

const byAddress: ReadonlyMap<string, Token> = new Map(TOKENS.map((token) => [token.address, token]));

/** Returns the token at a lower-case address (or "native"), or null when it is not on the allow-list. */
export const tokenAt = (address: string): Token | null => byAddress.get(address) ?? null;
