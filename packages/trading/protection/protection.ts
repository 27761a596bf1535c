import { big, type Decimal } from "#units/decimal";
import type { PositionId } from "#units/ids";
import { type Instant, millis } from "#units/time";
import type { Side, StopFate, VenueStop } from "../venue.ts";

export const PROTECTION_KINDS = ["stop", "tp"] as const;

/** Every status of a protection, in the order of a quiet life: the last four are how it ends. */
export const PROTECTION_STATES = ["wanted", "sending", "live", "effective", "canceled", "failed", "gone"] as const;
export type ProtectionState = (typeof PROTECTION_STATES)[number];

/** What was asked of the venue to end a position at a price, and what became of it. */
export interface Protection {
  /** The desk's id of it; the venue's, of one that has none. */
  readonly stopId: string;
  readonly instrument: string;
  /** The position that it ends; null = the books had none when it was looked at. */
  readonly episode: PositionId | null;
  readonly kind: (typeof PROTECTION_KINDS)[number];
  readonly side: Side;
  readonly trigger: Decimal;
  /** Null = whatever is held when it is triggered. */
  readonly size: Decimal | null;
  readonly status: ProtectionState;
  readonly algoId: string | null;
  /** The venue's id of the order that it placed. */
  readonly childOrderId: string | null;
  /** Why the venue did not take it, or ended it. */
  readonly reason: string | null;
  /** Since when what is held had no stop, by the venue's clock. */
  readonly exposedAt: Instant;
  /** The look that found it missing. */
  readonly wantedAt: Instant;
  /** Since when it waits, by the venue's clock. */
  readonly liveAt: Instant | null;
  readonly endedAt: Instant | null;
  /** Raised at each write; 0 = not stored yet. */
  readonly version: number;
}

const ENDS: readonly ProtectionState[] = ["effective", "canceled", "failed", "gone"];

/**
 * What may follow each status. Sending may follow itself and live: a stop is sent again when its reply was lost, and its
 * trigger is moved. One that was given up may be seen to wait after all: a refusal or a list can be behind the venue.
 */
export const PROTECTION_MOVES: Readonly<Record<ProtectionState, readonly ProtectionState[]>> = {
  wanted: ["sending", "live", ...ENDS],
  sending: ["wanted", "sending", "live", ...ENDS],
  live: ["sending", "live", ...ENDS],
  effective: [],
  canceled: [],
  failed: ["live", "effective", "canceled"],
  gone: ["live", "effective", "canceled", "failed"],
};

/** A protection was to go where none goes from its status. */
export class InvalidProtectionMove extends Error {
  override name = "InvalidProtectionMove";
  constructor({ stopId, status }: Protection, to: ProtectionState) {
    super(`protection ${stopId} cannot go from ${status} to ${to}`);
  }
}

/** Returns whether nothing more is expected of it. */
export const isOver = ({ endedAt }: Pick<Protection, "endedAt">): boolean => endedAt !== null;

/**
 * Returns a protection in its next status, with what else `change` says of it; one that ends has ended `at`.
 * @throws InvalidProtectionMove when none goes there from where it is.
 */
export function movedTo(
  protection: Protection,
  status: ProtectionState,
  at: Instant,
  change: Partial<Pick<Protection, "trigger" | "algoId" | "childOrderId" | "reason" | "liveAt">> = {},
): Protection {
  if (!PROTECTION_MOVES[protection.status].includes(status)) throw new InvalidProtectionMove(protection, status);
  return { ...protection, ...change, status, endedAt: ENDS.includes(status) ? at : null };
}

/** Returns by what id a stop at the venue is kept. */
export const keyOf = ({ stopId, algoId }: Pick<VenueStop, "stopId" | "algoId">): string => stopId ?? algoId;

/** What a look knows of an instrument besides its stops. */
export interface Sight {
  readonly episode: PositionId | null;
  /** When what is held began, by whatever showed it first; null = nothing is held. */
  readonly heldSince: Instant | null;
}

/**
 * Returns since when what is held had no stop: since it began, or since the last stop that waited for it ended, whichever is
 * later.
 */
export function exposedSince(known: readonly Protection[], heldSince: Instant): Instant {
  const ended = known
    .filter(({ liveAt, kind }) => liveAt !== null && kind === "stop")
    .flatMap((row) => row.endedAt ?? []);
  return [heldSince, ...ended].reduce((last, at) => (at > last ? at : last));
}

/**
 * Returns whether a stop on `side` of what is held since `heldSince` was triggered and its order refused, and none has waited
 * since then: the level was reached, so what is held is to be closed, wherever the mark has gone meanwhile.
 */
export function isSpent(known: readonly Protection[], side: Side, heldSince: Instant): boolean {
  const stops = known.filter((row) => row.kind === "stop" && row.side === side);
  const failed = stops.flatMap(({ status, liveAt, endedAt }) =>
    status === "failed" && liveAt !== null && endedAt !== null && endedAt >= heldSince ? [endedAt] : [],
  );
  const last = failed.sort().at(-1);
  return last !== undefined && !stops.some(({ liveAt }) => liveAt !== null && liveAt > last);
}

/** Returns a protection as the venue shows it waiting. */
function waiting(row: Protection, stop: VenueStop, { episode }: Sight, exposedAt: Instant): Protection {
  const binds = row.episode === null && episode !== null;
  return {
    ...row,
    ...{ status: "live", algoId: stop.algoId, endedAt: null, liveAt: row.liveAt ?? stop.placedAt },
    trigger: big(row.trigger).eq(stop.trigger) ? row.trigger : stop.trigger,
    episode: row.episode ?? episode,
    // The books tell the first fill of a position later than the venue tells that there is one.
    exposedAt: binds && exposedAt < row.exposedAt ? exposedAt : row.exposedAt,
  };
}

/** Returns what is to be known of a stop at the venue that nobody here has written down. */
function discovered(stop: VenueStop, { episode }: Sight, exposedAt: Instant): Protection {
  const { instrument, side, trigger, algoId, placedAt } = stop;
  return {
    ...{
      stopId: keyOf(stop),
      instrument,
      episode,
      kind: "stop",
      side,
      trigger,
      size: stop.size,
      status: "live",
      algoId,
    },
    ...{ childOrderId: null, reason: null, wantedAt: placedAt, liveAt: placedAt, endedAt: null, version: 0 },
    exposedAt: exposedAt < placedAt ? exposedAt : placedAt,
  };
}

const isSame = (a: Protection, b: Protection): boolean =>
  a.status === b.status &&
  a.algoId === b.algoId &&
  a.trigger === b.trigger &&
  a.episode === b.episode &&
  a.exposedAt === b.exposedAt;

/**
 * Returns what the stops of an instrument that wait at the venue say of its protections: those that changed by it, and those
 * that were there and are not any more, of which the venue has to be asked.
 */
export function sighted(
  known: readonly Protection[],
  stops: readonly VenueStop[],
  sight: Sight,
): { readonly changed: readonly Protection[]; readonly missing: readonly Protection[] } {
  const byId = new Map(known.map((row) => [row.stopId, row]));
  const changed = stops.flatMap((stop): Protection[] => {
    const row = byId.get(keyOf(stop));
    const others = known.filter(({ stopId }) => stopId !== keyOf(stop));
    const exposedAt = exposedSince(others, sight.heldSince ?? stop.placedAt);
    if (row === undefined) return [discovered(stop, sight, exposedAt)];
    const seen = waiting(row, stop, sight, exposedAt);
    return !PROTECTION_MOVES[row.status].includes("live") || isSame(row, seen) ? [] : [seen];
  });
  const there = new Set(stops.map(keyOf));
  const missing = known.filter((row) => !isOver(row) && row.status !== "wanted" && !there.has(row.stopId));
  return { changed, missing };
}

/** Returns what became of a protection that is not shown, by what the venue says of it; null = it waits, and the list was behind. */
export function endedAs(row: Protection, fate: StopFate | null, at: Instant): Protection | null {
  if (fate === null) return movedTo(row, "gone", at, { reason: "the venue does not know it" });
  const { algoId, childOrderId, reason } = fate;
  if (fate.state === "waiting") return null;
  // A list may have missed the short time in which it waited.
  const liveAt = row.liveAt ?? fate.placedAt;
  return movedTo(row, fate.state, fate.changedAt, { algoId, childOrderId, reason, liveAt });
}

/** Looks a minute apart see what ended between them, and one that was late sees it too. */
const LOOKED_BACK_MS = 120_000;

/**
 * Returns for how many seconds something was held without a stop, at most, of what is so `now` and of what ended in the last
 * two minutes: a stop came to wait, or none was ever taken and the position was closed. 0 when there was nothing of the kind.
 * `now` is of the venue's clock, as the times of the rows are.
 */
export function unprotectedSeconds(rows: readonly Protection[], now: Instant): number {
  const stops = rows.filter(({ kind }) => kind === "stop");
  const covered = new Set(stops.filter(({ status }) => status === "live").map(({ instrument }) => instrument));
  const gaps = stops.flatMap(({ instrument, status, liveAt, exposedAt, endedAt }): number[] => {
    const isOpen = endedAt === null && liveAt === null && !covered.has(instrument);
    const until = isOpen ? now : (liveAt ?? (status === "failed" ? endedAt : null));
    if (until === null || millis(now) - millis(until) >= LOOKED_BACK_MS) return [];
    return [(millis(until) - millis(exposedAt)) / 1000];
  });
  return Math.max(0, ...gaps);
}
