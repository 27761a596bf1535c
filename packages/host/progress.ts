import type { Instant } from "#units/time";
import { cut } from "./text-columns.ts";

/** Where a run stands. What is null is not shown. */
export interface RunProgress {
  readonly phase: string;
  /** The run's own time. */
  readonly at: Instant;
  readonly blocks: number;
  readonly totalBlocks: number;
  /** Share of the whole run that is done, 0 to 1. */
  readonly share: number;
  readonly events: number | null;
  readonly lagSeconds: number | null;
}

/** Where progress is written: standard error, or a test's own. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Progress {
  update(progress: RunProgress): void;
  /** Ends the line. Nothing is written after it. */
  done(): void;
}

const REDRAW_MS = 100;
const LINE_MS = 5000;
const BAR = 20;

/**
 * Returns a progress bar: redrawn in place on a terminal, at most ten times a second; elsewhere a plain line every five
 * seconds and at each new phase. `now` gives milliseconds of real time.
 */
export function openProgress(stream: ProgressStream, now: () => number): Progress {
  const isTerminal = stream.isTTY === true;
  const started = now();
  const rate = blockRate(now);
  let last: RunProgress | null = null;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = false;

  const draw = (progress: RunProgress): void => {
    drawnAt = now();
    const width = (stream.columns || 80) - 1;
    const text = cut(
      line(progress, rate.of(progress.blocks), eta(progress.share, drawnAt - started), isTerminal, width),
      isTerminal ? width : 200,
    );
    stream.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
    drawn = true;
  };
  return {
    update: (progress) => {
      const isNew = last?.phase !== progress.phase;
      last = progress;
      if (isNew || now() - drawnAt >= (isTerminal ? REDRAW_MS : LINE_MS)) draw(progress);
    },
    done: () => {
      if (last) draw(last);
      if (isTerminal && drawn) stream.write("\n");
      last = null;
      drawn = false;
    },
  };
}

/** Blocks a second over about the last five seconds; the whole run would hide a stall. */
function blockRate(now: () => number): { of(blocks: number): number } {
  let marks: { readonly at: number; readonly blocks: number }[] = [];
  return {
    of: (blocks) => {
      marks = [...marks.filter((mark) => now() - mark.at <= LINE_MS * 1.5), { at: now(), blocks }];
      const first = marks[0] ?? { at: now(), blocks };
      const seconds = (now() - first.at) / 1000;
      return seconds > 0 ? (blocks - first.blocks) / seconds : 0;
    },
  };
}

const eta = (share: number, elapsedMs: number): number | null =>
  share > 0.01 && share < 1 ? ((elapsedMs / share) * (1 - share)) / 1000 : null;

function line(
  progress: RunProgress,
  blocksASecond: number,
  etaSeconds: number | null,
  isTerminal: boolean,
  width: number,
): string {
  const share = Math.min(1, Math.max(0, progress.share));
  const full = Math.round(share * BAR);
  const parts = [
    `${progress.phase.padEnd(8)} ${isTerminal ? `[${"#".repeat(full)}${".".repeat(BAR - full)}] ` : ""}${String(Math.floor(share * 100)).padStart(3)}%`,
    `${progress.blocks}/${progress.totalBlocks} blocks`,
    ...(etaSeconds === null ? [] : [`${duration(etaSeconds)} left`]),
    ...(blocksASecond > 0 ? [`${blocksASecond.toFixed(blocksASecond < 10 ? 1 : 0)}/s`] : []),
    ...(progress.events === null ? [] : [`${progress.events} events`]),
    `${progress.at.slice(0, 10)} ${progress.at.slice(11, 16)}`,
    ...(progress.lagSeconds === null ? [] : [`lag ${progress.lagSeconds.toFixed(1)} s`]),
  ];
  if (!isTerminal) return parts.join("  ");
  // The most telling parts come first; what does not fit is left out whole.
  let text = "";
  for (const part of parts) {
    const next = text === "" ? part : `${text}  ${part}`;
    if (next.length > width) break;
    text = next;
  }
  return text;
}

const duration = (seconds: number): string =>
  seconds < 90
    ? `${Math.ceil(seconds)} s`
    : seconds < 5400
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;
