import type { Account } from "#trading/account";
import type { Command } from "#trading/protection/protect";
import {
  endedAs,
  exposedSince,
  isSpent,
  movedTo,
  type Protection,
  type Sight,
  sighted,
} from "#trading/protection/protection";
import { isStopId, stopId } from "#trading/protection/stop-id";
import type { Run, TradingStore } from "#trading/store";
import type { Exchange, StopReply, VenueStop } from "#trading/venue";
import { type Instant, instant, millis } from "#units/time";
import type { Attempt } from "../attempt.ts";

/** Protections that ended longer ago say nothing of what is held now. */
const LOOKED_BACK_MS = 7 * 86_400_000;

/** Returns since when ended protections still say something of what is held at `at`. */
export const protectionsSince = (at: Instant): Instant => instant(millis(at) - LOOKED_BACK_MS);

/** Returns the protections of an account that have not ended, or ended of late. */
export const protectionsOf = (
  store: Pick<TradingStore, "protections">,
  { account, at }: Pick<Run, "account" | "at">,
): Promise<Protection[]> => store.protections(account, protectionsSince(at));

/** Sent, and never seen at the venue. */
const mayBeUnderWay = ({ status, liveAt }: Protection): boolean => status === "sending" && liveAt === null;

/** What the record of one instrument's protections is made from. */
export interface Recorded extends Sight {
  readonly account: Account;
  readonly at: Instant;
  readonly instrument: string;
  /** Of any instrument. */
  readonly known: readonly Protection[];
  /** That wait at the venue; of the instrument. */
  readonly stops: readonly VenueStop[];
}

/** The record of one instrument's protections while they are looked after. */
export interface Trail {
  /** Notes that a stop is about to be sent, and returns its row: one that may be on its way is sent again by its own id. */
  sending(side: "buy" | "sell", trigger: Protection["trigger"]): Protection;
  /** Notes that a trigger is about to be moved. */
  moving(algoId: string, trigger: Protection["trigger"]): void;
  /** Notes what the venue said to a command about the stop of this row or algo id. */
  replied(act: Command["act"], id: string, reply: StopReply): void;
  /** Returns since when what is held has had no stop, if it has none now. */
  exposedAt(): Instant;
  /** Returns whether the stop on this side of what is held was triggered in vain: its order was refused. */
  isSpent(side: "buy" | "sell"): boolean;
  /** Stores what was noted since, in one statement; none when that is nothing. */
  keep(): Promise<void>;
}

/** What went out with an order is no part of it: it can open, and is ended as soon as a stop of the desk's own stands. */
const guardsOf = ({ account, stops }: Recorded): VenueStop[] =>
  stops.filter((stop) => stop.isWhole || (stop.isReduceOnly && isStopId(account.mode, stop.stopId)));

/** Returns a stop that is wanted for what has had none since `exposedAt`. */
function wanted(
  { account, at, instrument, episode }: Recorded,
  rows: readonly Protection[],
  exposedAt: Instant,
  { side, trigger }: Pick<Protection, "side" | "trigger">,
): Protection {
  // An id that was refused is used up: each try of the same position has one of its own.
  const before = rows.filter((row) => row.exposedAt === exposedAt && row.kind === "stop").length;
  const id = stopId(account, instrument, exposedAt, Math.min(before, 99));
  return {
    ...{ stopId: id, instrument, episode, kind: "stop", side },
    ...{ trigger, size: null, status: "wanted", algoId: null, childOrderId: null, reason: null },
    ...{ exposedAt, wantedAt: at, liveAt: null, endedAt: null, version: 0 },
  };
}

/**
 * Returns the record of an instrument's protections, with what its stops at the venue say of them. One that is not shown any
 * more is asked for; it stays as it is when the venue does not answer.
 */
export async function trailOf(
  store: Pick<TradingStore, "noteProtections">,
  exchange: Pick<Exchange, "stopFate">,
  recorded: Recorded,
  attempt: Attempt,
): Promise<Trail> {
  const { account, at, instrument } = recorded;
  const known = recorded.known.filter((row) => row.instrument === instrument && row.kind === "stop");
  const rows = new Map(known.map((row) => [row.stopId, row]));
  const unsaved = new Set<string>();
  const note = (row: Protection): Protection => {
    rows.set(row.stopId, row);
    unsaved.add(row.stopId);
    return row;
  };
  const guards = guardsOf(recorded);
  const { changed, missing } = sighted(known, guards, recorded);
  changed.forEach(note);
  for (const row of missing) {
    // What is held without one still wants one that may be on its way: it is sent again, and the venue keeps one.
    if (mayBeUnderWay(row) && recorded.heldSince !== null && guards.length === 0) continue;
    const ended = await attempt("fate of a stop", instrument, async () =>
      endedAs(row, await exchange.stopFate(row), at),
    );
    if (ended !== null) note(ended);
  }
  const since = (): Instant => exposedSince([...rows.values()], recorded.heldSince ?? at);
  const found = (id: string) =>
    rows.get(id) ?? [...rows.values()].find((row) => row.algoId === id && row.endedAt === null);
  return {
    sending: (side, trigger) => {
      const again = [...rows.values()].findLast(
        (row) => row.kind === "stop" && row.side === side && (row.status === "wanted" || mayBeUnderWay(row)),
      );
      if (again?.status === "sending" && again.trigger === trigger) return again; // it says so already
      return note(
        movedTo(again ?? wanted(recorded, [...rows.values()], since(), { side, trigger }), "sending", at, { trigger }),
      );
    },
    moving: (algoId, trigger) => {
      const row = found(algoId);
      if (row !== undefined) note(movedTo(row, "sending", at, { trigger }));
    },
    replied: (act, id, reply) => {
      const row = found(id);
      if (row === undefined || row.endedAt !== null) return;
      const reason = reply.kind === "accepted" ? null : `${reply.code ?? "no code"} ${reply.reason}`;
      if (act === "cancel" && reply.kind === "accepted") note(movedTo(row, "canceled", at, { reason: "by the desk" }));
      if (act === "place" && reply.kind === "busy") note(movedTo(row, "wanted", at, { reason }));
      if (act !== "place" || ["accepted", "busy", "unknown"].includes(reply.kind)) return;
      // Where nothing is held none was needed: that is no failure.
      note(movedTo(row, reply.kind === "flat" ? "gone" : "failed", at, { reason }));
    },
    exposedAt: since,
    isSpent: (side) => recorded.heldSince !== null && isSpent([...rows.values()], side, recorded.heldSince),
    keep: async () => {
      const list = [...unsaved].flatMap((id) => rows.get(id) ?? []);
      unsaved.clear();
      await store.noteProtections(account, list);
      for (const row of list) rows.set(row.stopId, { ...row, version: row.version + 1 });
    },
  };
}
