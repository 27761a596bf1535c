import * as z from "zod";
import { TradingMode } from "#trading/mode";

/** The exchange secret of one trading mode. `mode` is in it so that a key cannot serve the other mode by mistake. */
export const ExchangeSecret = z.object({
  mode: TradingMode,
  apiKey: z.string().min(1),
  secret: z.string().min(1),
  passphrase: z.string().min(1),
  accountId: z.string().min(1).nullable().default(null),
});
