/** Where a submission ends: its order is claimed and nothing was sent, or the venue has it and no reply was recorded. */
export const WINDOWS = ["claim to POST", "POST to reply"] as const;
export type Window = (typeof WINDOWS)[number];

export type Ended = Readonly<Record<Window, string | null>>;

/** The submissions of a replay that end in a window: one in each. */
export interface Windows {
  /** The client order id of the order whose submission ended in each; null = none yet. */
  readonly ended: Ended;
  /**
   * Whether the submission that has claimed `order` (a client order id; null = none has) ends here. `posted`: the venue
   * has just carried out its POST. Claims are counted as they come, so replays with the same orders end the same ones.
   */
  meet(order: string | null, posted: boolean): boolean;
}

/**
 * Which claims end, counted from 1. The one that was never sent comes late: it stays unknown until the desk is sure, which
 * trips the kill switch, and the orders after it only reduce.
 */
const ENDED: Readonly<Record<Window, number>> = { "claim to POST": 5, "POST to reply": 3 };

/** Returns the windows of one replay, with none met yet. */
export function submissionWindows(): Windows {
  const claims: string[] = [];
  const ended: Record<Window, string | null> = { "claim to POST": null, "POST to reply": null };
  return {
    ended,
    meet: (order, posted) => {
      if (order === null) return false;
      if (!claims.includes(order)) claims.push(order);
      const window: Window = posted ? "POST to reply" : "claim to POST";
      if (claims.indexOf(order) + 1 !== ENDED[window] || ended[window] !== null) return false;
      ended[window] = order;
      return true;
    },
  };
}
