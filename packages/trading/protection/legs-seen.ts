import { big } from "#units/decimal";
import type { PositionId } from "#units/ids";
import type { Instant } from "#units/time";
import type { VenueStop } from "../venue.ts";
import type { Leg } from "./ladder.ts";
import { isOver, movedTo, PROTECTION_MOVES, type Protection } from "./protection.ts";

/** Returns what is to be known of a leg that is about to be sent. */
export const legSent = (
  stopId: string,
  { side, trigger, size }: Leg,
  of: Pick<Protection, "instrument" | "episode">,
  at: Instant,
): Protection => ({
  ...{ stopId, ...of, kind: "tp", side, trigger, size, status: "sending", algoId: null, childOrderId: null },
  // A leg covers nothing: no time without one is measured.
  ...{ reason: null, exposedAt: at, wantedAt: at, liveAt: null, endedAt: null, version: 0 },
});

/** Returns a leg as the venue shows it waiting; `row` undefined = nobody here has written it down. */
function shown(row: Protection | undefined, leg: VenueStop, episode: PositionId | null): Protection {
  const { instrument, side, trigger, size, algoId, placedAt } = leg;
  if (row !== undefined)
    return { ...row, ...{ status: "live", algoId, trigger, size, endedAt: null }, liveAt: row.liveAt ?? placedAt };
  return {
    ...{ stopId: leg.stopId ?? algoId, instrument, episode, kind: "tp", side, trigger, size, status: "live", algoId },
    ...{ childOrderId: null, reason: null, exposedAt: placedAt, wantedAt: placedAt, liveAt: placedAt, endedAt: null },
    version: 0,
  };
}

const isSame = (a: Protection, b: Protection): boolean =>
  a.status === b.status && a.algoId === b.algoId && big(a.trigger).eq(b.trigger) && a.size === b.size;

/**
 * Returns what the desk's legs of an instrument that wait say of those that are written down: those that changed by it, and
 * those that were sent and do not wait, of which the venue has to be asked. `known` may be of any instrument and kind.
 */
export function legsSeen(
  known: readonly Protection[],
  legs: readonly VenueStop[],
  { instrument, episode }: Pick<Protection, "instrument" | "episode">,
): { readonly changed: readonly Protection[]; readonly missing: readonly Protection[] } {
  const rows = known.filter((row) => row.kind === "tp" && row.instrument === instrument);
  const byId = new Map(rows.map((row) => [row.stopId, row]));
  const changed = legs.flatMap((leg): Protection[] => {
    const row = byId.get(leg.stopId ?? leg.algoId);
    const seen = shown(row, leg, episode);
    if (row === undefined) return [seen];
    return !PROTECTION_MOVES[row.status].includes("live") || isSame(row, seen) ? [] : [seen];
  });
  const there = new Set(legs.map(({ stopId, algoId }) => stopId ?? algoId));
  return { changed, missing: rows.filter((row) => !isOver(row) && !there.has(row.stopId)) };
}

/** Returns a leg that the venue did not take: its price was reached, nothing is held, or it was refused. */
export const legRefused = (row: Protection, at: Instant, kind: string, reason: string): Protection =>
  movedTo(row, kind === "flat" || kind === "passed" ? "gone" : "failed", at, { reason });
