/** What of a replay is still to come. */
export interface WorkLeft {
  readonly blocks: number;
  readonly minutes: number;
}

/** How far a replay has come in real time, measured by what its parts have cost. */
export interface WorkMeter {
  /** Books the real time since the last call to what was done in it, and returns the share of all work done, 0 to 1. */
  booked(done: "block" | "minute", left: WorkLeft): number;
}

/**
 * Returns a meter of work. Blocks and minutes of schedules cost differently, and how much only the run itself shows: 32
 * blocks of a busy chain outweigh the day that their outcomes take to settle, those of a small recording do not. A part
 * that was not seen yet counts as much as the other. The share never falls. `now` gives milliseconds of real time.
 */
export function workMeter(now: () => number): WorkMeter {
  const spent = { block: { ms: 0, count: 0 }, minute: { ms: 0, count: 0 } };
  let at = now();
  let share = 0;
  const cost = (kind: "block" | "minute", other: "block" | "minute"): number => {
    const { ms, count } = spent[kind].count > 0 ? spent[kind] : spent[other];
    return ms / count;
  };
  return {
    booked: (done, left) => {
      const time = now();
      spent[done].ms += time - at;
      spent[done].count += 1;
      at = time;
      const all = spent.block.ms + spent.minute.ms;
      const rest = left.blocks * cost("block", "minute") + left.minutes * cost("minute", "block");
      const next = left.blocks + left.minutes === 0 ? 1 : all > 0 ? all / (all + rest) : 0;
      share = Math.max(share, next);
      return share;
    },
  };
}
