import { type Decimal, units } from "#units/decimal";
import type { Leg } from "./net.ts";

/** Returns a leg's signed amount in whole tokens; in base units where the token, and so its decimals, is unknown. */
export const amountOf = (leg: Leg): Decimal => units(leg.amount, leg.token?.decimals ?? 0);

/** Returns +1 for a leg that came in and -1 for one that went out. */
export const signOf = (leg: Leg): -1 | 1 => (leg.amount < 0n ? -1 : 1);

/** Whether a leg is worth one dollar a unit. */
export const isMoney = (leg: Leg): boolean => leg.token?.kind === "money";

/** Whether a leg is a claim on staked ether. */
export const isStaked = (leg: Leg): boolean => leg.token?.kind === "staked";
