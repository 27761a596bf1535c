import { eq, sql } from "drizzle-orm";
import { type ControlChange, liftsAfter, type StoredControl, tightening } from "#trading/control";
import type { TradingMode } from "#trading/mode";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { tradingControl } from "../schema.ts";
import { changeControl, keepLifts, readControl } from "./control.ts";

/** Returns the part of the books of trading that the kill switch is in. */
export const switchBooks = (db: Db) => ({
  control: (mode: TradingMode): Promise<StoredControl> => readControl(db, mode),
  tighten: (mode: TradingMode, change: ControlChange): Promise<StoredControl | null> =>
    tightenControl(db, mode, change),
});

/**
 * Holds the kill switch of a mode as it is until the transaction ends, and returns it: a change waits for the end. Others
 * may hold it at the same time.
 */
export async function holdControl(tx: Db, mode: TradingMode): Promise<StoredControl> {
  await drizzleOf(tx)
    .select({ held: sql`1` })
    .from(tradingControl)
    .where(eq(tradingControl.tradingMode, mode))
    .for("share");
  return readControl(tx, mode);
}

/**
 * Tightens the kill switch: ACTIVE → REDUCING → HALTED, with a new epoch, which voids every order approved before.
 * Returns what it became (the same again when this actor already did it at this instant, so that a repeated run tells the
 * same), or null when it was as tight before. Loosening is a person's, with a second factor.
 */
export async function tightenControl(db: Db, mode: TradingMode, change: ControlChange): Promise<StoredControl | null> {
  const now = await readControl(db, mode);
  const verdict = tightening(now, change);
  if (verdict === "repeated") return now;
  if (verdict === "stays") {
    const lifts = liftsAfter(now, change);
    return lifts === null || (await keepLifts(db, mode, now, lifts)) ? null : tightenControl(db, mode, change);
  }
  // Null: someone changed it meanwhile. Looks again, so that the tighter of the two stands.
  return (await changeControl(db, mode, now.epoch, change)) ?? tightenControl(db, mode, change);
}
