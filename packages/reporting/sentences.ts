import { grouped, listed, money, percent, plural, signed, span, usd } from "./format.ts";
import { profitNotice } from "./notice.ts";
import { type Clean, deed, lean, spoken, walletName } from "./phrase.ts";
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
  const period = `${span(scope.start, scope.end)} to ${scope.end.slice(11, 16)} UTC`;
  if (blocks.count === 0) return `No block came in during the ${period}; ${plural(wallets.watched, "wallet")} watched.`;
  const seen =
    events.count === 0
      ? "and saw nothing of them"
      : `and saw ${plural(events.count, "event")} by ${grouped(wallets.active)} of them, ${worth(events)}`;
  return `In the ${period} the desk watched ${plural(wallets.watched, "wallet")} over ${plural(blocks.count, "block")} ${seen}.`;
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

function leaning({ biases, scope }: Report, clean: Clean): string {
  const told = biases.filter((line) => line.timeframe === "4h").slice(0, TOLD_BIASES);
  if (told.length === 0) return "There is no bias yet.";
  const flat = told.every((line) => lean(line.value) === "is flat");
  if (flat) return `Over 4 h ${listed(told.map((line) => clean(line.asset)))} ${told.length > 1 ? "are" : "is"} flat.`;
  const when = scope.type === "run" ? "After the last block: " : "";
  return when + told.map((line) => biasSentence(line, clean)).join(" ");
}

function biasSentence(line: BiasLine, clean: Clean): string {
  const confidence = line.confidence === null ? "" : `, confidence ${percent(line.confidence)}`;
  const reasons = reasonsFor(line, clean);
  const because = reasons.length > 0 ? `, mostly because ${listed(reasons)}` : "";
  return `${clean(line.asset)} ${lean(line.value)} over 4 h (${signed(line.value)}${confidence})${because}.`;
}

/** Only what pulls the way that the bias leans explains it. */
const reasonsFor = (line: BiasLine, clean: Clean): string[] =>
  line.contributions
    .filter(({ contribution }) => contribution * line.value > 0)
    .slice(0, 2)
    .flatMap((term) => reason(term, clean));

const reason = ({ event, contribution }: ContributionLine, clean: Clean): string[] =>
  event ? [`${walletName(event.wallet, clean)} ${deed(event, clean)} (${signed(contribution)})`] : [];

function traded({ orders, denials, trading, metrics }: Report, clean: Clean): string {
  const halted =
    trading && trading.state !== "ACTIVE" ? `Trading is ${clean(trading.state)} (${clean(trading.reason)}). ` : "";
  const denied = denials.reduce((total, denial) => total + denial.count, 0);
  const stopped =
    denied === 0
      ? ""
      : `; policy denied ${grouped(denied)} ${denied === 1 ? "plan" : "plans"} (${clean(spoken(denials[0]?.denied[0] ?? "no reason given"))})`;
  if (orders.length === 0) return `${halted}No order was placed${stopped}.`;
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
  const went = `Equity went from ${money(equity.start)} to ${money(equity.end)} USDT${change}, after ${money(pnl.feesUsd)} in fees.`;
  return notice === null ? went : `${went} ${notice}`;
}
