import { policyOf } from "#trading/plans/policy";
import { HORIZONS, type Horizon } from "#units/time";
import { clock, listed, minute, percent, plural, probability, shortHash, signed } from "./format.ts";
import { evidenceOn, noEvidence } from "./no-trade.ts";
import { deed, isKnown, kindOf, spoken, walletName } from "./phrase.ts";
import { escaped } from "./plain.ts";
import type { BiasLine, ContributionLine, CredibilityLine, EventLine, Report, WalletLine } from "./report.ts";

const SHOWN_ASSETS = 4;
/** The timeframe that is traded is shown in full; a phone has no room for all three. */
const TRADED_TERMS = 3;
/** Trailing spaces: a line break inside an item. Source: CommonMark 0.31.2, 6.7. */
const BREAK = "  ";

/** Returns the lines of the bias table, and for each asset what its bias is made of. */
export function biasSection({ biases, evidence, asOf, scope }: Report): string[] {
  if (biases.length === 0 || !asOf?.bias) return ["## Bias", "", "There is no bias yet.", ""];
  const known = biases.filter(isKnown);
  const assets = [...new Set(known.map((line) => line.asset))];
  const unknown = HORIZONS.filter((horizon) => !known.some(({ timeframe }) => timeframe === horizon));
  const notes = unknown.map((horizon) => `- ${horizon}: ${noEvidence(evidenceOn(evidence, horizon))}`);
  const cell = (asset: string, timeframe: string): string => {
    const line = known.find((each) => each.asset === asset && each.timeframe === timeframe);
    if (!line) return "–";
    return line.confidence === null ? signed(line.value) : `${signed(line.value)} (${percent(line.confidence)})`;
  };
  const rows = assets.map(
    (asset) => `| ${escaped(asset, 10)} | ${["1h", "4h", "24h"].map((t) => cell(asset, t)).join(" | ")} |`,
  );
  const told = assets.slice(0, SHOWN_ASSETS).flatMap((asset) =>
    composition(
      known.filter((line) => line.asset === asset),
      policyOf(scope).timeframe,
    ),
  );
  const untold = assets.slice(SHOWN_ASSETS).map((asset) => escaped(asset, 10));
  return [
    "## Bias",
    "",
    ...(rows.length > 0 ? ["| Asset | 1h | 4h | 24h |", "|:--|--:|--:|--:|", ...rows, ""] : []),
    `As of ${minute(asOf.bias)}, from -1 (down) to +1 (up), with the confidence; – is not known.`,
    "",
    ...(notes.length > 0 ? [...notes, ""] : []),
    ...(told.length > 0 ? ["### What it is made of", "", ...told] : []),
    ...(untold.length > 0 ? [`Those of ${listed(untold)} are in the API's /bias.`, ""] : []),
  ];
}

function composition(lines: readonly BiasLine[], traded: Horizon): string[] {
  return lines.flatMap((line) => {
    if (line.contributions.length === 0) return [];
    const before = line.previous === null ? "" : ` (was ${signed(line.previous)})`;
    return [
      `**${escaped(line.asset)} ${line.timeframe}: ${signed(line.value)}**${before}`,
      "",
      ...terms(line, traded),
      "",
    ];
  });
}

/** The largest terms, and all others in one line: they add up to the value. */
function terms({ contributions, others, timeframe }: BiasLine, traded: Horizon): string[] {
  const shown = contributions.slice(0, timeframe === traded ? TRADED_TERMS : 1);
  const hidden = contributions.slice(shown.length);
  const rest = hidden.reduce((sum, each) => sum + each.contribution, others.contribution);
  const count = others.count + hidden.length;
  const other = count === 1 ? "one other event" : plural(count, "other event");
  return [...shown.map(term), ...(Math.abs(rest) < 0.0005 ? [] : [`- ${signed(rest, 3)} ${other}`])];
}

const term = ({ event, contribution }: ContributionLine): string =>
  event
    ? `- ${signed(contribution, 3)} ${walletName(event.wallet, escaped)} ${deed(event, escaped)}, ${clock(event.at)}`
    : `- ${signed(contribution, 3)} an event that has left the feed`;

/** Returns the lines of the events that counted most, each with its transaction. */
export function eventSection({ events, scope, metrics }: Report): string[] {
  if (events.length === 0) return ["## Notable events", "", "None.", ""];
  const more = metrics.events.count - events.length;
  return [
    "## Notable events",
    "",
    ...events.flatMap((event) => [...eventLines(event, scope.explorerUrl), ""]),
    ...(more > 0 ? [`And ${plural(more, "more event", "more events")}.`, ""] : []),
  ];
}

function eventLines(event: EventLine, explorerUrl: string | null): string[] {
  const details = [
    ...(event.pattern === null ? [] : [escaped(spoken(event.pattern))]),
    ...(event.venue === null ? [] : [escaped(event.venue)]),
    event.push === null ? "no bias" : `push ${signed(event.push)}`,
    transaction(event.txHash, explorerUrl),
  ];
  return [
    `- **${clock(event.at)} ${walletName(event.wallet, escaped)}** ${deed(event, escaped)}${BREAK}`,
    `  ${details.join(" · ")}`,
  ];
}

function transaction(hash: string, explorerUrl: string | null): string {
  const short = escaped(shortHash(hash));
  const linkable =
    explorerUrl !== null && /^https?:\/\/[^\s()<>\\]+$/.test(explorerUrl) && /^0x[0-9a-f]{64}$/.test(hash);
  return linkable ? `[${short}](${explorerUrl.replace(/\/+$/, "")}/tx/${hash})` : short;
}

/** Returns the lines of the wallets that rose and fell most, with the evidence per horizon. */
export function walletSection({ walletsUp, walletsDown, asOf, scope }: Report): string[] {
  if (walletsUp.length + walletsDown.length === 0) return ["## Wallets", "", "No credibility changed.", ""];
  return [
    "## Wallets",
    "",
    "Credibility from 0 to 10 (5.0 = nothing known), the probability of a profitable edge, and the effective bets.",
    ...(asOf === null ? [] : [scoresStood(asOf, scope)]),
    "",
    ...walletGroup("Up", walletsUp),
    ...walletGroup("Down", walletsDown),
  ];
}

function scoresStood({ bias, rest }: NonNullable<Report["asOf"]>, { type }: Report["scope"]): string {
  if (type !== "run" || bias === null) return `As of ${minute(rest)}.`;
  return `As of ${minute(bias)}, as the biases and the orders knew them. After "settled": once outcomes had settled, as of ${minute(rest)}.`;
}

const walletGroup = (heading: string, lines: readonly WalletLine[]): string[] =>
  lines.length === 0 ? [] : [`### ${heading}`, "", ...lines.flatMap(walletLines)];

function walletLines({ wallet, archetype, credibility }: WalletLine): string[] {
  const known = kindOf(archetype);
  const kind = known === null ? "" : `, ${escaped(known)}`;
  const told = credibility.filter(
    ({ score, bets, previous, settled }) =>
      (bets ?? 0) > 0 || (settled?.bets ?? 0) > 0 || score !== (previous ?? score),
  );
  return [`**${walletName(wallet, escaped)}**${kind}`, "", ...told.map(credibilityItem), ""];
}

const evidenceText = ({ edge, bets }: Pick<CredibilityLine, "edge" | "bets">): string =>
  [
    ...(edge === null ? [] : [` · edge ${probability(edge)}`]),
    ...(bets === null ? [] : [` · ${plural(Number(bets.toFixed(1)), "bet")}`]),
  ].join("");

function credibilityItem({ horizon, score, previous, settled, ...evidence }: CredibilityLine): string {
  const before = previous === null || previous === score ? "" : ` (was ${previous.toFixed(1)})`;
  const stands =
    (evidence.bets ?? 0) > 0 ? `**${score.toFixed(1)}**${before}${evidenceText(evidence)}` : "no bet had settled";
  const later = settled === null ? "" : `; settled **${settled.score.toFixed(1)}**${evidenceText(settled)}`;
  return `- ${horizon} ${stands}${later}`;
}
