import type { Drizzle } from "#db/drizzle";
import { bias, eventRefs, tradingControl, wallets } from "#db/schema";
import { upsertCandles } from "#db/signals/prices";
import { upsertInstruments } from "#db/trading/instruments";
import { orderFaults } from "#db/trading/order-records";
import { sqlStore } from "#db/trading/store";
import { decimalOf, text } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { emptyTables, TRADING_TABLES } from "../empty-tables.ts";
import { INSTRUMENTS, START } from "./market.ts";
import { BAR_SECONDS } from "./schedule.ts";
import type { Open } from "./stage.ts";

const EVENT = idOf("event", "1");
const WALLET = idOf("wallet", "ethereum", "0x1");

/** Writes what orders and biases refer to. */
async function writeSignal(db: Drizzle): Promise<void> {
  const at = instant(START);
  const wallet = { id: WALLET, address: `0x${"1".repeat(40)}`, chain: "ethereum", firstSeenAt: at, watchedSince: at };
  await db.insert(wallets).values(wallet);
  const ref = { id: EVENT, timestamp: at, walletId: WALLET, chain: "ethereum", txHash: `0x${"2".repeat(64)}` };
  await db.insert(eventRefs).values(ref);
}

/** Returns how books in a database are opened: it is emptied for each schedule. */
export const inSql =
  (db: Drizzle): Open =>
  async ({ candles }) => {
    const at = instant(START);
    await emptyTables(db, TRADING_TABLES);
    const active = { epoch: 1, reason: "", actor: "model", changedAt: at, lifts: [] };
    await db.update(tradingControl).set({ ...active, state: "ACTIVE" });
    await upsertInstruments(db, INSTRUMENTS, "model", at);
    for (const [instrument, bars] of candles)
      await upsertCandles(db, { instrument, barSeconds: BAR_SECONDS }, "model", bars);
    await writeSignal(db);
    return {
      store: sqlStore(db),
      faults: () => orderFaults(db),
      lean: async (asset, { at: timestamp, value, confidence, components }) => {
        const [worth, sure] = [text(value), decimalOf(String(confidence ?? 0))];
        await db.insert(bias).values({ timestamp, asset, timeframe: "4h", value: worth, confidence: sure, components });
      },
    };
  };
