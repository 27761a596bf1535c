import { big } from "#units/decimal";
import type { DrillResult } from "./drill.ts";
import { STRUCK } from "./killed.ts";
import type { Outcome } from "./outcome.ts";
import { type Aim, REFUSALS, refusalName } from "./plan.ts";
import { POISON } from "./poison.ts";
import { WINDOWS } from "./windows.ts";

/**
 * Returns what a drill has found wrong, in words; empty when nothing was lost, nothing was doubled, only poison is dead, and
 * no fault was left out. Where submissions were ended as drawn the two replays trade differently, and the books must only
 * agree.
 */
export function problemsOf(result: DrillResult, aim: Aim): string[] {
  const { undisturbed, disturbed, killed, lost } = result;
  const problems = [...deadProblems(disturbed), ...orderProblems("disturbed", disturbed)];
  if (lost.length > 0) problems.push(`${lost.length} messages lost, the first on ${lost[0]}`);
  if (aim === "inside") return problems;
  problems.push(...orderProblems("undisturbed", undisturbed), ...differences("disturbed", undisturbed, disturbed));
  if (killed) {
    problems.push(...orderProblems("killed", killed), ...differences("killed", undisturbed, killed));
    for (const body of killed.deadLetters) problems.push(`killed: dead without being poisoned: ${body}`);
  }
  return [...problems, ...unmet(result)];
}

function differences(run: string, one: Outcome, other: Outcome): string[] {
  const { tables } = other.digest;
  const problems = Object.entries(one.digest.tables)
    .filter(([name, { sha256 }]) => tables[name]?.sha256 !== sha256)
    .map(([name, { rows }]) => `${run}: table ${name} differs: ${rows} rows, ${tables[name]?.rows} ${run}`);
  if (JSON.stringify(one.venue) !== JSON.stringify(other.venue))
    problems.push(`${run}: the venue's books differ: ${other.venue.fills.length} fills, not ${one.venue.fills.length}`);
  return problems;
}

const PLACES = ["queues", "bus"] as const;

/** Every fault of a drill that ends submissions in their windows once, by its name, with how often it was met. */
export function metFaults({ undisturbed, disturbed, killed, counts, restarts }: DrillResult): [string, number][] {
  const sum = (of: ReadonlyMap<string, number>): number => [...of.values()].reduce((total, n) => total + n, 0);
  return [
    ["invocation ended", sum(counts.killed)],
    ["message redelivered", counts.redelivered],
    ["reply of a receive lost", counts.receivesLost],
    ["database restarted", restarts],
    ...PLACES.flatMap((place) =>
      REFUSALS.map((refusal): [string, number] => {
        const name = refusalName(place, refusal);
        return [`refused: ${name}`, counts.refusals.get(name) ?? 0];
      }),
    ),
    ...STRUCK.map((place): [string, number] => [`process killed: ${place}`, killed?.kills.get(place) ?? 0]),
    ...WINDOWS.flatMap((window) =>
      Object.entries({ undisturbed, disturbed, killed }).map(([run, outcome]): [string, number] => [
        `submission ended from ${window}, ${run}`,
        outcome?.windows?.[window] ? 1 : 0,
      ]),
    ),
  ];
}

/** What was never met was not tried: the drill has said nothing of it. */
const unmet = (result: DrillResult): string[] =>
  metFaults(result)
    .filter(([, times]) => times === 0)
    .map(([name]) => `never met: ${name}; give it more to do (--slots, a recording with orders) or another --seed`);

function deadProblems({ deadLetters }: Outcome): string[] {
  const poison = POISON.map(({ body }) => body);
  const problems = deadLetters
    .filter((body) => !poison.includes(body))
    .map((body) => `dead without being poisoned: ${body}`);
  const alive = poison.filter((body) => !deadLetters.includes(body));
  return [...problems, ...alive.map((body) => `poisoned and not dead: ${body}`)];
}

/** An order that was claimed and not posted never reaches the venue; one that was posted is there, reply or not. */
function windowProblems({ venue, windows }: Outcome): string[] {
  const [claimed, posted] = [windows?.["claim to POST"] ?? null, windows?.["POST to reply"] ?? null];
  const isThere = (id: string | null): boolean => venue.orders.some(({ clOrdId }) => clOrdId === id);
  return [
    ...(isThere(claimed) ? [`order ${claimed} ended before its POST and was sent all the same`] : []),
    ...(posted === null || isThere(posted) ? [] : [`order ${posted} was posted and is not at the venue`]),
  ];
}

/** No order twice at the venue, none there that the desk does not know as it was filled, none left in between. */
function orderProblems(run: string, outcome: Outcome): string[] {
  const { venue, known, unsettled } = outcome;
  const problems = windowProblems(outcome);
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
  return problems.map((problem) => `${run}: ${problem}`);
}
