import { policyOf } from "#trading/plans/policy";
import { type Decimal, text, ZERO } from "#units/decimal";
import { clock, compact, exact, grouped, minute, money, percent, plural, signedMoney, usd } from "./format.ts";
import { whyText } from "./no-trade.ts";
import { armingText, EQUITY_OF, edgeGateText, profitNotice } from "./notice.ts";
import { orderText, orderWhy } from "./order-text.ts";
import { chance, course, legTexts, result, spoken, stopText, turnoverText } from "./phrase.ts";
import { escaped } from "./plain.ts";
import type { Denial, OrderLine, PositionLine, Report } from "./report.ts";

const SHOWN_ORDERS = 12;
const SHOWN_DENIALS = 6;
const BREAK = "  ";

/** Returns the lines of the newest `most` orders, newest first, each with why; then the plans that policy stopped. */
export function orderSection({ orders, denials, asOf }: Report, most: number = SHOWN_ORDERS): string[] {
  const shown = orders.slice(Math.max(0, orders.length - most)).reverse();
  const older = orders.length - shown.length;
  const denied = denials.slice(0, Math.max(most, SHOWN_DENIALS));
  return [
    "## Orders",
    "",
    ...(asOf === null ? [] : [`As of ${minute(asOf.rest)}.`, ""]),
    ...(orders.length === 0 ? ["None was placed.", ""] : shown.flatMap((order) => [...orderLines(order), ""])),
    ...(older > 0 ? [`And ${plural(older, "older order", "older orders")}.`, ""] : []),
    ...(denied.length > 0 ? ["### Denied", "", ...denied.map(denialItem), ""] : []),
  ];
}

const orderLines = (order: OrderLine): string[] => [
  `- ${orderText(order, escaped)}${BREAK}`,
  `  ${orderWhy(order, escaped)}`,
];

const names = (codes: readonly string[]): string => codes.map((code) => escaped(spoken(code), 48)).join(", ");

const denialItem = ({ instrument, side, denied, count, lastAt }: Denial): string =>
  `- ${grouped(count)} × ${side} ${escaped(instrument)}: ${denied.length > 0 ? names(denied) : "no reason given"} (last ${clock(lastAt)})`;

const warning = (scope: Report["scope"]): string[] => {
  const notice = profitNotice(scope);
  return notice === null ? [] : [`*${notice}*`, ""];
};

/** Returns the lines of traded assets without an order: the first gap, its size, and what would close it. */
export function noTradeSection({ noTrade, scope, asOf }: Report): string[] {
  if (noTrade.length === 0) return [];
  const { timeframe } = policyOf(scope);
  const items = noTrade.map((gap) => `- **${escaped(gap.asset)}**: ${whyText(gap, timeframe, escaped)}`);
  return ["## Why no trade", "", ...(asOf?.bias ? [`As of ${minute(asOf.bias)}:`, ""] : []), ...items, ""];
}

/** Returns the lines of open positions, then of those that closed in the period. */
export function positionSection({ positions, scope, asOf }: Report): string[] {
  if (positions.length === 0) return ["## Positions", "", "None.", ""];
  const open = positions.filter((position) => position.closedAt === null);
  const closed = positions.filter((position) => position.closedAt !== null);
  return [
    "## Positions",
    "",
    ...warning(scope),
    ...(asOf === null ? [] : [`As of ${minute(asOf.rest)}.`, ""]),
    ...(open.length > 0 ? open.flatMap((position) => [...openLines(position), ""]) : ["None is open.", ""]),
    ...(closed.length > 0 ? ["### Closed", "", ...closed.flatMap((position) => [...closedLines(position), ""])] : []),
  ];
}

function openLines(position: PositionLine): string[] {
  const held = position.size === null ? "?" : exact(position.size);
  return [
    `- **${position.side} ${held} ${escaped(position.asset)}** since ${minute(position.openedAt)}${BREAK}`,
    ...[stopText(position, escaped), ...legTexts(position, escaped)].map((line) => `  ${line}${BREAK}`),
    `  ${course(position, escaped)}${BREAK}`,
    `  ${result(position)}`,
  ];
}

const closedLines = (position: PositionLine): string[] => [
  `- **${position.side} ${escaped(position.asset)}** ${clock(position.openedAt)} to ${clock(position.closedAt ?? position.openedAt)}${BREAK}`,
  `  ${course(position, escaped)}${BREAK}`,
  `  ${result(position)}`,
];

/** All digits: a gap of any size is an alarm. */
const explained = (gap: Decimal): string => (gap === ZERO ? "to the last digit" : `all but ${gap} USDT`);

/** Returns the lines of the account's figures. */
export function performanceSection(report: Report): string[] {
  const { metrics, scope } = report;
  const { equity, pnl, trades, orders, exposure, outcomes } = metrics;
  const fraction = (value: number | null, places: number): string => (value === null ? "–" : percent(value, places));
  const armed = armingText(report, escaped);
  const rows: [string, string][] = [
    ["Equity", equity.end === null ? "–" : money(equity.end)],
    ["Change", equity.change === null ? "–" : `${signedMoney(equity.change)} (${fraction(equity.return, 2)})`],
    ...(equity.transferred === ZERO ? [] : [["Transferred", signedMoney(equity.transferred)] as [string, string]]),
    ...(equity.gap === null ? [] : [["Explained by bills", explained(equity.gap)] as [string, string]]),
    ["Max drawdown", fraction(equity.maxDrawdown, 2)],
    ["Realized", signedMoney(pnl.realizedUsd)],
    ["Unrealized", signedMoney(pnl.unrealizedUsd)],
    ["Fees", money(pnl.feesUsd)],
    ["Funding", signedMoney(pnl.fundingUsd)],
    [
      "Closed trades",
      trades.closed === 0
        ? "0"
        : `${grouped(trades.closed)}, ${fraction(trades.winRate, 0)} won net${chance(trades.chance)}`,
    ],
    ["Fills", grouped(orders.fills)],
    ["Turnover", turnoverText(orders)],
    ["Edge gate", edgeGateText(scope)],
    ...(armed === null ? [] : [["Armed", armed] as [string, string]]),
    ["Exposure", `${usd(exposure.grossUsd)} (${fraction(exposure.ofEquity, 0)})`],
    ...Object.entries(metrics.feesUnconverted).map(([asset, fee]): [string, string] => [
      `Fees in ${escaped(asset, 8)}, no price`,
      compact(text(fee)),
    ]),
  ];
  const settled = outcomes.filter((outcome) => outcome.settled > 0);
  return [
    "## Performance",
    "",
    ...warning(scope),
    "| Account | USDT |",
    "|:--|--:|",
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    "",
    `Equity is ${EQUITY_OF}.`,
    "",
    ...(settled.length > 0 ? ["Events that went the wallet's way after cost, once their horizon had passed:", ""] : []),
    ...settled.map(
      ({ horizon, settled: all, hitRate, chance: byChance }) =>
        `- ${horizon}: ${fraction(hitRate, 1)} of ${grouped(all)}${chance(byChance, 1)}`,
    ),
    ...(settled.length > 0 ? [""] : []),
  ];
}

/** Returns the lines of how well the desk itself ran. */
export function healthSection({ metrics: { blocks, events, wallets }, trading }: Report): string[] {
  const range = blocks.first === null ? "" : ` (${blocks.first} to ${blocks.last})`;
  const lag =
    blocks.lagMedianSeconds === null || blocks.lagMaxSeconds === null
      ? "no block, so no lag"
      : `${seconds(blocks.lagMedianSeconds)} median, ${seconds(blocks.lagMaxSeconds)} at most`;
  const part = (count: number, share: number | null): string =>
    share === null ? "none" : `${grouped(count)} of ${grouped(events.count)} (${percent(share)})`;
  return [
    "## System health",
    "",
    `- Blocks: ${grouped(blocks.count)}${range}`,
    `- Missing: ${grouped(blocks.missing)}`,
    `- Lag: ${lag}`,
    `- Reorgs: ${blocks.reorgedBlocks === 0 ? "none" : `${plural(blocks.reorgedBlocks, "block")}, ${plural(blocks.retractedEvents, "event")} taken back`}`,
    `- Transactions: ${grouped(blocks.transactions)}, token transfers: ${grouped(blocks.transfers)}`,
    `- Unpriced events: ${part(events.unpriced, events.unpricedShare)}`,
    `- Complex events: ${part(events.complex, events.complexShare)}`,
    `- Active wallets: ${grouped(wallets.active)} of ${grouped(wallets.watched)}`,
    `- Trading: ${trading === null ? "unknown" : `${escaped(trading.state)} (${escaped(trading.reason, 60)})`}`,
    "- Dead letters: counted by the queues, not here",
    "",
  ];
}

const seconds = (value: number): string => `${Number(value.toFixed(1))} s`;
