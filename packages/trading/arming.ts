import * as z from "zod";
import { big, Decimal, text } from "#units/decimal";
import { Instant, millis } from "#units/time";
import type { TradingMode } from "./mode.ts";
import type { Control } from "./plans/limits.ts";

const Amount = Decimal.refine((value) => big(value).gt(0), { error: "is not above 0" });

/**
 * A person's word that a live desk may open positions: for one account, one policy, one epoch of the kill switch, up to two
 * caps, for a day at most. It is signed with a key that the desk does not have.
 */
export const Arming = z.strictObject({
  format: z.literal("spyhop-arming/1"),
  mode: z.literal("live"),
  venue: z.string().min(1),
  /** OKX's uid of the account. */
  account: z.string().min(1),
  policyHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of the kill switch in which it holds: any change of the switch ends it. */
  epoch: z.int().min(0),
  /** The most that all positions together may be worth after an order. */
  maxNotionalUsd: Amount,
  /** The most that the account may have lost since 00:00 UTC when an order is sent. */
  maxDailyLossUsd: Amount,
  notBefore: Instant,
  notAfter: Instant,
});
export type Arming = z.output<typeof Arming>;

/** An arming as it is kept: the JSON text that was signed, and the signature in base64. */
export const SignedArming = z.strictObject({ text: z.string().max(2000), signature: z.string().max(200) });
export type SignedArming = z.output<typeof SignedArming>;

/** What an arming is held against. */
export interface ArmedDesk {
  readonly mode: TradingMode;
  readonly venue: string;
  /** That its key must belong to; null = the secret of the key names none. */
  readonly account: string | null;
  readonly policyHash: string;
  readonly epoch: number;
  readonly now: Instant;
}

/** The arming that holds, or why there is none. */
export type ArmingVerdict = { readonly arming: Arming } | { readonly problem: string };

/** Looks whether a live desk is armed in an epoch of its kill switch. Asked before each order that opens. */
export type ArmingLook = (epoch: number) => Promise<ArmingVerdict>;

/** What a person answers for in one go. */
export const LONGEST_MS = 24 * 3_600_000;
/** The machine that signed it may be so far ahead. */
const AHEAD_MS = 60_000;

/** Returns what a text says as an arming, whoever wrote it; null when it is none. */
export function armingIn(written: string): Arming | null {
  try {
    return Arming.parse(JSON.parse(written));
  } catch {
    return null;
  }
}

/** Returns the first thing by which an arming is not for this desk in this epoch, now; null when it is. */
function mismatch(arming: Arming, desk: ArmedDesk): string | null {
  const { mode, venue, account, policyHash, epoch, now } = desk;
  const { notBefore, notAfter } = arming;
  if (mode !== "live" || arming.venue !== venue) return `it is for live at ${arming.venue}, not ${mode} at ${venue}`;
  if (account === null) return "the secret of the venue's key names no accountId to hold it against";
  if (arming.account !== account) return `it is for account ${arming.account}, not ${account}`;
  if (arming.policyHash !== policyHash)
    return `it is for policy ${arming.policyHash.slice(0, 12)}, not ${policyHash.slice(0, 12)}`;
  if (arming.epoch !== epoch)
    return `it is for epoch ${arming.epoch} of the kill switch, which is in ${epoch}: a change of the switch ends it`;
  if (millis(notAfter) - millis(notBefore) > LONGEST_MS) return "it is for longer than 24 h";
  if (millis(notBefore) > millis(now) + AHEAD_MS) return `it begins at ${notBefore}, and it is ${now}: is a clock off`;
  return millis(now) >= millis(notAfter) ? `it ended at ${notAfter}` : null;
}

/**
 * Returns the arming that lets a live desk open positions, or why there is none, by the first thing that is wrong.
 * `isSigned` says whether the desk's key signed it.
 */
export function armingVerdict(
  signed: SignedArming | null,
  isSigned: (signed: SignedArming) => boolean,
  desk: ArmedDesk,
): ArmingVerdict {
  if (signed === null) return { problem: "there is no arming: npm run arm" };
  if (!isSigned(signed)) return { problem: "the arming is not signed by the desk's key (ARMING_KEY)" };
  const arming = armingIn(signed.text);
  if (arming === null) return { problem: "the arming is none that this release reads: npm run arm" };
  const wrong = mismatch(arming, desk);
  return wrong === null ? { arming } : { problem: `the arming does not hold: ${wrong}. npm run arm` };
}

/**
 * Returns the epoch of the kill switch that a new arming is for: the one it is in while the desk trades, else the next, which
 * the resume makes.
 */
export const armingEpoch = ({ state, epoch }: Control): number => (state === "ACTIVE" ? epoch : epoch + 1);

/** Returns whether the kill switch lets anything be opened, were it not for a lack of an arming. */
export const mustBeArmed = (mode: TradingMode, { state }: Pick<Control, "state">): boolean =>
  mode === "live" && state === "ACTIVE";

/** What an order that opens would make of the account. */
export interface Exposure {
  /** Of all positions at the mark, the order added. */
  readonly grossUsd: Decimal;
  readonly dayStartUsd: Decimal;
  readonly equityUsd: Decimal;
}

/** Returns which cap of an arming an order would pass; null when none. */
export function overCaps(arming: Arming, { grossUsd, dayStartUsd, equityUsd }: Exposure): string | null {
  const { maxNotionalUsd, maxDailyLossUsd } = arming;
  if (big(grossUsd).gt(maxNotionalUsd))
    return `armed for ${maxNotionalUsd} USD of positions: ${big(grossUsd).toFixed(2)} with this order`;
  const lost = text(big(dayStartUsd).minus(equityUsd));
  return big(lost).gte(maxDailyLossUsd)
    ? `armed for a loss of ${maxDailyLossUsd} USD a day: ${big(lost).toFixed(2)} lost today`
    : null;
}
