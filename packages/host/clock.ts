/** Where the laptop's parts read the time: the wall clock when live, a virtual one in a replay. Milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** A clock that a replay moves. */
export interface VirtualClock extends Clock {
  /** Moves the clock to `to`. @throws RangeError when that lies in the past: virtual time never goes back. */
  set(to: number): void;
}

/** The machine's clock. */
export const wallClock: Clock = { now: () => Date.now() };

/** Returns a virtual clock that stands at `start`. */
export function virtualClock(start: number): VirtualClock {
  let time = start;
  return {
    now: () => time,
    set: (to) => {
      if (to < time) throw new RangeError(`virtual clock: ${to} is before ${time}`);
      time = to;
    },
  };
}
