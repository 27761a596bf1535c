import { type Closes, forwardReturn, windowOf } from "#scoring/forward-return";
import { outcomeOf } from "#scoring/outcome";
import { marketReturn, type Risk, riskOf } from "#scoring/volatility";
import { HORIZON_SECONDS, HORIZONS, type Horizon, type Instant, instant, millis } from "#units/time";
import type { WhaleTruth } from "./cast.ts";
import type { PlantedBet } from "./generate.ts";
import { ASSETS, BAR_SECONDS, type Market } from "./market.ts";
import { areaUnderCurve } from "./planted.ts";

/** Clusters that the variance prior of 1 is worth: few clusters alone would say nothing about their spread. */
const PRIOR = 4;

/** What a whale's bets came to on one horizon; a cluster is the bets on one asset in one bin of the horizon's length. */
interface Result {
  readonly bets: number;
  readonly clusters: number;
  /** Mean over clusters of the excess return, after cost, in standard deviations. */
  readonly mean: number;
  readonly t: number;
}

interface CheckRow extends WhaleTruth {
  readonly results: Readonly<Record<Horizon, Result>>;
}

export interface Check {
  readonly rows: readonly CheckRow[];
  /** Of the pairs of a whale that knows the horizon and one that knows nothing: the share in which the first has the higher t. */
  readonly auc: Readonly<Record<Horizon, number>>;
}

/** Returns a function from a bet and a horizon to its outcome, as the desk measures it from the same candles. */
function outcomes(market: Market) {
  const closes = new Map<string, Closes>(
    ASSETS.map((asset) => [
      asset,
      new Map(market.bars(asset).map((bar) => [millis(bar.openedAt) + BAR_SECONDS * 1000, bar.close])),
    ]),
  );
  const of = (asset: string): Closes => closes.get(asset) ?? new Map();
  const others = (asset: string): Closes[] => ASSETS.filter((other) => other !== asset).map(of);
  const risks = new Map<string, Risk | null>();
  const risk = (asset: string, enteredAt: Instant): Risk | null => {
    const key = `${asset} ${enteredAt}`;
    const known = risks.get(key);
    if (known !== undefined) return known;
    const found = riskOf(of(asset), others(asset), enteredAt, BAR_SECONDS);
    risks.set(key, found);
    return found;
  };
  return ({ asset, atMs, direction }: PlantedBet, horizon: Horizon) => {
    const window = windowOf(instant(atMs), horizon, BAR_SECONDS);
    const own = forwardReturn(of(asset), window);
    const around = marketReturn(others(asset).map((series) => forwardReturn(series, window)?.value ?? null));
    const measured = risk(asset, window.enteredAt);
    return own && around !== null && measured ? outcomeOf(direction, horizon, own, around, measured) : null;
  };
}

function resultOf(bets: readonly PlantedBet[], horizon: Horizon, outcome: ReturnType<typeof outcomes>): Result {
  const clusters = new Map<string, number[]>();
  for (const bet of bets) {
    const settled = outcome(bet, horizon);
    if (!settled) continue;
    const bin = Math.floor(millis(settled.enteredAt) / (HORIZON_SECONDS[horizon] * 1000));
    const key = `${bet.asset} ${bin}`;
    clusters.set(key, [...(clusters.get(key) ?? []), settled.excess]);
  }
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const means = [...clusters.values()].map(mean);
  const middle = mean(means);
  const spread = means.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const variance = (PRIOR + spread) / (PRIOR + Math.max(0, means.length - 1));
  const t = means.length > 0 ? middle / Math.sqrt(variance / means.length) : 0;
  return { bets: bets.length, clusters: means.length, mean: middle, t };
}

/** Returns what the planted bets came to on the generated candles, whale by whale. */
export function checkSample(whales: readonly WhaleTruth[], bets: readonly PlantedBet[], market: Market): Check {
  const outcome = outcomes(market);
  const rows = whales.map((whale): CheckRow => {
    const own = bets.filter(({ wallet }) => wallet === whale.address);
    const on = (horizon: Horizon) => resultOf(own, horizon, outcome);
    return { ...whale, results: { "1h": on("1h"), "4h": on("4h"), "24h": on("24h") } };
  });
  const tOf = (horizon: Horizon, known: Horizon | null) =>
    rows.filter((row) => row.horizon === known).map((row) => row.results[horizon].t);
  const auc = (horizon: Horizon) => areaUnderCurve(tOf(horizon, horizon), tOf(horizon, null));
  return { rows, auc: { "1h": auc("1h"), "4h": auc("4h"), "24h": auc("24h") } };
}

/** Returns the check as a table of text: the planted truth beside what came of it. */
export function checkTable({ rows, auc }: Check): string {
  const cell = ({ clusters, mean, t }: Result) =>
    `${String(clusters).padStart(4)} ${mean.toFixed(2).padStart(6)} ${t.toFixed(2).padStart(6)}`;
  const order = (row: CheckRow) => `${row.horizon ? HORIZONS.indexOf(row.horizon) : HORIZONS.length} ${row.label}`;
  const lines = [...rows]
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .map((row) => {
      const truth = row.horizon ? `${row.horizon.padStart(3)} ${row.hitRate.toFixed(2)}` : "    -   ";
      const cells = HORIZONS.map((horizon) => cell(row.results[horizon])).join("  |");
      return `${row.label.padEnd(9)} ${truth} ${String(row.results["1h"].bets).padStart(5)}  |${cells}`;
    });
  return [
    "planted: the horizon a whale knows and its hit rate; measured on each horizon: clusters, mean excess (sd), t",
    `whale     knows    bets  |${HORIZONS.map((horizon) => `${horizon.padStart(4)}   mean      t`).join("  |")}`,
    ...lines,
    `AUC of t, informed on that horizon against uninformed: ${HORIZONS.map((one) => `${one} ${auc[one].toFixed(2)}`).join(", ")}`,
  ].join("\n");
}
