import { big } from "#units/decimal";
import type { DrillResult, Outcome } from "./drill.ts";
import type { Aim } from "./plan.ts";
import { POISON } from "./poison.ts";

/**
 * Returns what a drill has found wrong, in words; empty when nothing was lost, nothing was doubled, and only poison is
 * dead. Where submissions were ended in the middle the two replays trade differently, and the books must only agree.
 */
export function problemsOf({ undisturbed, disturbed, lost }: DrillResult, aim: Aim): string[] {
  const problems = [...deadProblems(disturbed), ...orderProblems(disturbed)];
  if (lost.length > 0) problems.push(`${lost.length} messages lost, the first on ${lost[0]}`);
  if (aim === "inside") return problems;
  const { tables } = disturbed.digest;
  const differing = Object.entries(undisturbed.digest.tables).filter(
    ([name, { sha256 }]) => tables[name]?.sha256 !== sha256,
  );
  for (const [name, { rows }] of differing)
    problems.push(`table ${name} differs: ${rows} rows, ${tables[name]?.rows} disturbed`);
  if (JSON.stringify(undisturbed.venue) !== JSON.stringify(disturbed.venue))
    problems.push(
      `the venue's books differ: ${disturbed.venue.fills.length} fills, not ${undisturbed.venue.fills.length}`,
    );
  return problems;
}

function deadProblems({ deadLetters }: Outcome): string[] {
  const poison = POISON.map(({ body }) => body);
  const problems = deadLetters
    .filter((body) => !poison.includes(body))
    .map((body) => `dead without being poisoned: ${body}`);
  const alive = poison.filter((body) => !deadLetters.includes(body));
  return [...problems, ...alive.map((body) => `poisoned and not dead: ${body}`)];
}

/** No order twice at the venue, none there that the desk does not know as it was filled, none left in between. */
function orderProblems({ venue, known, unsettled }: Outcome): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { clOrdId, accFillSz } of venue.orders) {
    if (seen.has(clOrdId)) problems.push(`order ${clOrdId} is twice at the venue`);
    seen.add(clOrdId);
    const order = known.get(clOrdId);
    if (!order) problems.push(`the desk knows nothing of the venue's order ${clOrdId}`);
    else if (!big(order.filledSize).eq(accFillSz))
      problems.push(`order ${clOrdId}: ${order.filledSize} filled (${order.status}), ${accFillSz} at the venue`);
  }
  if (unsettled > 0) problems.push(`${unsettled} orders are neither done nor given up`);
  return problems;
}
