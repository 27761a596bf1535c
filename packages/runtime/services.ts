import type { ChainNode } from "#chain/node";
import type { Db } from "#db/client";
import type { Need } from "#topology/job";
import type { ControlBoard } from "#trading/control-object";
import type { RecordCopy } from "#trading/record-head";
import type { TradingStore } from "#trading/store";
import type { Exchange, Market } from "#trading/venue";
import { type Opened, plain } from "./opened.ts";
import type { SchemaAccess } from "./postgres/open-schema.ts";
import { expireSecret, isCurrent } from "./secret.ts";

interface All {
  readonly database: Db;
  readonly books: TradingStore;
  readonly schema: SchemaAccess;
  readonly rpc: ChainNode;
  readonly market: Market;
  readonly exchange: Exchange;
  /** Null where the stage keeps none. */
  readonly copy: RecordCopy | null;
  readonly control: ControlBoard;
}

/** The services of a list of needs. */
export type Services<N extends Need> = { readonly [K in N]: All[K] };

// Imported only when first needed; the bundler drops those that a function's needs do not name.
const open: { readonly [N in Need]: () => Promise<Opened<All[N]>> } = {
  database: async () => (await import("./postgres/open-database.ts")).openDatabase(),
  books: async () => (await import("./open-books.ts")).openBooks((await current("database")).service as Db),
  schema: async () => (await import("./postgres/open-schema.ts")).openSchema(),
  rpc: async () => (await import("./node/open-rpc.ts")).openRpc(),
  market: async () => (await import("./okx/open-market.ts")).openMarket(),
  exchange: async () => (await import("./okx/open-exchange.ts")).openExchange(),
  copy: async () => (await import("./open-copy.ts")).openCopy(),
  control: async () => (await import("./open-control.ts")).openControl(),
};

const opened: Partial<Record<Need, Promise<Opened<unknown>>>> = {};

/** Gives this process a service that is already open (an embedded database), or forgets it (null). */
export function provide<N extends Need>(need: N, value: All[N] | null): void {
  if (value === null) delete opened[need];
  else opened[need] = Promise.resolve(plain(value));
}

/**
 * Returns the services of `needs`, each opened once per process, and again once the secret that it was opened with has
 * changed.
 * @throws ConfigError, SecretError when one cannot be opened; the next call tries again.
 */
export async function services<N extends Need>(needs: readonly N[]): Promise<Services<N>> {
  const entries = needs.map(async (need) => [need, (await current(need)).service] as const);
  return Object.fromEntries(await Promise.all(entries)) as unknown as Services<N>; // fromEntries forgets which key has which value
}

async function current(need: Need): Promise<Opened<unknown>> {
  const before = opened[need];
  if (before) {
    const { secret } = await before;
    if (secret === null || (await isCurrent(secret))) return before;
    await drop(need, before);
  }
  if (need === "books") return open.books(); // each time: the database under them may be another by now
  opened[need] ??= open[need]();
  const asked = opened[need];
  try {
    return await asked;
  } catch (error) {
    if (opened[need] === asked) delete opened[need];
    throw error;
  }
}

/** Forgets and closes what is open, unless another caller has done so already. */
async function drop(need: Need, asked: Promise<Opened<unknown>>): Promise<void> {
  if (opened[need] !== asked) return;
  delete opened[need];
  await (await asked).close();
}

/**
 * Reopens a need, with its secret read again: its credentials were refused. Returns false when it was not opened
 * with a secret, since nothing would change. `refused` is the service that was in use: when it has been replaced
 * meanwhile, nothing is done.
 */
export async function renew(need: Need, refused: unknown): Promise<boolean> {
  const asked = opened[need];
  if (!asked) return true;
  const { service, secret } = await asked;
  if (service !== refused) return true;
  if (secret === null) return false;
  expireSecret(secret.id);
  await drop(need, asked);
  return true;
}

/** Closes and forgets every service: a job that ran out of time must not go on with them behind the next one's back. */
export async function abandonServices(): Promise<void> {
  const all = Object.entries(opened) as [Need, Promise<Opened<unknown>>][];
  await Promise.all(all.map(([need, asked]) => drop(need, asked)));
}
