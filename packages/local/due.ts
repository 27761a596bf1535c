import { Cron } from "croner";
import { millis } from "#units/time";

const RATE = /^rate\((\d+) (minute|minutes|hour|hours|day|days)\)$/;
const CRON = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/;
const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** An EventBridge schedule expression that this scheduler does not play. It says which part and why. */
export class ScheduleError extends Error {
  override name = "ScheduleError";
  readonly expression: string;
  constructor(expression: string, problem: string) {
    super(`schedule ${expression}: ${problem}`);
    this.expression = expression;
  }
}

/**
 * Returns a function that gives the first due time after `after`, both in milliseconds since the epoch, in UTC.
 * A rate is aligned to the epoch, so that a replay and a second start tick at the same instants (EventBridge aligns it
 * to the rule's creation). Numeric days of the week are refused: EventBridge counts them 1–7 from Sunday, cron 0–6.
 * Source: EventBridge user guide, "Schedule expressions".
 * @throws ScheduleError when the expression is not `rate(…)` or `cron(…)` as played here.
 */
export function dueAfter(expression: string): (after: number) => number {
  const rate = RATE.exec(expression);
  if (rate) {
    const unit = UNIT_MS[(rate[2] ?? "").replace(/s$/, "") as keyof typeof UNIT_MS];
    const width = Number(rate[1]) * unit;
    if (width === 0) throw new ScheduleError(expression, "a rate of 0 never ends");
    return (after) => (Math.floor(after / width) + 1) * width;
  }
  const cron = CRON.exec(expression);
  if (!cron) throw new ScheduleError(expression, "is neither rate(…) nor cron(…) with six fields");
  const [minute, hour, day, month, weekday, year] = cron.slice(1, 7) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (year !== "*") throw new ScheduleError(expression, "a year is not played here");
  if (/\d/.test(weekday)) throw new ScheduleError(expression, "write days of the week as names");
  const fields = [stepped(minute, 59), stepped(hour, 23), day, month, weekday];
  const job = parse(expression, fields.map((field) => (field === "?" ? "*" : field)).join(" "));
  return (after) => {
    const next = job.nextRun(new Date(after));
    if (!next) throw new ScheduleError(expression, "has no further due time");
    return millis(next);
  };
}

/** EventBridge's "0/4" (from 0, every fourth) is "0-23/4" in cron. */
const stepped = (field: string, most: number): string => field.replace(/^(\d+)\//, `$1-${most}/`);

function parse(expression: string, pattern: string): Cron {
  try {
    return new Cron(pattern, { timezone: "UTC", paused: true });
  } catch (cause) {
    throw new ScheduleError(expression, cause instanceof Error ? cause.message : "is no cron pattern");
  }
}
