import { policyOf } from "#trading/plans/policy";
import { ZERO } from "#units/decimal";
import { grouped, listed, minute, money, percent, plural, signed, signedMoney, span, usd } from "./format.ts";
import { evidenceOn, noEvidence, whyText } from "./no-trade.ts";
import { profitNotice } from "./notice.ts";
import { type Clean, deed, isKnown, lean, spoken, walletName } from "./phrase.ts";
import { plain } from "./plain.ts";
import type { BiasLine, ContributionLine, Report } from "./report.ts";

const TOLD_BIASES = 2;

/**
 * Returns a report in three to five sentences: what was watched, what stood out, which way the market leans and why,
 * what was traded, how it went. Names pass through `clean`.
 */
export const sentences = (report: Report, clean: Clean = plain): string[] => [
  watched(report),
  ...standout(report, clean),
  leaning(report, clean),
  traded(report, clean),
  fared(report),
];

function watched({ scope, metrics }: Report): string {
  const { blocks, events, wallets } = metrics;
  const { firstAt, lastAt } = blocks;
  const isRun = scope.type === "run" && firstAt !== null && lastAt !== null;
  const period = isRun
    ? `${span(firstAt, lastAt)} of blocks to ${minute(lastAt)} UTC`
    : `${span(scope.start, scope.end)} to ${scope.end.slice(11, 16)} UTC`;
  const after = isRun ? ` It went on to ${minute(scope.end)} so that outcomes could settle.` : "";
  if (blocks.count === 0) return `No block came in during the ${period}; ${plural(wallets.watched, "wallet")} watched.`;
  const seen =
    events.count === 0
      ? "and saw nothing of them"
      : `and saw ${plural(events.count, "event")} by ${grouped(wallets.active)} of them, ${worth(events)}`;
  return `In the ${period} the desk watched ${plural(wallets.watched, "wallet")} over ${plural(blocks.count, "block")} ${seen}.${after}`;
}

function worth({ count, unpriced, notionalUsd }: Report["metrics"]["events"]): string {
  if (unpriced === count) return "none of them priced";
  return `worth ${usd(notionalUsd)}${unpriced > 0 ? ` (${grouped(unpriced)} unpriced)` : ""}`;
}

function standout({ events }: Report, clean: Clean): string[] {
  const [event] = events;
  if (!event) return [];
  const what = `${walletName(event.wallet, clean)} ${deed(event, clean)}`;
  return [event.push === null ? `The largest event: ${what}; it moved no bias.` : `What counted most: ${what}.`];
}

/** Only the timeframe that is traded, the strongest lean first: the order of the report. */
function leaning({ biases, scope, asOf, evidence }: Report, clean: Clean): string {
  const { timeframe } = policyOf(scope);
  const own = biases.filter((line) => line.timeframe === timeframe);
  const told = own.filter(isKnown).slice(0, TOLD_BIASES);
  if (own.length === 0) return "There is no bias yet.";
  if (told.length === 0) return `There is ${noEvidence(evidenceOn(evidence, timeframe))}.`;
  const flat = told.every((line) => lean(line.value) === "is flat");
  if (flat) {
    return `Over ${hours(timeframe)} ${listed(told.map((line) => clean(line.asset)))} ${told.length > 1 ? "are" : "is"} flat.`;
  }
  const when = scope.type === "run" && asOf?.bias ? `As of ${minute(asOf.bias)}: ` : "";
  return when + told.map((line) => biasSentence(line, clean)).join(" ");
}

function biasSentence(line: BiasLine, clean: Clean): string {
  const confidence = line.confidence === null ? "" : `, confidence ${percent(line.confidence)}`;
  const reasons = reasonsFor(line, clean);
  const because = reasons.length > 0 ? `, mostly because ${listed(reasons)}` : "";
  return `${clean(line.asset)} ${lean(line.value)} over ${hours(line.timeframe)} (${signed(line.value)}${confidence})${because}.`;
}

/** "4h" in prose: "4 h". */
const hours = (horizon: BiasLine["timeframe"]): string => horizon.replace("h", " h");

/** Only what pulls the way that the bias leans explains it. */
const reasonsFor = (line: BiasLine, clean: Clean): string[] =>
  line.contributions
    .filter(({ contribution }) => contribution * line.value > 0)
    .slice(0, 2)
    .flatMap((term) => reason(term, clean));

const reason = ({ event, contribution }: ContributionLine, clean: Clean): string[] =>
  event ? [`${walletName(event.wallet, clean)} ${deed(event, clean)} (${signed(contribution)})`] : [];

function traded({ orders, denials, trading, metrics, noTrade, scope }: Report, clean: Clean): string {
  const halted =
    trading && trading.state !== "ACTIVE" ? `Trading is ${clean(trading.state)} (${clean(trading.reason)}). ` : "";
  const [gap] = noTrade;
  const why = gap === undefined ? "" : ` ${clean(gap.asset)}: ${whyText(gap, policyOf(scope).timeframe, clean)}.`;
  const denied = denials.reduce((total, denial) => total + denial.count, 0);
  const stopped =
    denied === 0
      ? ""
      : `; policy denied ${denied === 1 ? "1 plan" : `plans ${grouped(denied)} times`} (${clean(spoken(denials[0]?.denied[0] ?? "no reason given"))})`;
  if (orders.length === 0) return `${halted}No order was placed${stopped}.${why}`;
  const filled = metrics.orders.byStatus.filled ?? 0;
  const { closed, wins } = metrics.trades;
  const trades = closed === 0 ? "" : `; ${plural(closed, "position")} closed, ${grouped(wins)} with a net profit`;
  return `${halted}The desk placed ${plural(orders.length, "order")}, ${grouped(filled)} filled${stopped}${trades}.`;
}

function fared({ scope, metrics: { equity, pnl } }: Report): string {
  if (equity.start === null || equity.end === null) return "There is no account snapshot yet.";
  if (equity.start === equity.end) return `Equity stayed at ${money(equity.end)} USDT.`;
  const change = equity.return === null ? "" : ` (${equity.return > 0 ? "+" : ""}${percent(equity.return, 2)})`;
  const notice = profitNotice(scope);
  const moved = equity.transferred === ZERO ? "" : `, ${signedMoney(equity.transferred)} of it transferred`;
  const went = `Equity went from ${money(equity.start)} to ${money(equity.end)} USDT${moved}${change}, after ${money(pnl.feesUsd)} in fees.`;
  return notice === null ? went : `${went} ${notice}`;
}
