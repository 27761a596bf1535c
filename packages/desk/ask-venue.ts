import type { Instrument } from "#trading/instrument";
import type { LookedUp } from "#trading/orders/settle";
import type { UnvaluedFee } from "#trading/positions/fee";
import { fillsSince } from "#trading/positions/reconcile";
import type { AccountFacts, Run, TradingStore } from "#trading/store";
import type { Exchange, VenueBalance, VenueFill, VenueOrder, VenuePosition, VenueStop } from "#trading/venue";
import { type Decimal, ZERO } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import type { Attempt } from "./attempt.ts";
import { lookUp } from "./settle-orders.ts";
import { ladderedIn } from "./stops/lay-ladder.ts";

/** What the venue said, each answer apart: null = it gave none, which is never an empty one. */
export interface Answers {
  readonly looked: readonly LookedUp[];
  readonly positions: readonly VenuePosition[] | null;
  readonly fills: readonly VenueFill[] | null;
  readonly orders: readonly VenueOrder[] | null;
  readonly balance: VenueBalance | null;
  /** Null also in a later round: the first one has looked after them. */
  readonly stops: readonly VenueStop[] | null;
  /** Null as `stops`. */
  readonly takeProfits: readonly VenueStop[] | null;
  readonly equity: Decimal;
  /** Booked fees without a value, to be asked for once more; none in a later round. */
  readonly unvalued: readonly UnvaluedFee[];
}

/** Who asks, and for which run. */
interface Asking {
  readonly store: TradingStore;
  readonly exchange: Exchange;
  readonly run: Run;
  readonly attempt: Attempt;
}

const DAY_MS = 86_400_000;
/** Fees without a value are asked for again for so long. */
export const dayBefore = (at: Instant): Instant => instant(millis(at) - DAY_MS);

/**
 * Asks the venue: for each order that it may hold, then for all that it has; each question by itself. About `only` some
 * instruments it asks for what a later round needs.
 */
export async function askVenue(
  { store, exchange, run, attempt }: Asking,
  facts: AccountFacts,
  only: ReadonlySet<string> | null,
): Promise<Answers> {
  const atVenue = facts.atVenue.filter((order) => only?.has(order.instrument) ?? true);
  // Orders first: a fill between the two is then among the fills that are asked for after it.
  const looked = await attempt("order look-ups", null, async () =>
    atVenue.length > 0 ? lookUp(exchange, atVenue, await exchange.now()) : [],
  );
  const since = fillsSince(facts.lastFillAt, run.at);
  const [positions, balance, fills, orders, stops, takeProfits] = await Promise.all([
    attempt("positions", null, () => exchange.positions()),
    only === null ? attempt("balance", null, () => exchange.balance()) : null,
    attempt("fills", null, () => exchange.fills(since)),
    only === null ? attempt("open orders", null, () => exchange.openOrders()) : null,
    only === null ? attempt("stops", null, () => exchange.stops()) : null,
    only === null ? attempt("take-profits", null, () => exchange.takeProfits()) : null,
  ]);
  if (balance !== null) await store.recordEquity(run, balance);
  const equity = balance?.equity ?? facts.health?.equity ?? ZERO;
  const unvalued = only === null ? facts.unvalued : [];
  return { looked: looked ?? [], positions, fills, orders, stops, takeProfits, balance, equity, unvalued };
}

/** Returns the instruments of a round, by id: `ids`, and whatever the answers and the books name; null = the venue's list has it not. */
export function instrumentsOf(
  { run }: Pick<Asking, "run">,
  facts: AccountFacts,
  ids: readonly string[],
  only: ReadonlySet<string> | null,
  { looked, positions, fills, takeProfits }: Answers,
): ReadonlyMap<string, Instrument | null> {
  const named = [...looked.map(({ order }) => order), ...facts.open, ...(positions ?? []), ...(fills ?? [])];
  const held = [...named.map(({ instrument }) => instrument), ...ladderedIn(run, takeProfits ?? [])];
  const others = held.filter((id) => only?.has(id) ?? true);
  const all = [...new Set([...ids, ...others])].sort();
  return new Map(all.map((id) => [id, facts.listed.get(id) ?? null]));
}
