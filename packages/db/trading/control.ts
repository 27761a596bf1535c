import { and, eq } from "drizzle-orm";
import type { ControlChange, StoredControl } from "#trading/control";
import type { TradingMode } from "#trading/mode";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { tradingControl } from "../schema.ts";

const STORED = {
  state: tradingControl.state,
  epoch: tradingControl.epoch,
  reason: tradingControl.reason,
  actor: tradingControl.actor,
  changedAt: tradingControl.changedAt,
  lifts: tradingControl.lifts,
} as const;

/** Returns the kill switch. Demo begins ACTIVE, live HALTED until someone arms it: the migration wrote both rows. */
export async function readControl(db: Db, mode: TradingMode): Promise<StoredControl> {
  const [row] = await drizzleOf(db).select(STORED).from(tradingControl).where(eq(tradingControl.tradingMode, mode));
  if (!row) throw new TypeError(`trading_control has no row for ${mode}`);
  return row;
}

/**
 * Changes the kill switch from the epoch that was read to the next, which voids every order approved before. Returns the
 * switch after it, or null when someone else changed it since: read again and decide again. A change to the state that
 * it already has raises the epoch too, so a repeated message must compare first.
 */
export async function changeControl(
  db: Db,
  mode: TradingMode,
  epoch: number,
  change: ControlChange,
): Promise<StoredControl | null> {
  const { state, reason, actor, at, lifts = [] } = change;
  const [row] = await drizzleOf(db)
    .update(tradingControl)
    .set({ state, reason, actor, changedAt: at, epoch: epoch + 1, lifts: [...lifts] })
    .where(and(eq(tradingControl.tradingMode, mode), eq(tradingControl.epoch, epoch)))
    .returning(STORED);
  return row ?? null;
}

/** Says which causes alone keep the kill switch at REDUCING; its epoch stays. Returns whether nobody changed it since `now`. */
export async function keepLifts(
  db: Db,
  mode: TradingMode,
  now: StoredControl,
  lifts: readonly string[],
): Promise<boolean> {
  const kept = await drizzleOf(db)
    .update(tradingControl)
    .set({ lifts: [...lifts] })
    .where(
      and(
        eq(tradingControl.tradingMode, mode),
        eq(tradingControl.epoch, now.epoch),
        eq(tradingControl.lifts, [...now.lifts]),
      ),
    )
    .returning(STORED);
  return kept.length > 0;
}
