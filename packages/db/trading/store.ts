import type { TradingStore } from "#trading/store";
import type { Db } from "../client.ts";
import { accountFacts } from "./account-facts.ts";
import { latestArming } from "./arming.ts";
import { book } from "./book.ts";
import { claimOrder } from "./claim-order.ts";
import { liftControl, noteComparisons, readComparisons } from "./comparisons.ts";
import { equityAt, insertEquity } from "./equity.ts";
import { listedInstruments } from "./instruments.ts";
import { switchBooks } from "./kill-switch.ts";
import { heldContracts, laneFacts, latestBias } from "./lane-facts.ts";
import { keepLedger } from "./ledger.ts";
import { insertOrder, moveOrder } from "./move-order.ts";
import { closersOf, decidedMark, ordersAtVenue, ordersByClientId, ordersOf, readOrder } from "./orders.ts";
import { openPositions } from "./positions.ts";
import { noteProtections, readProtections } from "./protections.ts";

/** Returns the books of trading as they are in a database. */
export const sqlStore = (db: Db): TradingStore => ({
  ...switchBooks(db),
  lift: (account, now, by) => liftControl(db, account, now, by),
  arming: (mode) => latestArming(db, mode),
  order: (id) => readOrder(db, id),
  ordersByClientId: (ids) => ordersByClientId(db, ids),
  decidedMark: (id) => decidedMark(db, id),
  unclaimed: (mode) => ordersOf(db, mode, ["approved"]),
  ordersAtVenue: (mode) => ordersAtVenue(db, mode),
  stops: (mode, instrument, openedAt) => closersOf(db, "stop", mode, [{ instrument, openedAt }]),
  takeProfits: (mode, positions) => closersOf(db, "take_profit", mode, positions),
  insert: (fresh) => insertOrder(db, fresh),
  claim: (id, claim) => claimOrder(db, id, claim),
  move: (order, event, move) => moveOrder(db, order, event, move),
  bias: (asset, timeframe, at) => latestBias(db, asset, timeframe, at),
  held: (account, instrument) => heldContracts(db, account, instrument),
  instruments: (ids) => listedInstruments(db, ids),
  equity: (account, at) => equityAt(db, account, at),
  laneFacts: (query) => laneFacts(db, query),
  accountFacts: (query) => accountFacts(db, query),
  openPositions: (account) => openPositions(db, account),
  comparisons: (account) => readComparisons(db, account),
  noteComparisons: (account, list) => noteComparisons(db, account, list),
  recordEquity: ({ account, at }, balance) => insertEquity(db, account, at, balance),
  book: (run, seen, settle) => book(db, run, seen, settle),
  protections: (account, since) => readProtections(db, account, since),
  noteProtections: (account, list) => noteProtections(db, account, list),
  keepLedger: (run, balance, bills) => keepLedger(db, run, balance, bills),
});
