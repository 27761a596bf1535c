import { type Decimal, units } from "#units/decimal";
import type { Leg } from "./net.ts";

/** Returns a leg's signed amount in whole tokens; in base units where the token, and so its decimals, is unknown. */
export const amountOf = (leg: Leg): Decimal => units(leg.amount, leg.token?.decimals ?? 0);

/** Whether a leg is worth one dollar a unit. */
export const isMoney = (leg: Leg): boolean => leg.token?.kind === "money";

/** Whether a leg is a claim on staked ether. */
export const isStaked = (leg: Leg): boolean => leg.token?.kind === "staked";
