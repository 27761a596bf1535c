import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { WalletLine } from "#reporting/report";
import { HORIZONS, type Horizon } from "#units/time";
import type { Recording } from "../recording.ts";

/** Where a generated recording says what was planted in it. The desk never opens it. */
export const TRUTH_FILE = "truth.json";

/** What the maker of a generated recording planted: a whale with a horizon knows where the market goes, the others do not. */
const Truth = z.object({
  whales: z.array(z.object({ address: z.string(), horizon: z.enum(HORIZONS).nullable() })),
});
export type Truth = z.output<typeof Truth>;

/** One wallet and its credibility from 0 to 10. */
interface Scored {
  readonly name: string;
  readonly score: number;
}

/** What the desk found of what was planted on one horizon. */
export interface Found {
  readonly horizon: Horizon;
  /** The wallets that know this horizon, best first. */
  readonly informed: readonly Scored[];
  /** The best of those that know none, and how many they are. */
  readonly others: { readonly best: Scored; readonly count: number };
  /** Share of pairs in which the informed wallet stands above the other; a tie counts half. 0.5 is chance, 1 perfect. */
  readonly auc: number;
}

/** Returns what was planted in a generated recording, or null. Only the end of a run may ask: the desk never does. */
export function truthOf({ dir, manifest }: Pick<Recording, "dir" | "manifest">): Truth | null {
  const path = join(dir, TRUTH_FILE);
  if (manifest.kind !== "generated" || !existsSync(path)) return null;
  return Truth.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** Returns, per horizon that somebody was given, how the desk's credibilities tell the informed from the others. */
export function foundOf(truth: Truth, wallets: readonly WalletLine[]): Found[] {
  const known = new Map(truth.whales.map(({ address, horizon }) => [address, horizon]));
  return HORIZONS.flatMap((horizon) => {
    const scored = wallets.flatMap(({ wallet, credibility }) => {
      const line = credibility.find((one) => one.horizon === horizon);
      const knows = known.get(wallet.address);
      return line && knows !== undefined ? [{ name: wallet.label ?? wallet.address, score: line.score, knows }] : [];
    });
    const best = scored.toSorted((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1));
    const informed = best.filter(({ knows }) => knows === horizon);
    const others = best.filter(({ knows }) => knows === null);
    const [first] = others;
    if (informed.length === 0 || !first) return [];
    const scores = (list: readonly { readonly score: number }[]) => list.map(({ score }) => score);
    const auc = areaUnderCurve(scores(informed), scores(others));
    return [{ horizon, informed, others: { best: first, count: others.length }, auc }];
  });
}

/** Returns the share of pairs in which `high` is above `low`; ties count half. 0.5 without a pair. */
export function areaUnderCurve(high: readonly number[], low: readonly number[]): number {
  if (high.length === 0 || low.length === 0) return 0.5;
  const wins = high.flatMap((one) => low.map((other) => (one > other ? 1 : one === other ? 0.5 : 0)));
  return wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
}

/** Returns a line a horizon, in plain text. */
export const foundLines = (found: readonly Found[]): string[] =>
  found.map(({ horizon, informed, others, auc }) => {
    const names = informed.map(({ name, score }) => `${name} ${score.toFixed(1)}`).join(", ");
    const { best, count } = others;
    return `${horizon}: informed ${names}; best of ${count} others ${best.name} ${best.score.toFixed(1)}; AUC ${auc.toFixed(2)} (chance 0.50)`;
  });

/** Returns the section that a generated recording's report ends with. */
export const foundSection = (found: readonly Found[]): string =>
  found.length === 0
    ? ""
    : [
        "\n## What was planted\n",
        "This input was generated: some wallets were given an edge. Credibility on the horizon that each was given, once outcomes",
        "had settled, beside the best of the wallets without one; AUC 1.00 is perfect. The desk itself never sees this.\n",
        ...foundLines(found).map((line) => `- ${line}`),
        "",
      ].join("\n");
