import type { Instrument } from "#trading/instrument";
import { decimalOf } from "#units/decimal";

/** The swap that tests trade, in OKX's terms of 2022. */
export const ETH_SWAP: Instrument = {
  id: "ETH-USDT-SWAP",
  asset: "ETH",
  contractSize: decimalOf("0.1"),
  lotSize: decimalOf("0.1"),
  minSize: decimalOf("0.1"),
  tickSize: decimalOf("0.01"),
  maxLeverage: decimalOf("100"),
};
