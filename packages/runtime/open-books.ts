import type { Db } from "#db/client";
import { sqlStore } from "#db/trading/store";
import type { TradingStore } from "#trading/store";
import { type Opened, plain } from "./opened.ts";

/** Returns the books of trading as they stand in a database that is open, and that is closed by who opened it. */
export const openBooks = (database: Db): Opened<TradingStore> => plain(sqlStore(database));
