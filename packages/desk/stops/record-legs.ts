import type { Leg } from "#trading/protection/ladder";
import { isLegId } from "#trading/protection/leg-id";
import { legRefused, legSent, legsSeen } from "#trading/protection/legs-seen";
import { endedAs, isOver, movedTo, type Protection } from "#trading/protection/protection";
import type { Run, TradingStore } from "#trading/store";
import type { Exchange, StopReply, VenueStop } from "#trading/venue";

/** What the record of one instrument's take-profits is made from. */
export interface RecordedLegs extends Pick<Run, "account" | "at">, Pick<Protection, "instrument" | "episode"> {
  /** Of any instrument and kind, as they were read in this run. */
  readonly known: readonly Protection[];
  /** That wait at the venue; of the instrument. */
  readonly waiting: readonly VenueStop[];
}

/** The record of one instrument's take-profits while they are laid. */
export interface LegTrail {
  /** Writes down that legs are about to be sent, in one statement; those of an id that was sent before are written already. */
  sending(legs: readonly { readonly stopId: string; readonly leg: Leg }[]): Promise<void>;
  /** Notes what the venue said to a leg that was sent. */
  placed(stopId: string, reply: StopReply): void;
  /** Notes that the desk has ended a leg. */
  canceled(algoId: string): void;
  /** Asks what became of the legs that do not wait any more, and stores what was noted. */
  keep(): Promise<void>;
}

/** Returns the record of an instrument's take-profits, with what those at the venue say of them. */
export function legTrailOf(
  store: Pick<TradingStore, "noteProtections">,
  exchange: Pick<Exchange, "stopFate">,
  { account, at, instrument, episode, known, waiting }: RecordedLegs,
): LegTrail {
  const legs = waiting.filter(({ stopId }) => isLegId(account.mode, stopId));
  const { changed, missing } = legsSeen(known, legs, { instrument, episode });
  const rows = new Map([...known, ...changed].map((row) => [row.stopId, row]));
  const unsaved = new Set(changed.map(({ stopId }) => stopId));
  const sent = new Set<string>();
  const note = (row: Protection): void => {
    rows.set(row.stopId, row);
    unsaved.add(row.stopId);
  };
  const save = async (): Promise<void> => {
    const list = [...unsaved].flatMap((id) => rows.get(id) ?? []);
    unsaved.clear();
    await store.noteProtections(account, list);
    for (const row of list) rows.set(row.stopId, { ...row, version: row.version + 1 });
  };
  return {
    sending: async (list) => {
      const fresh = list.filter(({ stopId }) => !rows.has(stopId));
      for (const { stopId } of list) sent.add(stopId);
      for (const { stopId, leg } of fresh) note(legSent(stopId, leg, { instrument, episode }, at));
      if (fresh.length > 0) await save();
    },
    placed: (stopId, reply) => {
      const row = rows.get(stopId);
      if (row === undefined || isOver(row) || ["accepted", "busy", "unknown", "exists"].includes(reply.kind)) return;
      if (reply.kind !== "accepted")
        note(legRefused(row, at, reply.kind, `${reply.code ?? "no code"} ${reply.reason}`));
    },
    canceled: (algoId) => {
      const row = [...rows.values()].find((one) => one.algoId === algoId && !isOver(one));
      if (row !== undefined) note(movedTo(row, "canceled", at, { reason: "by the desk" }));
    },
    keep: async () => {
      for (const { stopId } of missing) {
        const row = rows.get(stopId);
        if (row === undefined || isOver(row) || sent.has(stopId)) continue;
        const ended = endedAs(row, await exchange.stopFate(row), at);
        if (ended !== null) note(ended);
      }
      if (unsaved.size > 0) await save();
    },
  };
}
