import { table } from "#host/text-columns";
import type { ChainFigures } from "./chain.ts";
import type { ColdStarts } from "./cold.ts";
import { kib, median, percentile, spread, spreadText } from "./figures.ts";
import type { MeasuredRun } from "./measured-run.ts";
import type { SizedBundle } from "./sizes.ts";
import type { TradingFigures } from "./trading.ts";

const TEXT = { max: 44 } as const;
const NUMBER = { max: 28, align: "right" } as const;

/** Returns one kind of run as lines: medians, with the smallest and the largest in brackets where there are several. */
export function runLines(title: string, runs: readonly MeasuredRun[]): string[] {
  const over = (pick: (run: MeasuredRun) => number, digits = 1): string => spreadText(spread(runs.map(pick)), digits);
  const [first] = runs;
  if (!first) return [];
  const rows = [
    ["blocks/s, to the last block", over((run) => run.blocks / run.blockSeconds)],
    ["seconds, to the end", over((run) => run.seconds)],
    ["CPU, ms a block", over((run) => (run.cpuSeconds * 1000) / run.blocks)],
    ["CPU, yardsticks a block", over((run) => (run.cpuSeconds * 1000) / run.blocks / run.yardstickMs, 3)],
    ["wall time per CPU time", over((run) => run.seconds / run.cpuSeconds, 2)],
    ["peak RSS, MiB", over((run) => run.peakRssMib, 0)],
  ];
  return [
    `${title}: ${first.blocks} blocks, ${first.events} events, ${first.deadLetters} dead letters, ${runs.length} runs`,
    ...table([TEXT, NUMBER], rows).map((line) => `  ${line}`),
    "",
  ];
}

/** Returns the 50th and 99th percentile of each job as lines: medians over the runs. */
export function jobLines(runs: readonly MeasuredRun[]): string[] {
  const names = [...new Set(runs.flatMap((run) => run.jobs.map(({ job }) => job)))];
  const rows = names.map((name) => {
    const of = runs.flatMap((run) => run.jobs.filter(({ job }) => job === name));
    const middle = (pick: (one: (typeof of)[number]) => number, digits: number): string =>
      median(of.map(pick)).toFixed(digits);
    return [
      ...[name, middle((one) => one.runs, 0), middle((one) => one.p50Ms, 1), middle((one) => one.p99Ms, 1)],
      middle((one) => one.totalMs / 1000, 2),
    ];
  });
  const columns = [TEXT, NUMBER, NUMBER, NUMBER, NUMBER];
  return [...table(columns, [["job", "runs", "p50 ms", "p99 ms", "total s"], ...rows]).map((line) => `  ${line}`), ""];
}

/** Returns the bundles as lines, each with its budget. */
export function sizeLines(bundles: readonly SizedBundle[]): string[] {
  const rows = bundles.map(({ job, bytes, budget }) => [
    ...[job, kib(bytes), kib(budget.bytes), `${((bytes / budget.bytes) * 100).toFixed(0)} %`],
    bytes > budget.bytes ? "OVER" : "",
  ]);
  const columns = [TEXT, NUMBER, NUMBER, NUMBER, TEXT];
  return [
    "bundles",
    ...table(columns, [["job", "bytes", "budget", "used", ""], ...rows]).map((line) => `  ${line}`),
    "",
  ];
}

/** Returns the pure steps of a block as lines. */
export function chainLines(figures: readonly ChainFigures[]): string[] {
  const rows = figures.map((one) => [
    ...[String(one.watched), String(one.events), one.parseMs.toFixed(2)],
    ...[one.fullMs.toFixed(2), one.linkedMs.toFixed(2), one.netMs.toFixed(2), one.decodeMs.toFixed(2)],
    ...[one.full230CpuMs.toFixed(1), one.ratio.toFixed(2)],
  ]);
  const steps = ["parse ms", "full proof ms", "linked ms", "net ms", "decode ms"];
  const head = ["watched wallets", "events", ...steps, "CPU ms of 230 txs", "proven/unproven"];
  return [
    `a block without its database: medians over ${figures[0]?.blocks ?? 0} mainnet blocks`,
    ...table(
      head.map(() => NUMBER),
      [head, ...rows],
    ).map((line) => `  ${line}`),
    "",
  ];
}

/** Returns each function's cold start beside its budget as lines. */
export function coldLines(bundles: readonly SizedBundle[], { empty, functions }: ColdStarts): string[] {
  const rows = functions.map(({ job, bytes, readyMs, cpuRatio }, i) => {
    const budget = bundles[i]?.budget;
    return [
      ...[job, kib(bytes), kib(budget?.bytes ?? 0)],
      ...[cpuRatio ? spreadText(cpuRatio, 2) : "unknown", (budget?.cpuRatio ?? 0).toFixed(1)],
      ...[spreadText(readyMs, 0), String(budget?.readyMs ?? 0)],
    ];
  });
  const head = ["job", "bytes", "budget", "CPU ratio", "budget", "ready ms", "aim"];
  const columns = [TEXT, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER];
  const cpu = empty.cpuMs === null ? "" : `, ${empty.cpuMs.toFixed(0)} ms of CPU`;
  return [
    `cold starts in the runtime client; an empty handler is ready after ${spreadText(empty.readyMs, 0)} ms${cpu}`,
    ...table(columns, [head, ...rows]).map((line) => `  ${line}`),
    "",
  ];
}

/**
 * Returns a sentence for each budget of bytes or CPU that is broken; time is not judged, since machines differ.
 * A ratio is judged by its least start: what else the machine does can only add to a start.
 */
export function overBudget(bundles: readonly SizedBundle[], starts: ColdStarts | null): string[] {
  return bundles.flatMap(({ job, bytes, budget }) => {
    const ratio = starts?.functions.find((one) => one.job === job)?.cpuRatio?.min ?? 0;
    return [
      ...(bytes > budget.bytes ? [`${job} has ${kib(bytes)}, and ${kib(budget.bytes)} are allowed`] : []),
      ...(ratio > budget.cpuRatio
        ? [`${job} takes ${ratio.toFixed(2)} times an empty handler's CPU, and ${budget.cpuRatio} are allowed`]
        : []),
    ];
  });
}

const NAMES = { flat: "instruments, flat", held: "instruments, held", "open orders": "open orders" } as const;

/** Returns the figures of trading as lines. */
export function tradingLines({ reconciles, toPost, toStop, queue, yardstickMs }: TradingFigures): string[] {
  const columns = [TEXT, NUMBER, NUMBER, NUMBER, NUMBER];
  const tail = (what: string, values: readonly number[]): string[] => {
    const [p50, p99] = [percentile(values, 0.5), percentile(values, 0.99)];
    return [what, ...[p50, p99].map((ms) => ms.toFixed(1)), ...[p50, p99].map((ms) => (ms / yardstickMs).toFixed(2))];
  };
  const times = ["", "p50 ms", "p99 ms", "p50 yardsticks", "p99 yardsticks"];
  return [
    `a reconciliation (one yardstick is ${yardstickMs.toFixed(0)} ms)`,
    ...table(columns, [
      ["", "statements", "requests", "ms", "yardsticks"],
      ...reconciles.map(({ what, count, statements, requests, ms }) => [
        ...[`${count} ${NAMES[what]}`, String(statements), String(requests), spreadText(spread(ms), 0)],
        (median(ms) / yardstickMs).toFixed(2),
      ]),
    ]).map((line) => `  ${line}`),
    `${toPost.length} orders by the use case alone`,
    ...table(columns, [times, tail("approved order to its POST", toPost), tail("POST to a live stop", toStop)]).map(
      (line) => `  ${line}`,
    ),
    `${queue.passages.length} orders through the queues and the handlers`,
    ...table(columns, [
      times,
      tail(
        "plan's message to POST",
        queue.passages.map((one) => one.toPost),
      ),
      tail(
        "decision to POST",
        queue.passages.map((one) => one.decisionToPost),
      ),
      tail(
        "POST to the POST of its stop",
        queue.passages.map((one) => one.postToStop),
      ),
    ]).map((line) => `  ${line}`),
    "approved orders through their queue, posted and covered",
    ...table(columns, [
      ["", "orders", "at once", "orders/s", "orders/yardstick"],
      ...queue.throughput.map(({ groups, pollers, orders, perSecond }) => [
        ...[`${groups} ${groups === 1 ? "message group" : "message groups"}`, String(orders), String(pollers)],
        ...[perSecond.toFixed(1), ((perSecond * yardstickMs) / 1000).toFixed(2)],
      ]),
    ]).map((line) => `  ${line}`),
  ];
}
