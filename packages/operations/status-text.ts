import type { Doubtful } from "#topology/operations";
import { big, text, ZERO } from "#units/decimal";
import { isConsumed } from "./mappings.ts";
import type { DeskStatus, QueueStatus, Status } from "./status.ts";

/** Returns a length of time as a person says it: "45 s", "12 min", "3 h", "2 d". */
export function ago(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** Returns what wants a person's eye, worst first; empty = all is well. */
export function worries({ site, at, queues, mappings, database }: Status): string[] {
  const dead = queues.filter((queue) => queue.dead > 0);
  const letters = dead.map((queue) => `${queue.dead} dead letters of ${queue.name}: npm run redrive -- ${queue.name}`);
  const stopped = mappings.filter((mapping) => !isConsumed(mapping)).map(({ queue }) => queue);
  const hard =
    stopped.length > 0
      ? [`${stopped.join(" and ")} not consumed, ${site} is halted hard: npm run resume -- --hard`]
      : [];
  if ("problem" in database) return [`the database could not be asked: ${database.problem}`, ...hard, ...letters];
  const { schema, code, modes } = database;
  const found = modes.flatMap(({ mode, doubtful }) =>
    doubtful > 0 ? [`${ordersOf(doubtful)} of ${mode} in doubt: look each up at the venue, then npm run judge`] : [],
  );
  for (const { mode, balance } of modes)
    if (balance !== null && balance.gap !== ZERO)
      found.push(`bills do not explain ${balance.gap} USDT of the balance of ${mode}: see 'Ledger' in docs/runbook.md`);
  for (const { mode, control, arming } of modes) {
    const worry = armingWorry(mode, control.state, arming, at);
    if (worry !== null) found.push(worry);
  }
  if (schema === null) found.push("the database has no schema: npm run migrate");
  else if (code !== null && schema < code) found.push(`the database lacks migrations up to ${code}: npm run migrate`);
  else if (code !== null && schema > code) found.push("the database is newer than this code: update the code");
  return [...found, ...hard, ...letters];
}

const ordersOf = (count: number): string => (count === 1 ? "one order" : `${count} orders`);

/** Returns a status as a person reads it. */
export function statusText(status: Status): string {
  const { site, at, queues, mappings, database } = status;
  const found = worries(status);
  return [
    `${site}, ${at}`,
    "",
    ...table(queues),
    "",
    ...mappings.map((mapping) => `mapping   ${mapping.queue} ${mapping.state}`),
    ...("problem" in database ? [`database  ${database.problem}`] : databaseLines(database, at)),
    "",
    ...(found.length === 0 ? ["nothing needs a person"] : found.map((worry) => `! ${worry}`)),
    "",
  ].join("\n");
}

function table(queues: readonly QueueStatus[]): string[] {
  const head = ["queue", "visible", "in flight", "delayed", "dead", "oldest dead"];
  const lines = queues.map((queue) => [
    queue.name,
    ...[queue.visible, queue.inFlight, queue.delayed, queue.dead].map(String),
    queue.oldestDeadSeconds === null ? "" : ago(queue.oldestDeadSeconds),
  ]);
  return [head, ...lines].map(([first = "", ...rest]) =>
    `${first.padEnd(12)}${rest.map((cell) => cell.padStart(12)).join("")}`.trimEnd(),
  );
}

function databaseLines({ schema, code, lagSeconds, block, report, modes }: DeskStatus, at: string): string[] {
  const since = (then: string): string => ago((Date.parse(at) - Date.parse(then)) / 1000);
  return [
    `schema    ${schema ?? "none"}${schema === code ? "" : `, this code has ${code ?? "none"}`}`,
    `chain     ${block ? `block ${block.number}, ${ago(lagSeconds ?? 0)} behind` : "no block yet"}`,
    `report    ${report ? `${report.type}, ended ${report.end} (${since(report.end)} ago)` : "none yet"}`,
    ...modes.flatMap(({ mode, control, balance, arming, doubtful, inDoubt }) => [
      `trading   ${mode} ${control.state}, epoch ${control.epoch}, since ${control.changedAt} by ${control.actor}: ${control.reason}`,
      ...(arming === null ? [] : [armingLine(mode, arming)]),
      ...(balance === null ? [] : [balanceLine(mode, balance)]),
      ...inDoubt.map(doubtLine),
      ...(doubtful > inDoubt.length ? [`in doubt  ${doubtful - inDoubt.length} more`] : []),
    ]),
  ];
}

type Armed = DeskStatus["modes"][number]["arming"];

const armingLine = (mode: string, arming: NonNullable<Armed>): string =>
  `armed     ${mode}, account ${arming.account}, until ${arming.notAfter} by ${arming.by}, epoch ${arming.epoch}: at most ` +
  `${arming.maxNotionalUsd} USD held, ${arming.maxDailyLossUsd} USD lost a day${arming.problem === null ? "" : `. It does not hold: ${arming.problem}`}`;

/** An arming that ends within this is told before it does. */
const ENDS_SOON_MS = 2 * 3_600_000;

/** Returns what a person has to do about the arming of a live desk that trades; null when nothing. */
function armingWorry(mode: string, state: string, arming: Armed, at: string): string | null {
  if (mode !== "live" || state !== "ACTIVE") return null;
  const problem = arming === null ? "there is no arming" : arming.problem;
  if (arming === null || problem !== null) return `live opens nothing: ${problem}: npm run arm`;
  const leftMs = Date.parse(arming.notAfter) - Date.parse(at);
  return leftMs > ENDS_SOON_MS ? null : `the arming of live ends in ${ago(leftMs / 1000)}: npm run arm`;
}

type Balance = NonNullable<DeskStatus["modes"][number]["balance"]>;

/** Both sides of the identity, all digits: equity is cash, which the bills add up to, and what is not realized. */
const balanceLine = (mode: string, { at, equity, cash, unrealized, gap }: Balance): string =>
  `balance   ${mode} equity ${equity} USDT at ${at}: cash ${cash} (bills say ${text(big(cash).minus(gap))}), unrealized ${unrealized}`;

const doubtLine = ({ status, side, size, instrument, decidedAt, clientOrderId }: Doubtful): string =>
  `in doubt  ${status}: ${side} ${size} ${instrument}, decided ${decidedAt}, client order id ${clientOrderId}`;
