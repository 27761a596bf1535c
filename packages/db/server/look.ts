import type { StoredControl } from "#trading/control";
import { TradingMode } from "#trading/mode";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { Db } from "../client.ts";
import { type DeskHealth, deskHealth } from "../reading/overview.ts";
import { type ArmingJudge, type ArmingLookup, lookAtArming } from "../trading/arming.ts";
import { readControl } from "../trading/control.ts";
import { type BalanceLook, lastEntry } from "../trading/ledger.ts";
import { countDoubtful, doubtfulOrders } from "../trading/orders.ts";
import { schemaVersion } from "./version.ts";

/** What a desk's database says of it to a person. */
export interface DeskLook {
  /** The newest migration that ran; null without any, and then the rest is empty. */
  readonly schema: string | null;
  readonly block: Pick<NonNullable<DeskHealth["block"]>, "number" | "at"> | null;
  readonly report: Pick<NonNullable<DeskHealth["report"]>, "type" | "end"> | null;
  readonly modes: readonly {
    readonly mode: TradingMode;
    readonly control: StoredControl;
    /** The newest balance that was compared with the venue's bills; null before the first. */
    readonly balance: BalanceLook | null;
    /** How many orders are in doubt, and the first of them. */
    readonly doubtful: number;
    readonly inDoubt: readonly StoredOrder[];
    /** The newest arming that was not taken back, and why it does not hold; null = it does. */
    readonly arming: (ArmingLookup & { readonly problem: string | null }) | null;
  }[];
}

/** More than a person reads at once. */
const SHOWN = 20;

/** Returns how a desk is: chain, last report, and for each mode the kill switch and the orders in doubt. */
export async function lookAtDesk(db: Db, chain: string, judge: ArmingJudge): Promise<DeskLook> {
  const schema = await schemaVersion(db);
  if (schema === null) return { schema, block: null, report: null, modes: [] };
  const { block, report } = await deskHealth(db, chain, "demo"); // these two are the same in every mode
  const modes = TradingMode.options.map(async (mode) => ({
    mode,
    control: await readControl(db, mode),
    arming: await lookAtArming(db, mode, judge),
    balance: await lastEntry(db, mode),
    doubtful: await countDoubtful(db, mode),
    inDoubt: await doubtfulOrders(db, mode, SHOWN),
  }));
  return { schema, block, report, modes: await Promise.all(modes) };
}
