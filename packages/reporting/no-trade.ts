import type { NoTrade } from "#trading/plans/no-trade";
import { listed, percent } from "./format.ts";
import { type Clean, spoken } from "./phrase.ts";
import { plain } from "./plain.ts";
import type { Report } from "./report.ts";

/** How much evidence there is on a horizon: effective bets of the wallet that has most, and how many it takes. */
type Bets = Pick<Report["evidence"][number], "horizon" | "needs" | "has">;

const bets = (count: number): string => String(Number(count.toFixed(1)));

/** Returns what is said where nothing is known: "no evidence yet: needs 25 bets at 24h, has 0". */
export const noEvidence = ({ horizon, needs, has }: Bets): string =>
  has < needs
    ? `no evidence yet: needs ${needs} bets at ${horizon}, has ${bets(has)}`
    : `no evidence: ${bets(has)} bets at ${horizon}, and no wallet behind it stands above 5.0`;

/** Returns the evidence on a horizon; where nobody counted, none. */
export const evidenceOn = (evidence: Report["evidence"], horizon: Bets["horizon"]): Bets =>
  evidence.find((each) => each.horizon === horizon) ?? { horizon, needs: 0, has: 0 };

/** Returns why an asset was not traded: the first gap, its size, and what would close it. */
export function whyText(gap: NoTrade, horizon: Bets["horizon"], clean: Clean = plain): string {
  const { has, needs } = gap;
  const [from, to] = [has ?? 0, needs ?? 0];
  switch (gap.gap) {
    case "bias":
      return `no ${horizon} bias: a swap or an exchange transfer of it by a watched wallet would make one`;
    case "evidence":
      return `${noEvidence({ horizon, needs: to, has: from })}; ${from < to ? "more settled outcomes" : "a swap by a wallet above 5.0"} would close it`;
    case "credibility":
      return `the wallets behind it stand at ${from.toFixed(1)}, above ${to.toFixed(1)} needed; ${closing(gap)}`;
    case "signal":
      return `signal ${leaning(gap, from.toFixed(2))}, ${gap.leansDown ? "below" : "above"} ${leaning(gap, to.toFixed(2))} needed (${(to - from).toFixed(2)} short); ${closing(gap)}`;
    case "policy":
      return `denied by ${listed(gap.denied.map((code) => clean(spoken(code))))}`;
    case "size":
      return "signal enough; what it allows is less than one lot or too small a share of a full position, or an order was on its way";
  }
}

const leaning = ({ leansDown }: NoTrade, size: string): string => (leansDown ? `-${size}` : size);

function closing(gap: NoTrade): string {
  const { bias, confidence, credibility } = gap.closes;
  const ways = [
    ...(bias === null ? [] : [`a bias of ${leaning(gap, up(bias, 2))}`]),
    ...(confidence === null ? [] : [`a confidence of ${percent(Number(up(confidence, 2)))}`]),
    ...(credibility === null ? [] : [`a credibility of ${up(credibility, 1)}`]),
  ];
  return ways.length === 0
    ? "none of bias, confidence and credibility would close it alone"
    : `${ways.length > 2 ? `${ways.slice(0, -1).join(", ")} or ${ways.at(-1)}` : ways.join(" or ")} would close it`;
}

/** Rounded up: what is said to be enough is enough. */
const up = (value: number, places: number): string => (Math.ceil(value * 10 ** places) / 10 ** places).toFixed(places);
