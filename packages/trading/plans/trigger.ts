import * as z from "zod";
import { big, fixed } from "#units/decimal";
import type { Policy } from "./policy.ts";
import type { Sizing } from "./sizing.ts";

/**
 * Which threshold a decision crossed. `value` stands beyond `threshold`: for `enter` and `exit` the signal and what it is
 * held against, for `turned` the signal of the other side than the position, for `grow` and `shrink` the difference
 * to the target as a share of what is held. `stale`: the bias was too old to say anything, so its signal counts as 0.
 */
export const Trigger = z.object({
  crossed: z.enum(["enter", "exit", "turned", "grow", "shrink", "stale"]),
  value: z.number(),
  threshold: z.number(),
});
export type Trigger = z.infer<typeof Trigger>;

type Thresholds = Pick<Policy, "enter" | "exit" | "deadBand">;

/** Returns which threshold led to the trade of `sizing`. `stale` = the bias was too old. */
export function triggerOf(
  sizing: Pick<Sizing, "s" | "phase" | "held" | "target">,
  stale: boolean,
  { enter, exit, deadBand }: Thresholds,
): Trigger {
  const { s, phase } = sizing;
  const [held, target] = [big(sizing.held), big(sizing.target)];
  if (held.eq(0)) return { crossed: "enter", value: s, threshold: enter };
  if (stale) return { crossed: "stale", value: 0, threshold: exit };
  if (s !== 0 && Math.sign(s) !== held.s && Math.abs(s) >= exit)
    return { crossed: "turned", value: s, threshold: phase === "enter" ? enter : exit };
  if (phase === "exit") return { crossed: "exit", value: s, threshold: exit };
  const difference = target.minus(held).abs();
  const value = Number(fixed(difference.div(held.abs()), 6));
  return { crossed: target.abs().gt(held.abs()) ? "grow" : "shrink", value, threshold: Number(deadBand) };
}
