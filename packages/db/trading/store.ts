import type { TradingStore } from "#trading/store";
import type { Db } from "../client.ts";
import { latestArming } from "./arming.ts";
import { book } from "./book.ts";
import { claimOrder } from "./claim-order.ts";
import { liftControl, noteComparisons, readComparisons } from "./comparisons.ts";
import { accountHealth, equityAt, insertEquity } from "./equity.ts";
import { unvaluedFees } from "./fees.ts";
import { listedInstruments } from "./instruments.ts";
import { switchBooks } from "./kill-switch.ts";
import { heldContracts, laneFacts, latestBias } from "./lane-facts.ts";
import { keepLedger, lastBill } from "./ledger.ts";
import { insertOrder, moveOrder } from "./move-order.ts";
import { foreignFills, lastFillAt } from "./order-fills.ts";
import { closedBy, closersOf, decidedMark, ordersAtVenue, ordersByClientId, readOrder, unclaimed } from "./orders.ts";
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
  unclaimed: (mode) => unclaimed(db, mode),
  ordersAtVenue: (mode) => ordersAtVenue(db, mode),
  stops: (mode, instrument, openedAt) => closersOf(db, "stop", mode, instrument, openedAt),
  takeProfits: (mode, instrument, openedAt) => closersOf(db, "take_profit", mode, instrument, openedAt),
  insert: (fresh) => insertOrder(db, fresh),
  claim: (id, claim) => claimOrder(db, id, claim),
  move: (order, event, move) => moveOrder(db, order, event, move),
  bias: (asset, timeframe, at) => latestBias(db, asset, timeframe, at),
  held: (account, instrument) => heldContracts(db, account, instrument),
  instruments: (ids) => listedInstruments(db, ids),
  equity: (account, at) => equityAt(db, account, at),
  laneFacts: (query) => laneFacts(db, query),
  foreignFills: (account, since) => foreignFills(db, account, since),
  unvaluedFees: (account, since) => unvaluedFees(db, account, since),
  lastFillAt: (account) => lastFillAt(db, account),
  openPositions: (account) => openPositions(db, account),
  comparisons: (account) => readComparisons(db, account),
  noteComparisons: (account, list) => noteComparisons(db, account, list),
  recordEquity: ({ account, at }, balance) => insertEquity(db, account, at, balance),
  book: (run, seen, settle) => book(db, run, seen, settle),
  protections: (account, since) => readProtections(db, account, since),
  noteProtections: (account, list) => noteProtections(db, account, list),
  lastBill: (account) => lastBill(db, account),
  keepLedger: (run, balance, bills) => keepLedger(db, run, balance, bills),
  health: (account, at) => accountHealth(db, account, at),
  closedBy: (run) => closedBy(db, run),
});
