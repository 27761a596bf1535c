import type { OrderFault } from "#trading/orders/record";
import type { PlannedBias } from "#trading/plans/plan";
import type { TradingStore } from "#trading/store";
import type { ModelMarket } from "./market.ts";

/** Where a schedule keeps its books. */
export interface Stage {
  readonly store: TradingStore;
  /** Writes a bias, as the desk would. */
  lean(asset: string, bias: PlannedBias): Promise<void>;
  /** Returns what is wrong with the records of orders. */
  faults(): Promise<readonly OrderFault[]>;
}

/** Opens books that are empty, in which the bars of a market are. */
export type Open = (market: ModelMarket) => Promise<Stage>;
