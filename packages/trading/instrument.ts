import * as z from "zod";
import { Decimal } from "#units/decimal";
import type { Instant } from "#units/time";

/**
 * A linear USDT perpetual swap as OKX lists it. Order sizes count contracts; one contract is `contractSize` of the asset.
 * Source: OKX v5, GET /api/v5/public/instruments (ctVal, lotSz, minSz, tickSz, lever).
 */
export const Instrument = z.object({
  id: z.string(),
  asset: z.string(),
  contractSize: Decimal,
  lotSize: Decimal,
  minSize: Decimal,
  tickSize: Decimal,
  maxLeverage: Decimal,
});
export type Instrument = z.infer<typeof Instrument>;

/** An instrument as it was listed when last read. */
export interface ListedInstrument extends Instrument {
  readonly updatedAt: Instant;
}
