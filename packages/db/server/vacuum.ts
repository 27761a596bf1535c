import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";

const UPDATED_IN_PLACE = ["block_cursors", "wallets", "wallet_latest_scores"];

/** Vacuums the tables whose rows are written over and over, or all of them, which counts their rows for the planner too. */
export async function vacuum(db: Db, extent: "updated" | "all"): Promise<void> {
  await drizzleOf(db).execute(extent === "all" ? "VACUUM (ANALYZE)" : `VACUUM ${UPDATED_IN_PLACE.join(", ")}`);
}
