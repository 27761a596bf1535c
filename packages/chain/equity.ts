import { type Big, big, type Decimal, decimalOf, units } from "#units/decimal";
import type { NativeBalance } from "./net.ts";
import { NATIVE, TOKENS, type Token } from "./tokens.ts";
import type { Prices } from "./value.ts";

/** A balance to ask for: base units at the end of a block. */
export interface BalanceQuestion {
  readonly address: string;
  /** "native" or a contract. */
  readonly token: string;
  readonly block: number;
}

/** What the balances around a block say. */
export interface Holdings {
  /** Only wallets whose ether is known at both ends. */
  readonly native: ReadonlyMap<string, NativeBalance>;
  /** USD of the priced tokens at the end of the block before; null when one of them is unknown. */
  readonly equity: ReadonlyMap<string, Decimal | null>;
}

/** ETH, WETH, WBTC and the stablecoins: what a wallet's equity is taken from. */
const held = (prices: Prices): readonly Token[] => TOKENS.filter((token) => prices.has(token.asset));

/**
 * Returns the balances to ask for: per wallet its ether before and after block `number`, and its priced tokens before.
 * None for the first block of a chain.
 */
export function balanceQuestions(wallets: readonly string[], number: number, prices: Prices): BalanceQuestion[] {
  if (number === 0) return [];
  return [...new Set(wallets)].flatMap((address) => [
    { address, token: NATIVE, block: number },
    { address, token: NATIVE, block: number - 1 },
    ...held(prices)
      .filter((token) => token.address !== NATIVE)
      .map((token) => ({ address, token: token.address, block: number - 1 })),
  ]);
}

/** Returns what the answers to `questions` (in their order; null = unknown) say. */
export function holdingsOf(
  questions: readonly BalanceQuestion[],
  answers: readonly (bigint | null)[],
  number: number,
  prices: Prices,
): Holdings {
  const known = new Map(
    questions.map(({ address, token, block }, i) => [key(address, token, block), answers[i] ?? null]),
  );
  const native = new Map<string, NativeBalance>();
  const equity = new Map<string, Decimal | null>();
  for (const address of new Set(questions.map((question) => question.address))) {
    const before = known.get(key(address, NATIVE, number - 1)) ?? null;
    const after = known.get(key(address, NATIVE, number)) ?? null;
    if (before !== null && after !== null) native.set(address, { before, after });
    equity.set(
      address,
      equityOf((token) => known.get(key(address, token, number - 1)) ?? null, prices),
    );
  }
  return { native, equity };
}

const key = (address: string, token: string, block: number): string => `${address} ${token} ${block}`;

function equityOf(balance: (token: string) => bigint | null, prices: Prices): Decimal | null {
  if (!prices.has("ETH")) return null;
  let total: Big = big(0);
  for (const token of held(prices)) {
    const amount = balance(token.address);
    const price = prices.get(token.asset);
    if (amount === null || !price) return null;
    total = total.plus(big(units(amount, token.decimals)).times(price.usd));
  }
  return decimalOf(total.toFixed(2));
}
