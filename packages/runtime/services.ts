import type { Db } from "#db/client";
import type { MigrationConnection } from "#db/migrate";
import type { Need } from "#topology/topology";
import type { Exchange, Market } from "#trading/exchange";
import type { Rpc } from "./rpc.ts";

interface All {
  readonly database: Db;
  readonly schema: MigrationConnection;
  readonly rpc: Rpc;
  readonly market: Market;
  readonly exchange: Exchange;
}

/** The services of a list of needs. */
export type Services<N extends Need> = { readonly [K in N]: All[K] };

// Imported only when first needed; the bundler drops those that a function's needs do not name.
const open: { readonly [N in Need]: () => Promise<All[N]> } = {
  database: async () => (await import("./open-database.ts")).openDatabase(),
  schema: async () => (await import("./open-schema.ts")).openSchema(),
  rpc: async () => (await import("./open-rpc.ts")).openRpc(),
  market: async () => (await import("./open-market.ts")).openMarket(),
  exchange: async () => (await import("./open-exchange.ts")).openExchange(),
};

const opened: Partial<Record<Need, Promise<unknown>>> = {};

/** Gives this process a service that is already open (an embedded database), or forgets it (null). */
export function provide<N extends Need>(need: N, value: All[N] | null): void {
  if (value === null) delete opened[need];
  else opened[need] = Promise.resolve(value);
}

/**
 * Returns the services of `needs`, each opened once per process.
 * @throws ConfigError, SecretError when one cannot be opened; the next call tries again.
 */
export async function services<N extends Need>(needs: readonly N[]): Promise<Services<N>> {
  const entries = needs.map(async (need) => {
    opened[need] ??= open[need]();
    try {
      return [need, await opened[need]] as const;
    } catch (error) {
      delete opened[need];
      throw error;
    }
  });
  return Object.fromEntries(await Promise.all(entries)) as unknown as Services<N>; // fromEntries forgets which key has which value
}
