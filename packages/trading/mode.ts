import * as z from "zod";

/** The trading mode of a row, a queue lane and a process. Paper trading is demo on the venue `paper`. */
export const TradingMode = z.enum(["demo", "live"]);
export type TradingMode = z.infer<typeof TradingMode>;
