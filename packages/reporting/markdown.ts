import { healthSection, noTradeSection, orderSection, performanceSection, positionSection } from "./desk-sections.ts";
import { minute } from "./format.ts";
import { biasSection, eventSection, walletSection } from "./market-sections.ts";
import { escaped } from "./plain.ts";
import { POLICY_LETTERS, policyText } from "./policy-text.ts";
import type { Report } from "./report.ts";
import { sentences } from "./sentences.ts";

/** What is said wherever a generated input is shown. */
export const GENERATED_NOTICE = "Generated input, not a real market: a program made these blocks, wallets and prices.";

/**
 * Returns a report as Markdown (GFM) for a phone: short lines, tables of at most four narrow columns. Text from outside
 * is escaped. It ends with a line break and holds no wall clock. `orders`: how many of the newest are told; Infinity = each.
 */
export function markdown(report: Report, orders?: number): string {
  const { scope } = report;
  const lines = [
    ...(scope.generated ? [`**${GENERATED_NOTICE}**`, ""] : []),
    `# ${title(report)}`,
    "",
    `${scope.mode} on ${escaped(scope.venue)} · ${escaped(scope.chain)} · input ${escaped(scope.inputName, 48)}`,
    "",
    `Policy ${escaped(policyText(scope), POLICY_LETTERS)}.`,
    "",
    "## Summary",
    "",
    ...sentences(report, escaped).flatMap((sentence) => [sentence, ""]),
    ...biasSection(report),
    ...eventSection(report),
    ...walletSection(report),
    ...orderSection(report, orders),
    ...noTradeSection(report),
    ...positionSection(report),
    ...performanceSection(report),
    ...healthSection(report),
    "---",
    "",
    "Times are UTC. A probability of an edge is not a proof of one. Terms: docs/glossary.md",
  ];
  return `${lines.join("\n")}\n`;
}

function title({ scope }: Report): string {
  const sameDay = scope.start.slice(0, 10) === scope.end.slice(0, 10);
  const period = `${minute(scope.start)} to ${sameDay ? scope.end.slice(11, 16) : minute(scope.end).slice(5)}`;
  return scope.type === "run"
    ? `Spyhop, whole run: ${period}`
    : `Spyhop: ${period}${scope.type === "partial" ? " (so far)" : ""}`;
}
