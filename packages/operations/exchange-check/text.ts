import type { Finding, Verdict } from "./check.ts";
import type { ExchangeChecked } from "./run.ts";

const WORDS: Readonly<Record<Verdict, string>> = { pass: "pass", differs: "DIFFERS", "not asked": "not asked" };

/** Returns a finding as lines: what was asked, what the venue answered, what that means. */
export function findingText({ name, verdict, reliedOn, asks, answer, means }: Finding): string {
  const word = reliedOn || verdict === "pass" ? WORDS[verdict] : `${verdict} (only told)`;
  return [`${name}: ${word}`, `  asks     ${asks}`, `  answer   ${answer}`, `  means    ${means}`].join("\n");
}

/** Returns the last lines of a run, in text. */
export function summaryText({ host, mode, orders, findings, left, interrupted }: ExchangeChecked): string {
  const of = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length;
  const counts = `${of("pass")} pass, ${of("differs")} differ, ${of("not asked")} could not be asked`;
  return [
    `${host} in ${mode}: ${counts}${interrupted ? "; interrupted" : ""}`,
    ...(orders
      ? [left.length === 0 ? "What the checks made is taken away again." : `LEFT at the venue: ${left.join("; ")}`]
      : mode === "live"
        ? []
        : ["No order was sent. --orders tries what only orders show, with the least size, and cleans up."]),
  ].join("\n");
}
