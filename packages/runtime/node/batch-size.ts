/** More than this in one batch is asked of nobody. */
const MOST = 100;
/** How long a learnt size stands before twice as many are tried; doubled each time that they are refused again. */
const FIRST_TRIAL_MS = 60_000;
const LAST_TRIAL_MS = 30 * 60_000;

/** How many calls a node takes at once, as far as it is known. */
export interface BatchSize {
  /** Returns how many calls the next batch may hold. */
  readonly current: () => number;
  /** Learns that a batch of so many was refused: half of it is tried next. */
  readonly refused: (calls: number) => void;
}

/** Returns the learnt size of one node's batches: halved at a refusal until one passes, and doubled after minutes without one. */
export function batchSize(now: () => number): BatchSize {
  let size = MOST;
  let since = 0;
  let trialMs = FIRST_TRIAL_MS;
  let grown = false;
  return {
    current: () => {
      if (size < MOST && now() - since >= trialMs) {
        size = Math.min(MOST, size * 2);
        since = now();
        grown = true;
      }
      return size;
    },
    refused: (calls) => {
      if (grown) trialMs = Math.min(LAST_TRIAL_MS, trialMs * 2);
      grown = false;
      size = Math.max(1, Math.min(size, calls >> 1));
      since = now();
    },
  };
}
