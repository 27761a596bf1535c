import { big, type Decimal, fixed, text } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Explanation, LimitLine, StopLine } from "./explanation.ts";
import { exact, money, signed, signedMoney, span } from "./format.ts";
import { result as resultText, spoken } from "./phrase.ts";
import { plain } from "./plain.ts";

const LONG = 200; // of the venue's words, which are one line here
const NAMED = 48;

/** Returns an explanation for a terminal: the order in the words of the report, then what stands behind it, a part a block. */
export function explainText(told: Explanation): string {
  const { order, clientOrderId, venueOrderId, mode, venue } = told;
  const at = venueOrderId === null ? "not known to the venue" : `${plain(venueOrderId, NAMED)} there`;
  const blocks: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ["Decision", decisionLines(told)],
    ["Sizing, in contracts", sizingLines(told)],
    ["Limits, the tightest first", limitsText(told)],
    ["Stop", stopLines(told)],
    ["Edge against cost", [edgeText(told)]],
    ["Venue", told.events.map(eventText)],
    ["Protection", protectionLines(told)],
    ["Position", positionLines(told)],
  ];
  return [
    told.text,
    told.whyText,
    `${mode} on ${plain(venue)}, ${plain(order.instrument)}: ${order.id}, ${plain(clientOrderId, NAMED)} ${order.side} ${plain(order.type)}, ${at}`,
    "",
    ...blocks.flatMap(([title, lines]) => (lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), ""])),
  ].join("\n");
}

const short = (amount: Decimal, places: number): string => exact(text(fixed(amount, places)));
const time = (at: Instant): string => at.replace("T", " ").replace("Z", "");
const size = (contracts: Decimal): string => exact(text(big(contracts).abs()));
const name = (code: string): string => plain(spoken(code), NAMED);

function decisionLines({ decision, order }: Explanation): string[] {
  if (decision === null) return ["no plan made it: it has no bias, no sizing and no limits"];
  const { signal, signalBefore, phase, credibilityFactor, quote, equityUsd, control, biasAt, gitSha } = decision;
  const { bias, confidence } = order.why;
  const factors =
    bias === null || confidence === null || credibilityFactor === null
      ? ""
      : ` = bias ${signed(bias, 3)} × confidence ${confidence.toFixed(3)} × credibility factor ${credibilityFactor.toFixed(3)}`;
  const was = signalBefore === null ? "no earlier order filled" : `${signed(signalBefore, 3)} at the last order`;
  const thresholds = Object.entries(decision.thresholds).map(([limit, value]) => `${plain(limit)} ${plain(value)}`);
  const { earlier } = decision;
  const heard = earlier.length === 0 ? "" : `; biases before it ${earlier.map((one) => signed(one, 3)).join(", ")}`;
  return [
    `decided ${time(decision.at)} UTC${biasAt === null ? "" : `, from the bias of ${time(biasAt)}`}`,
    `signal ${signed(signal, 3)}${factors}; ${was}${heard}${phase === null ? "" : `; phase ${plain(phase)}`}`,
    ...(thresholds.length === 0 ? [] : [`thresholds: ${thresholds.join(", ")}`]),
    ...(quote === null ? [] : [`quote: bid ${exact(quote.bid)}, ask ${exact(quote.ask)}, mark ${exact(quote.mark)}`]),
    ...(equityUsd === null
      ? []
      : [`equity ${money(equityUsd)} USD${control === null ? "" : `, trading ${plain(control)}`}`]),
    ...(gitSha === null ? [] : [`code ${plain(gitSha, NAMED)}`]),
  ];
}

function sizingLines({ sizing, decision }: Explanation): string[] {
  if (decision === null) return [];
  const { bounds, orderBounds, held, target, trade } = sizing;
  const list = (all: typeof bounds): string =>
    all.map((one) => `${name(one.name)} ${short(one.contracts, 4)}`).join(", ");
  return [
    ...(bounds.length === 0 ? [] : [`may hold: ${list(bounds)}; the smallest rules`]),
    ...(orderBounds.length === 0 ? [] : [`one opening order may take: ${list(orderBounds)}`]),
    ...(held === null || target === null || trade === null
      ? []
      : [`held ${exact(held)}, target ${exact(target)}, to trade ${exact(trade)} (short is below zero)`]),
  ];
}

function limitsText({ limits, limitsApply }: Explanation): string[] {
  if (limits.length === 0) return [];
  const lines = limits.map(limitText);
  return limitsApply ? lines : ["an order that only reduces is not held to them; as they stood:", ...lines];
}

function limitText({ name: code, used, limit, headroomPercent, ok }: LimitLine): string {
  const left = headroomPercent === null ? "must be 0" : `${headroomPercent}% headroom`;
  return `${ok ? "" : "OVER "}${name(code)} · ${short(used, 6)} · ${short(limit, 6)} · ${left}`;
}

function stopLines({ stop: { before, after } }: Explanation): string[] {
  if (before === null && after === null) return ["none: nothing was held, or no order set one"];
  const at = (line: StopLine | null): string => (line === null ? "none" : exact(line.price));
  return [
    `${at(before)} → ${at(after)}`,
    ...(before === null ? [] : [`before: ${stopText(before)}`]),
    ...(after === null ? [] : [`after: ${stopText(after)}`]),
  ];
}

const stopText = ({ price, entryPrice, riskUsd, lossUsd }: StopLine): string =>
  `1 R = ${money(riskUsd)} USD, from the average entry ${short(entryPrice, 4)} to ${exact(price)}; loss at the stop ${money(lossUsd)} USD with the way out`;

function edgeText({ edge }: Explanation): string {
  const cost =
    edge.costBps === null
      ? "the cost is not known"
      : `a way in and out costs ${edge.costBps.toFixed(1)} bps${edge.costUsd === null ? "" : `, ${money(edge.costUsd)} USD of this order`}`;
  if (edge.state === "off")
    return `edge off: there is no ledger of graded signals yet, so nothing is expected; ${cost}`;
  const expected = edge.expectedBps === null ? "not known" : `${edge.expectedBps.toFixed(1)} bps`;
  return `edge ${plain(edge.state)}: expected ${expected}; ${cost}`;
}

const eventText = ({ at, by, status, text: words, code }: Explanation["events"][number]): string =>
  `${time(at)} ${plain(by)}: ${plain(words, LONG)} → ${plain(spoken(status))}${code === null ? "" : ` [${code}]`}`;

function protectionLines({ protections, waiting, unprotectedSeconds }: Explanation): string[] {
  const lines = protections.map(({ kind, id, trigger, size: part, status, reason, wantedAt, liveAt, endedAt }) => {
    const of = part === null ? "all that is held" : `${size(part)} ct`;
    const waits = liveAt === null ? "" : `, waits since ${time(liveAt)}`;
    const ended = endedAt === null ? "" : `, ended ${time(endedAt)}`;
    const because = reason === null ? "" : ` (${plain(reason, LONG)})`;
    return `${time(wantedAt)} ${kind} at ${exact(trigger)} of ${of}: ${plain(spoken(status))}${because}${waits}${ended}, ${plain(id, NAMED)}`;
  });
  const without = unprotectedSeconds === null ? [] : [`unprotected ${Number(unprotectedSeconds.toFixed(1))} s`];
  return [...(lines.length === 0 ? ["no stop of this position is recorded"] : lines), ...waiting, ...without];
}

function positionLines({ episode, result, resultR, order, ownRealizedUsd }: Explanation): string[] {
  const steps = episode.map(({ at, act, before, after, price, order: id, cause }) => {
    const paid = price === null ? "" : ` at ${exact(price)}`;
    const whose = id === null ? `, by ${plain(spoken(cause ?? "others"))}` : `, order ${id.slice(0, 8)}`;
    return `${time(at)} ${act.toUpperCase()} ${size(before)} → ${size(after)} ct${paid}${whose}${id === order.id ? " (this one)" : ""}`;
  });
  const own = ownRealizedUsd === null ? [] : [`this order realized ${signedMoney(ownRealizedUsd)} USD before fees`];
  if (result === null) return [...steps, ...own, "no position of it is in the books"];
  const { side, openedAt, closedAt, markPrice } = result;
  const ended =
    closedAt === null
      ? `open, mark ${markPrice === null ? "not known" : exact(markPrice)}`
      : `closed ${time(closedAt)}`;
  const held = closedAt === null ? "so far" : `after ${span(openedAt, closedAt)}`;
  const inR = resultR === null ? "" : `; ${signed(resultR)} R of the 1 R when it was opened`;
  return [...steps, ...own, `${side} since ${time(openedAt)}, ${ended}; ${held} in USD: ${resultText(result)}${inR}`];
}
