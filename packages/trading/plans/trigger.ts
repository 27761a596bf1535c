import * as z from "zod";
import { big, fixed } from "#units/decimal";
import type { Policy } from "./policy.ts";
import type { Sizing } from "./sizing.ts";

/**
 * Which threshold a decision crossed. `value` stands beyond `threshold`: for `enter` and `exit` the signal and what it is
 * held against, for `turned` the signal of the other side than the position, for `grow` and `shrink` the difference
 * to the target as a share of what is held. `cap`: contracts that are held, and that the limits allow. `reducing`: as
 * `shrink`, within its band, because of the kill switch. `stale`: the bias was too old to say anything, so its signal counts as 0.
 */
export const Trigger = z.object({
  crossed: z.enum(["enter", "exit", "turned", "grow", "shrink", "cap", "reducing", "stale"]),
  value: z.number(),
  threshold: z.number(),
});
export type Trigger = z.infer<typeof Trigger>;

type Thresholds = Pick<Policy, "enter" | "exit" | "growBand" | "shrinkBand">;

/** Returns which threshold led to the trade of `sizing`. `stale` = the bias was too old, `mustReduce` = the kill switch wants less. */
export function triggerOf(
  sizing: Pick<Sizing, "s" | "phase" | "held" | "target" | "cap" | "rest">,
  { stale, mustReduce }: { readonly stale: boolean; readonly mustReduce: boolean },
  { enter, exit, growBand, shrinkBand }: Thresholds,
): Trigger {
  const { s, phase, rest } = sizing;
  const [held, target, cap] = [big(sizing.held), big(sizing.target), big(sizing.cap)];
  if (held.eq(0)) return { crossed: "enter", value: s, threshold: enter };
  if (held.abs().gt(cap) && (rest !== null || target.abs().gt(cap)))
    return { crossed: "cap", value: Number(fixed(held.abs(), 12)), threshold: Number(fixed(cap, 12)) };
  if (stale) return { crossed: "stale", value: 0, threshold: exit };
  if (s !== 0 && Math.sign(s) !== held.s && Math.abs(s) >= exit)
    return { crossed: "turned", value: s, threshold: phase === "enter" ? enter : exit };
  if (phase === "exit") return { crossed: "exit", value: s, threshold: exit };
  const difference = target.minus(held).abs();
  const value = Number(fixed(difference.div(held.abs()), 6));
  if (target.abs().gt(held.abs())) return { crossed: "grow", value, threshold: Number(growBand) };
  const isDue = difference.gte(held.abs().times(shrinkBand)) || !mustReduce;
  return { crossed: isDue ? "shrink" : "reducing", value, threshold: Number(shrinkBand) };
}
