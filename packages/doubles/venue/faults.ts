/**
 * What goes wrong with a request. `before` and `after` say whether the venue has carried it out when the reply is lost:
 * - reset: the connection breaks
 * - hang: no reply ever comes
 * - late: the connection breaks, and the request arrives when `deliverLate()` is called, at the clock of then
 * - duplicate: the network delivers it twice
 * - code: the venue answers with an OKX code (in the order's row on a placement)
 * - page: a gateway answers with an HTML page and a status
 * - garble: half a JSON text; stall: half of it, and the rest never
 * - stale: a read answers what it answered the last time it was asked, as a replica that lags; a first one as it is
 * - echo: an error that quotes every header of the request
 */
export type FaultAct =
  | { readonly kind: "reset-before" | "reset-after" | "hang-before" | "hang-after" | "late" | "duplicate" }
  | { readonly kind: "garble" | "stall" | "echo" | "stale" }
  | { readonly kind: "code"; readonly code: string; readonly status?: number; readonly after?: boolean }
  | { readonly kind: "page"; readonly status: number; readonly after?: boolean };

export interface Fault {
  /** After "/api/v5/", as "trade/order". */
  readonly path: string;
  readonly method?: string;
  /** The request of that path, counted from when the fault was set, that it strikes first; 1 by default. */
  readonly nth?: number;
  /** How many in a row; 1 by default. */
  readonly times?: number;
  readonly act: FaultAct;
}

/** The faults that are set. */
export interface Faults {
  set(...faults: readonly Fault[]): void;
  clear(): void;
  /** Counts a request and returns what befalls it; null for nothing. */
  strike(method: string, path: string): FaultAct | null;
}

/** Returns an empty set of faults. */
export function noFaults(): Faults {
  let active: { fault: Fault; seen: number }[] = [];
  return {
    set: (...faults) => active.push(...faults.map((fault) => ({ fault, seen: 0 }))),
    clear: () => {
      active = [];
    },
    strike: (method, path) => {
      let act: FaultAct | null = null;
      for (const entry of active) {
        const { fault } = entry;
        if (fault.path !== path || (fault.method ?? method) !== method) continue;
        entry.seen += 1;
        const first = fault.nth ?? 1;
        if (act === null && entry.seen >= first && entry.seen < first + (fault.times ?? 1)) act = fault.act;
      }
      active = active.filter(({ fault, seen }) => seen < (fault.nth ?? 1) + (fault.times ?? 1) - 1);
      return act;
    },
  };
}
