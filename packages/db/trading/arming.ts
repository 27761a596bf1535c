import { and, desc, eq } from "drizzle-orm";
import { type Arming, type ArmingVerdict, armingEpoch, armingIn, SignedArming } from "#trading/arming";
import type { TradingMode } from "#trading/mode";
import { idOf } from "#units/ids";
import { appendAudit } from "../audit.ts";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { auditLogs } from "../schema.ts";
import { type ByHand, handEntry } from "./by-hand.ts";
import { readControl } from "./control.ts";

const ENTITY = "arming";

/** Returns the newest arming of a mode that was not taken back, and who gave it; null = there is none. */
async function latest(
  db: Db,
  mode: TradingMode,
): Promise<{ readonly signed: SignedArming; readonly by: string } | null> {
  const [row] = await drizzleOf(db)
    .select({ newValue: auditLogs.newValue })
    .from(auditLogs)
    .where(and(eq(auditLogs.entityType, ENTITY), eq(auditLogs.entityId, idOf(ENTITY, mode))))
    .orderBy(desc(auditLogs.seq))
    .limit(1);
  const said = row?.newValue as { arming?: unknown; actor?: unknown } | undefined;
  const kept = SignedArming.safeParse(said?.arming);
  return kept.success ? { signed: kept.data, by: String(said?.actor) } : null;
}

/**
 * Returns the newest arming of a mode that was not taken back; null = there is none. It is a row of the audit log: that nobody
 * changed it since, its own signature shows.
 */
export const latestArming = async (db: Db, mode: TradingMode): Promise<SignedArming | null> =>
  (await latest(db, mode))?.signed ?? null;

/** What a person says of the arming of a desk: a signed one, or null to take it back. */
export interface ArmCommand extends ByHand {
  readonly mode: TradingMode;
  readonly arming: SignedArming | null;
}

/** Says whether an arming would hold in an epoch of the kill switch. */
export type ArmingJudge = (signed: SignedArming, epoch: number) => ArmingVerdict;

export type ArmingKept = { readonly done: true } | { readonly done: false; readonly why: string };

/**
 * Keeps an arming, or that it was taken back, in the audit log, with who and why. One that would not hold is refused: `judge`
 * says so for an epoch. The same again writes nothing.
 */
export async function armByHand(
  db: Db,
  command: ArmCommand,
  judge: ArmingJudge,
  traceId: string | null,
): Promise<ArmingKept> {
  const { mode, arming } = command;
  if (arming !== null) {
    const verdict = judge(arming, armingEpoch(await readControl(db, mode)));
    if ("problem" in verdict) return { done: false, why: verdict.problem };
  }
  const [action, what] =
    arming === null ? ["desk.disarmed", { mode }] : ["desk.armed", { mode, arming: { ...arming } }];
  await appendAudit(db, [handEntry(action, [ENTITY, idOf(ENTITY, mode)], command, what, traceId)]);
  return { done: true };
}

/** What a person reads of an arming. */
export interface ArmingLookup
  extends Pick<Arming, "account" | "epoch" | "maxNotionalUsd" | "maxDailyLossUsd" | "notAfter"> {
  /** Who armed. */
  readonly by: string;
}

/**
 * Returns what the newest arming says that was not taken back, and why it does not hold in the epoch that it would be needed
 * in; null = there is none that can be read.
 */
export async function lookAtArming(
  db: Db,
  mode: TradingMode,
  judge: ArmingJudge,
): Promise<(ArmingLookup & { readonly problem: string | null }) | null> {
  const newest = await latest(db, mode);
  const says = newest === null ? null : armingIn(newest.signed.text);
  if (newest === null || says === null) return null;
  const { signed, by } = newest;
  const { account, epoch, maxNotionalUsd, maxDailyLossUsd, notAfter } = says;
  const verdict = judge(signed, armingEpoch(await readControl(db, mode)));
  const problem = "problem" in verdict ? verdict.problem : null;
  return { account, epoch, maxNotionalUsd, maxDailyLossUsd, notAfter, by, problem };
}
