import { big, type Decimal, floorTo, text } from "#units/decimal";
import type { Side, VenueStop } from "../venue.ts";
import { type Command, type Covered, guards, isNearer, isPassed } from "./protect.ts";

/** What a stop of a size may be. */
export interface SliceRule {
  /** Contracts that one stop may close at most; null = the venue sets no bound. */
  readonly most: Decimal | null;
  readonly lotSize: Decimal;
}

const size = (stop: VenueStop): Decimal => stop.size ?? text(0);

/** Returns the trigger nearest to profit of those; null for none. */
const nearest = (side: Side, triggers: readonly Decimal[]): Decimal | null =>
  triggers.reduce<Decimal | null>((best, one) => (best === null || isNearer(side, one, best) ? one : best), null);

/**
 * Returns what covers a position with stops of a size, where the venue takes none of the whole position: each closes at most
 * what one may, together they close what is held. What is missing is placed before anything else, then triggers move toward
 * profit, then what is too large is made smaller, and what is not wanted is ended last: at no moment between two commands is
 * less covered than before. `stops` = those of the whole position, and the desk's own of a size.
 */
export function slice(
  { exposure, mark, trigger, isSure }: Covered,
  { most, lotSize }: SliceRule,
  stops: readonly VenueStop[],
): Command[] {
  const cancel = ({ algoId }: VenueStop): Command => ({ act: "cancel", algoId });
  if (big(exposure).eq(0)) return isSure ? stops.map(cancel) : [];
  const side = big(exposure).gt(0) ? "sell" : "buy";
  const right = stops.filter((stop) => guards(stop, side));
  const level = nearest(side, [...(trigger === null ? [] : [trigger]), ...right.map((stop) => stop.trigger)]);
  if (level === null) return [];
  if (isPassed(side, level, mark)) return [{ act: "close" }];
  const bound = most === null ? null : floorTo(most, lotSize);
  const upTo = (wanted: ReturnType<typeof big>) => (bound !== null && wanted.gt(bound) ? bound : wanted);
  let missing = big(exposure).abs();
  const kept = right
    .filter((stop) => !stop.isWhole)
    .map((stop) => {
      const wanted = upTo(missing.lt(size(stop)) ? missing : big(size(stop)));
      missing = missing.minus(wanted);
      return { stop, wanted };
    });
  const placed: Command[] = [];
  for (let next = upTo(missing); next.gt(0); next = upTo(missing)) {
    placed.push({ act: "place", side, trigger: level, size: text(next) });
    missing = missing.minus(next);
  }
  const stays = kept.filter(({ wanted }) => wanted.gt(0));
  const ends = stops.filter((stop) => !stays.some((one) => one.stop === stop));
  return [
    ...placed,
    ...stays.flatMap(({ stop: { algoId, trigger: now } }): Command[] =>
      isNearer(side, level, now) ? [{ act: "amend", algoId, trigger: level }] : [],
    ),
    ...stays.flatMap(({ stop, wanted }): Command[] =>
      wanted.eq(size(stop)) ? [] : [{ act: "resize", algoId: stop.algoId, size: text(wanted) }],
    ),
    ...ends.map(cancel),
  ];
}

/**
 * Returns whether a position is covered by stops of a size: it is larger than one stop may close, or it is so covered now,
 * and no stop of the whole position is.
 */
export function isSliced(
  { exposure }: Pick<Covered, "exposure">,
  { most }: Pick<SliceRule, "most">,
  stops: readonly VenueStop[],
): boolean {
  const held = big(exposure);
  if (held.eq(0)) return false;
  if (most !== null && held.abs().gt(most)) return true;
  const right = stops.filter((stop) => guards(stop, held.gt(0) ? "sell" : "buy"));
  return right.length > 0 && right.every((stop) => !stop.isWhole);
}
