import * as z from "zod";
import { BiasSum } from "#reporting/bias-terms";
import { BARS, BiasChart, EquityChart, PriceChart } from "#reporting/chart";
import { AssetName } from "#units/asset";
import { Horizon, Instant } from "#units/time";
import type { Contract } from "./contract.ts";
import { Input } from "./lines.ts";
import { charted, StepSeconds } from "./span.ts";

const Bar = z.enum(Object.keys(BARS) as [keyof typeof BARS, ...(keyof typeof BARS)[]]);
const Instrument = z.string().regex(/^[A-Z0-9-]{1,64}$/, "an instrument is written as ETH-USDT-SWAP");

/** Candles of an instrument, 5,000 at most: of a longer span they are wider, and the reply says so. */
export const pricesContract = {
  query: charted({ instrument: Instrument, bar: Bar.default("1m") }),
  reply: PriceChart.extend({ input: Input }),
} as const satisfies Contract;

/** A bias over time, 5,000 points at most. */
export const biasHistoryContract = {
  query: charted({ asset: AssetName, timeframe: Horizon, step: StepSeconds }),
  reply: BiasChart.extend({ input: Input }),
} as const satisfies Contract;

/** An account's equity over time, 5,000 points at most. */
export const equityContract = {
  query: charted({ step: StepSeconds }),
  reply: EquityChart.extend({ input: Input }),
} as const satisfies Contract;

/** A bias with all its terms, as it stood at an instant. */
export const oneBiasContract = {
  params: z.object({ asset: AssetName, timeframe: Horizon }),
  query: z.strictObject({ at: Instant.optional() }),
  reply: BiasSum.extend({ input: Input }),
  problems: { 404: "no bias of it in the day before" },
} as const satisfies Contract;
