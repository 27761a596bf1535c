import { table, wrapped } from "#host/text-columns";
import {
  clock,
  exact,
  grouped,
  minute,
  money,
  percent,
  plural,
  probability,
  signed,
  signedMoney,
  usd,
} from "#reporting/format";
import { GENERATED_NOTICE } from "#reporting/markdown";
import { evidenceOn, noEvidence, whyText } from "#reporting/no-trade";
import { EQUITY_OF, edgeGateText, profitNotice } from "#reporting/notice";
import { orderText, orderWhy } from "#reporting/order-text";
import {
  chance,
  course,
  deed,
  isKnown,
  kindOf,
  legTexts,
  result,
  spoken,
  stopText,
  turnoverText,
  walletName,
} from "#reporting/phrase";
import { plain } from "#reporting/plain";
import { POLICY_LETTERS, policyText } from "#reporting/policy-text";
import {
  type BiasLine,
  type CredibilityLine,
  NEUTRAL,
  type PositionLine,
  type Report,
  type WalletLine,
} from "#reporting/report";
import { sentences } from "#reporting/sentences";
import { readEnv } from "#runtime/config";
import { betsNeeded, DEFAULT_PRIOR } from "#scoring/prior";
import { policyOf } from "#trading/plans/policy";
import { ZERO } from "#units/decimal";
import { HORIZONS, type Horizon, type Instant } from "#units/time";

/** What the end of a run is reported from. */
export interface RunSummary {
  readonly report: Report;
  /** Every wallet that was scored, as of the report's biases. */
  readonly wallets: readonly WalletLine[];
  /** How well the desk separated the informed from the others, where that was planted: a line a horizon. */
  readonly planted: readonly string[];
  readonly deadLetters: number;
  /** SHA-256 of the database: two replays of one recording give the same. */
  readonly digest: string;
  readonly reportPath: string;
  /** Seconds of real time that the run took, or null when nobody measured. */
  readonly seconds: number | null;
}

export interface Look {
  /** 80 to 100 are used, whatever the terminal has. */
  readonly columns: number;
  readonly colour: boolean;
  /** How many of the newest orders are shown; Infinity = each. */
  readonly orders?: number;
}

/** Returns how to write to a stream: colour only on a terminal, and never where NO_COLOR is set (no-color.org). */
export const lookOf = (stream: { readonly isTTY?: boolean; readonly columns?: number }): Look => ({
  columns: stream.columns ?? 80,
  colour: stream.isTTY === true && readEnv("NO_COLOR") === null,
});

const RANKED = 3;
const SHOWN = 8;

/** Returns the end of a run as plain text for a terminal, ending with a line break. */
export function summaryText(summary: RunSummary, look: Look): string {
  const width = Math.min(100, Math.max(80, look.columns)) - 1; // the last column makes some terminals wrap
  const { report, wallets } = summary;
  const bold = (text: string): string => (look.colour ? `\u001b[1m${text}\u001b[0m` : text);
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [bold(title), ...lines.flatMap((line) => wrapped(`  ${line}`, width, "    ")), ""];
  const lines = [
    "",
    ...(report.scope.generated ? [...wrapped(GENERATED_NOTICE, width).map(bold), ""] : []),
    ...sentences(report).flatMap((sentence) => wrapped(sentence, width)),
    "",
    ...section("Watched", watchedLines(summary)),
    ...section(`Wallets${stood(report.asOf?.bias ?? report.asOf?.rest)}`, walletTable(wallets, report.asOf)),
    ...section(`Planted, and found${stood(report.asOf?.rest)}`, summary.planted),
    ...section(`Bias${stood(report.asOf?.bias)}`, biasLines(report)),
    ...section(`Orders${stood(report.asOf?.rest)}`, orderLines(report, look.orders ?? SHOWN)),
    ...section(`Why no trade${stood(report.asOf?.bias)}`, noTradeLines(report)),
    ...section(`Positions${stood(report.asOf?.rest)}`, positionLines(report.positions)),
    ...section(`Account${stood(report.asOf?.rest)}`, accountLines(report)),
    bold("Run"),
    ...runLines(summary).map((line) => `  ${line}`), // a path or a digest that is cut is of no use
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

function watchedLines({ report: { scope, metrics }, seconds }: RunSummary): string[] {
  const { blocks, events, wallets } = metrics;
  const range = blocks.first === null ? "" : ` (${blocks.first} to ${blocks.last})`;
  const speed = seconds === null || seconds <= 0 ? "" : `, ${(blocks.count / seconds).toFixed(1)} blocks/s`;
  const priced = events.unpriced === events.count ? null : events.notionalUsd;
  const unpriced = events.unpriced > 0 && priced !== null ? `, ${grouped(events.unpriced)} unpriced` : "";
  return table(
    [{ max: 12 }, { max: POLICY_LETTERS }],
    [
      ["input", `${plain(scope.inputName, 48)}, ${scope.chain}, ${scope.mode} on ${scope.venue}`],
      ...(blocks.firstAt === null || blocks.lastAt === null
        ? []
        : [["period", `${minute(blocks.firstAt)} to ${minute(blocks.lastAt)} UTC, of the blocks`]]),
      ["run", `${minute(scope.start)} to ${minute(scope.end)} UTC, so that outcomes settle`],
      ["policy", plain(policyText(scope), POLICY_LETTERS)],
      ["wallets", `${grouped(wallets.watched)}, ${grouped(wallets.active)} of them active`],
      [
        "blocks",
        `${grouped(blocks.count)}${range}, ${blocks.missing === 0 ? "none" : grouped(blocks.missing)} missing${speed}`,
      ],
      ["on chain", `${grouped(blocks.transactions)} transactions, ${grouped(blocks.transfers)} token transfers`],
      ["events", events.count === 0 ? "none" : `${grouped(events.count)}, ${usd(priced)}${unpriced}`],
      ["by type", byCount(events.byType)],
    ],
  );
}

const byCount = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([name, count]) => `${grouped(count)} ${spoken(name)}`)
    .join(", ") || "none";

/**
 * The best and the worst of each horizon among wallets that stand above and below 5.0: the others are not known. Beside what the
 * desk traded on, what each stood at once its outcomes had settled.
 */
function walletTable(wallets: readonly WalletLine[], asOf: Report["asOf"]): string[] {
  const rows = HORIZONS.flatMap((horizon) => ranked(wallets, horizon));
  if (rows.length === 0) return nobody(wallets);
  const settles = wallets.some(({ credibility }) => credibility.some(({ settled }) => settled !== null));
  const number = { max: 7, align: "right" } as const;
  const numbers = [number, number, number];
  const head = [
    ...["", "", "wallet", "score", "edge", "bets"],
    ...(settles ? ["settled", "edge", "bets"] : []),
    "kind",
  ];
  return [
    ...table(
      [{ max: 3 }, { max: 5 }, { max: settles ? 24 : 32 }, ...numbers, ...(settles ? numbers : []), { max: 20 }],
      [head, ...rows.map(({ name, now, settled, kind }) => [...name, ...now, ...(settles ? settled : []), kind])],
    ),
    ...(settles && asOf !== null ? [`settled: as of ${minute(asOf.rest)} UTC, once outcomes had settled`] : []),
  ];
}

/** Returns what is said when every wallet is at 5.0. */
function nobody(wallets: readonly WalletLine[]): string[] {
  const needs = betsNeeded(DEFAULT_PRIOR);
  const lines = wallets.flatMap(({ credibility }) => credibility);
  return HORIZONS.map((horizon) => {
    const bets = lines.filter((line) => line.horizon === horizon).map((line) => line.bets ?? 0);
    return `${horizon}: ${noEvidence({ horizon, needs, has: Math.max(0, ...bets) })}`;
  });
}

const kindCell = (archetype: string | null): string => {
  const kind = kindOf(archetype);
  return kind === null ? "" : plain(kind);
};

/** A wallet's row of the table, in cells. */
interface Ranked {
  readonly name: readonly string[];
  readonly now: readonly string[];
  readonly settled: readonly string[];
  readonly kind: string;
}

/** By what the desk knew; where it knew nothing of any wallet yet, by where they came to stand. */
function ranked(wallets: readonly WalletLine[], horizon: Horizon): Ranked[] {
  const lines = wallets.flatMap(({ wallet, archetype, credibility }) =>
    credibility.filter((line) => line.horizon === horizon).map((line) => ({ wallet, archetype, line })),
  );
  const known = lines.some(({ line }) => shown(line.score) !== NEUTRAL);
  const scored = lines
    .map((each) => ({ ...each, by: known ? each.line : (each.line.settled ?? each.line) }))
    .filter(({ by }) => (by.bets ?? 0) > 0)
    .sort((a, b) => b.by.score - a.by.score || (b.by.edge ?? 0) - (a.by.edge ?? 0) || byAddress(a.wallet, b.wallet));
  const best = scored.filter(({ by }) => shown(by.score) > NEUTRAL).slice(0, RANKED);
  const worst = scored.filter(({ by }) => shown(by.score) < NEUTRAL).slice(-RANKED);
  const row = ({ wallet, archetype, line }: (typeof scored)[number], rank: string): Ranked => ({
    ...{ name: [horizon, rank, walletName(wallet)], now: cellsOf(line), settled: cellsOf(line.settled) },
    kind: kindCell(archetype),
  });
  return [...best.map((line) => row(line, "best")), ...worst.map((line) => row(line, "worst"))];
}

const byAddress = (a: { readonly address: string }, b: { readonly address: string }): number =>
  a.address < b.address ? -1 : 1;

const shown = (score: number): number => Number(score.toFixed(1));

/** A score, the probability of an edge and the bets behind them; empty where no bet had settled. */
function cellsOf(line: CredibilityLine["settled"]): string[] {
  if (line === null || (line.bets ?? 0) === 0) return ["", "", ""];
  return [
    line.score.toFixed(1),
    line.edge === null ? "" : probability(line.edge),
    line.bets === null ? "" : line.bets.toFixed(1),
  ];
}

const stood = (at: Instant | null | undefined): string => (at ? `, as of ${minute(at)} UTC` : "");

function biasLines({ biases, evidence }: Report): string[] {
  if (biases.length === 0) return ["none yet"];
  const known = biases.filter(isKnown);
  const unknown = HORIZONS.filter((horizon) => !known.some(({ timeframe }) => timeframe === horizon));
  return [
    ...known.flatMap(biasLine),
    ...unknown.map((horizon) => `${horizon}: ${noEvidence(evidenceOn(evidence, horizon))}`),
  ];
}

function biasLine(line: BiasLine): string[] {
  return [
    ...table(
      [{ max: 10 }, { max: 3 }, { max: 6, align: "right" }, { max: 20 }],
      [
        [
          plain(line.asset, 10).padEnd(5),
          line.timeframe.padEnd(3),
          signed(line.value),
          line.confidence === null ? "" : `confidence ${percent(line.confidence)}`,
        ],
      ],
    ),
    ...line.contributions.map(
      ({ contribution, event }) =>
        `    ${signed(contribution, 3)} ${event ? `${walletName(event.wallet)} ${deed(event)}, ${clock(event.at)}` : "an event that has left the feed"}`,
    ),
    ...(Math.abs(line.others.contribution) < 0.0005
      ? []
      : [`    ${signed(line.others.contribution, 3)} ${plural(line.others.count, "other event")}`]),
  ];
}

const noTradeLines = ({ noTrade, scope }: Report): string[] =>
  noTrade.map((gap) => `${plain(gap.asset, 10)}: ${whyText(gap, policyOf(scope).timeframe)}`);

function orderLines({ orders, denials }: Report, most: number): string[] {
  const shown = orders.slice(Math.max(0, orders.length - most));
  const older = orders.length - shown.length;
  return [
    ...(orders.length === 0 ? ["none was placed"] : []),
    ...(older > 0 ? [`${grouped(older)} older (--orders all shows each), then:`] : []),
    ...shown.flatMap((order) => [`${order.decidedAt.slice(5, 10)} ${orderText(order)}`, `    ${orderWhy(order)}`]),
    ...denials
      .slice(0, Math.max(most, SHOWN))
      .map(
        ({ instrument, side, denied, count }) =>
          `denied ${grouped(count)} × ${side} ${plain(instrument)}: ${denied.map((code) => plain(spoken(code), 48)).join(", ") || "no reason given"}`,
      ),
  ];
}

function positionLines(positions: readonly PositionLine[]): string[] {
  if (positions.length === 0) return ["none was opened"];
  const shown = positions.slice(-SHOWN);
  const older = positions.length - shown.length;
  return [
    ...(older > 0 ? [`${grouped(older)} older, then:`] : []),
    ...shown.flatMap((position) => [
      positionLine(position),
      ...(position.closedAt === null ? [stopText(position), ...legTexts(position)].map((line) => `    ${line}`) : []),
      `    ${result(position)}`,
    ]),
  ];
}

function positionLine(position: PositionLine): string {
  const held = position.closedAt === null && position.size !== null ? ` ${exact(position.size)}` : "";
  const state = position.closedAt === null ? "open" : "closed";
  return `${state} ${position.side}${held} ${plain(position.asset)}: ${course(position)}`;
}

function accountLines({ scope, metrics: { equity, pnl, trades, orders } }: Report): string[] {
  if (equity.start === null || equity.end === null) return ["no snapshot yet"];
  const won = trades.winRate === null ? "" : `, ${percent(trades.winRate)} won net${chance(trades.chance)}`;
  const fall = equity.maxDrawdown === null ? "" : `, max drawdown ${percent(equity.maxDrawdown, 2)}`;
  const notice = profitNotice(scope);
  return [
    ...(notice === null ? [] : [notice]),
    `equity ${money(equity.start)} to ${money(equity.end)} USDT (${signedMoney(equity.change ?? ZERO)})${fall}`,
    `realized ${signedMoney(pnl.realizedUsd)}, unrealized ${signedMoney(pnl.unrealizedUsd)}, fees ${money(pnl.feesUsd)}, ${plural(trades.closed, "trade")} closed${won}`,
    `turnover ${turnoverText(orders)}; edge gate ${edgeGateText(scope)}`,
    `equity is ${EQUITY_OF}`,
  ];
}

const runLines = ({ deadLetters, digest, reportPath, seconds }: RunSummary): string[] => [
  `dead letters: ${deadLetters === 0 ? "0" : `${grouped(deadLetters)}: a job failed, see the log`}`,
  ...(seconds === null ? [] : [`took: ${seconds.toFixed(1)} s`]),
  `digest: ${digest}`,
  `report: ${reportPath}`,
];
