import type { DatabaseStatus, QueueStatus, Status } from "./status.ts";

/** Returns a length of time as a person says it: "45 s", "12 min", "3 h", "2 d". */
export function ago(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** Returns what wants a person's eye, worst first; empty = all is well. */
export function worries({ queues, database }: Status): string[] {
  const dead = queues.filter((queue) => queue.dead > 0);
  const letters = dead.map((queue) => `${queue.dead} dead letters of ${queue.name}: npm run redrive -- ${queue.name}`);
  if ("problem" in database) return [`the database could not be asked: ${database.problem}`, ...letters];
  const { schema, code, modes } = database;
  const found = modes.flatMap(({ mode, doubtful }) =>
    doubtful > 0 ? [`${doubtful} orders of ${mode} are unknown or quarantined (docs/runbook.md)`] : [],
  );
  if (schema === null) found.push("the database has no schema: npm run migrate");
  else if (code !== null && schema < code) found.push(`the database lacks migrations up to ${code}: npm run migrate`);
  else if (code !== null && schema > code) found.push("the database is newer than this code: update the code");
  return [...found, ...letters];
}

/** Returns a status as a person reads it. */
export function statusText(status: Status): string {
  const { site, at, queues, database } = status;
  const found = worries(status);
  return [
    `${site}, ${at}`,
    "",
    ...table(queues),
    "",
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

function databaseLines({ schema, code, lagSeconds, health, modes }: DatabaseStatus, at: string): string[] {
  const since = (then: string): string => ago((Date.parse(at) - Date.parse(then)) / 1000);
  const block = health?.block;
  const report = health?.report;
  return [
    `schema    ${schema ?? "none"}${schema === code ? "" : `, this code has ${code ?? "none"}`}`,
    `chain     ${block ? `block ${block.number}, ${ago(lagSeconds ?? 0)} behind` : "no block yet"}`,
    `report    ${report ? `${report.type}, ended ${report.end} (${since(report.end)} ago)` : "none yet"}`,
    ...modes.map(({ mode, trading, doubtful }) => {
      const state = trading
        ? `${trading.state}, epoch ${trading.epoch}, since ${trading.changedAt}: ${trading.reason}`
        : "no row";
      return `trading   ${mode} ${state}${doubtful > 0 ? `; ${doubtful} orders in doubt` : ""}`;
    }),
  ];
}
