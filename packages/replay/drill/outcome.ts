import type { Db } from "#db/client";
import { type Digest, digest } from "#db/server/digest";
import { ordersAtVenue, ordersByClientId } from "#db/trading/orders";
import type { PaperState } from "#doubles/venue/account";
import { type Decimal, ZERO } from "#units/decimal";
import type { Ended } from "./windows.ts";

/** One replay, as far as two are compared. */
export interface Outcome {
  readonly digest: Digest;
  readonly venue: PaperState;
  readonly invocations: number;
  readonly seconds: number;
  readonly deadLetters: readonly string[];
  /** What the desk holds of each order of the venue, by client order id: its status and what of it is filled. */
  readonly known: ReadonlyMap<string, { readonly status: string; readonly filledSize: Decimal }>;
  /** Orders that the desk believes to be at the venue still. */
  readonly unsettled: number;
  /** Whose submission ended in each window; null where none was to. */
  readonly windows: Ended | null;
}

/** Returns what a finished replay left in the database and at the venue, with what else is known of it. */
export async function outcomeOf(
  db: Db,
  state: PaperState,
  rest: Omit<Outcome, "digest" | "venue" | "known" | "unsettled">,
): Promise<Outcome> {
  const venue = booksOf(state);
  const ids = venue.orders.map((order) => order.clOrdId);
  return {
    ...rest,
    venue,
    digest: await digest(db),
    known: await ordersByClientId(db, ids),
    unsettled: (await ordersAtVenue(db, "demo")).length,
  };
}

/** Bills are numbered as they come. */
const unnumbered = <T extends { readonly billId: string }>(list: readonly T[]): T[] =>
  list.map((row) => ({ ...row, billId: "" }));

/**
 * Returns the venue's books in an order of their own: within an instant it keeps them as they came, and what the balance
 * was in between depends on it.
 */
function booksOf(venue: PaperState): PaperState {
  const by = <T>(list: readonly T[], key: (item: T) => string): T[] =>
    list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  return {
    ...venue,
    orders: by(venue.orders, (order) => order.ordId),
    fills: by(unnumbered(venue.fills), (fill) => fill.tradeId),
    positions: by(venue.positions, (position) => position.instId),
    bills: by(
      unnumbered(venue.bills).map((bill) => ({ ...bill, bal: ZERO })),
      (bill) => `${bill.ts} ${bill.tradeId} ${bill.instId}`,
    ),
  };
}

/** Returns the client order id of the order that is claimed and has no reply yet; null when there is none. */
export async function submittingIn(db: Db): Promise<string | null> {
  const live = await ordersAtVenue(db, "demo");
  return live.find((order) => order.status === "submitting")?.clientOrderId ?? null;
}
