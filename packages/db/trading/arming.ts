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

/**
 * Returns the newest arming of a mode that was not taken back; null = there is none. It is a row of the audit log: that nobody
 * changed it since, its own signature shows.
 */
export async function latestArming(db: Db, mode: TradingMode): Promise<SignedArming | null> {
  const [row] = await drizzleOf(db)
    .select({ newValue: auditLogs.newValue })
    .from(auditLogs)
    .where(and(eq(auditLogs.entityType, ENTITY), eq(auditLogs.entityId, idOf(ENTITY, mode))))
    .orderBy(desc(auditLogs.seq))
    .limit(1);
  const kept = SignedArming.safeParse((row?.newValue as { arming?: unknown } | undefined)?.arming);
  return kept.data ?? null;
}

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
export type ArmingLookup = Pick<Arming, "account" | "epoch" | "maxNotionalUsd" | "maxDailyLossUsd" | "notAfter">;

/**
 * Returns what the newest arming says that was not taken back, and why it does not hold in the epoch that it would be needed
 * in; null = there is none that can be read.
 */
export async function lookAtArming(
  db: Db,
  mode: TradingMode,
  judge: ArmingJudge,
): Promise<(ArmingLookup & { readonly problem: string | null }) | null> {
  const signed = await latestArming(db, mode);
  const says = signed === null ? null : armingIn(signed.text);
  if (signed === null || says === null) return null;
  const { account, epoch, maxNotionalUsd, maxDailyLossUsd, notAfter } = says;
  const verdict = judge(signed, armingEpoch(await readControl(db, mode)));
  const problem = "problem" in verdict ? verdict.problem : null;
  return { account, epoch, maxNotionalUsd, maxDailyLossUsd, notAfter, problem };
}
