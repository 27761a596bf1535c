import * as z from "zod";
import type { Exchange } from "#trading/venue";
import { Decimal } from "#units/decimal";
import type { OkxClient } from "./client.ts";
import { VenueError, VenueShapeError } from "./errors.ts";
import { rowsOf } from "./requests.ts";
import { parsed } from "./rows.ts";
import type { TdMode } from "./td-mode.ts";

const Leverage = z.object({ lever: Decimal });
const Limit = z.object({ buyLmt: Decimal.or(z.literal("")), sellLmt: Decimal.or(z.literal("")), enabled: z.boolean() });

/**
 * Returns the part of the venue that margins and price limits are.
 * Source: OKX v5, account/leverage-info, account/set-leverage, public/price-limit (`enabled` false: there is none now).
 */
export const marginsOver = (
  client: OkxClient,
  mgnMode: TdMode,
): Pick<Exchange, "leverage" | "setLeverage" | "priceLimit"> => ({
  leverage: async (instId) => {
    const [row] = await rowsOf(client, client.privateGetAccountLeverageInfo, { instId, mgnMode });
    return parsed("leverage", Leverage, row).lever;
  },
  setLeverage: async (instId, lever) => {
    try {
      await rowsOf(client, client.privatePostAccountSetLeverage, { instId, mgnMode, lever });
      return true;
    } catch (error) {
      if (error instanceof VenueError && error.code !== null) return false;
      throw error;
    }
  },
  priceLimit: async (instId) => {
    const [row] = await rowsOf(client, client.publicGetPublicPriceLimit, { instId });
    if (row === undefined) throw new VenueShapeError("price limit", "no row");
    const { buyLmt: buy, sellLmt: sell, enabled } = parsed("price limit", Limit, row);
    return enabled && buy !== "" && sell !== "" ? { buy, sell } : null;
  },
});
