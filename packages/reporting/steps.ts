import * as z from "zod";
import { type Big, big, Decimal, floorTo, text } from "#units/decimal";

/** What a step does to what the step before gave. */
const Does = z.enum(["is", "times", "over", "least", "floor", "to", "minus", "size"]);

/**
 * One step of a decision, in its own order. `gives` is what stands after it, and the last gives the order's size. `of` names what
 * it was chosen from, or what it was taken by.
 */
export const Step = z.object({
  name: z.string(),
  /**
   * `is` begins with `by`; `times` multiplies by it, `over` divides by it (18 places, half-even), `minus` takes it away; `floor` cuts to
   * a multiple of it, toward zero; `to` is set to it, for the reason that is its name; `least` takes the smallest of `of`, with the
   * sign that stood before; `size` drops the sign.
   */
  does: Does,
  by: Decimal.nullable(),
  of: z.record(z.string(), Decimal).nullable(),
  gives: Decimal,
  unit: z.enum(["signal", "USDT", "contracts"]),
});
export type Step = z.infer<typeof Step>;

const Contracts = z.record(z.string(), Decimal);

/** What the steps are read from. Source: `snapshotOf` in packages/trading/plans/plan.ts. */
const Decided = z.object({
  bias: z.object({ value: z.number(), confidence: z.number() }),
  equity: z.object({ now: Decimal }),
  quote: z.object({ mark: Decimal }),
  policy: z.object({ riskPerTrade: Decimal }),
  instrument: z.object({ contractSize: Decimal, lotSize: Decimal, minSize: Decimal }),
  sizing: z.object({
    ...{ credibilityFactor: z.number(), s: z.number(), phase: z.enum(["enter", "hold", "exit"]) },
    stopDistance: Decimal.nullable(),
    ...{ bounds: Contracts, orderBounds: Contracts, target: Decimal, held: Decimal, trade: Decimal },
    ...{ cap: Decimal, reduceOnly: z.boolean(), rest: z.string().nullable() },
  }),
});
type Decided = z.infer<typeof Decided>;

/**
 * Returns the steps from a bias to an order's size, as its policy snapshot keeps them: the signal, what may be held for it, and what
 * to trade to get there. Null where a release kept too little, and of an order that no plan made.
 */
export function stepsOf(snapshot: unknown): Step[] | null {
  const { success, data } = Decided.safeParse(snapshot);
  if (!success) return null;
  return [...signalSteps(data), ...targetSteps(data), ...tradeSteps(data)];
}

/** Returns a step that does `does` with `by`. */
const step = (
  [name, does, by]: readonly [name: string, does: Step["does"], by: Big | Decimal | number | null],
  gives: Big | Decimal | number,
  unit: Step["unit"] = "contracts",
): Step => ({ name, does, by: by === null ? null : text(by), of: null, gives: text(gives), unit });

/** The three are numbers, and so is what they give: multiply them as such. */
function signalSteps({ bias: { value, confidence }, sizing: { credibilityFactor, s } }: Decided): Step[] {
  const whole = value * confidence * credibilityFactor;
  return [
    step(["bias", "is", value], value, "signal"),
    step(["confidence", "times", confidence], value * confidence, "signal"),
    step(["credibility", "times", credibilityFactor], whole, "signal"),
    ...(s === whole || (s === 0 && whole === 0) ? [] : [step(["not_known", "to", s], s, "signal")]),
  ];
}

/** What the risk of one trade buys at this signal. */
function riskSteps({ equity, policy, quote, instrument, sizing }: Decided): Step[] {
  const { risk } = sizing.bounds;
  if (sizing.stopDistance === null || risk === undefined) return [];
  const atRisk = big(equity.now).times(policy.riskPerTrade);
  const strength = text(Math.abs(sizing.s));
  const lost = big(sizing.stopDistance).times(quote.mark).times(instrument.contractSize);
  return [
    step(["equity", "is", equity.now], equity.now, "USDT"),
    step(["risk_per_trade", "times", policy.riskPerTrade], atRisk, "USDT"),
    step(["signal", "times", strength], atRisk.times(strength), "USDT"),
    step(["loss_of_a_contract_at_the_stop", "over", lost], risk),
  ];
}

const smallest = (of: Readonly<Record<string, Decimal>>): Big =>
  Object.values(of)
    .map((value) => big(value))
    .reduce((a, b) => (a.lt(b) ? a : b));

const leastOf = (name: string, of: Readonly<Record<string, Decimal>>, sign: number): Step => ({
  ...step([name, "least", null], smallest(of).times(sign)),
  of: { ...of },
});

/** From the signal to the contracts to hold. */
function targetSteps(decided: Decided): Step[] {
  const { sizing, instrument } = decided;
  const { phase, bounds, target, held } = sizing;
  if (phase === "exit") return [step(["exit", "to", 0], 0)];
  if (Object.keys(bounds).length === 0) return [step(["no_volatility", "to", target], target)];
  const allowed = leastOf("bounds", bounds, 1);
  const size = text(big(held).abs());
  const kept = phase === "hold" ? [leastOf("hold", { allowed: allowed.gives, held: size }, 1)] : [];
  const lots = floorTo(kept[0]?.gives ?? allowed.gives, instrument.lotSize);
  const isLess = lots.lt(instrument.minSize);
  const whole = isLess ? big(0) : lots;
  const direction = sizing.s < 0 ? -1 : 1;
  const wanted = whole.times(direction);
  return [
    ...[...riskSteps(decided), allowed, ...kept],
    step(["lot", "floor", instrument.lotSize], lots),
    ...(isLess ? [step(["below_minimum", "to", 0], 0)] : []),
    step(["direction", "times", direction], wanted),
    ...(wanted.eq(target) ? [] : [step(["taken_profit", "to", target], target)]),
  ];
}

/** From the contracts to hold to those to trade. Source: `goalOf` and `tradeOf` in packages/trading/plans/sizing.ts. */
function tradeSteps({ sizing, instrument }: Decided): Step[] {
  const { target, cap, orderBounds, reduceOnly } = sizing;
  const held = big(sizing.held);
  const isFlip = !held.eq(0) && !big(target).eq(0) && held.s !== big(target).s;
  const due = isFlip ? big(0) : big(target);
  const waits = sizing.rest !== null;
  const kept = waits ? held : due;
  const capped = due.eq(0) || due.abs().gt(cap) ? big(cap).times(held.s) : due;
  const goal = kept.abs().lte(cap) ? kept : capped;
  const difference = goal.minus(held);
  const apart = text(difference.abs());
  const most = reduceOnly ? null : leastOf("order_bounds", { difference: apart, ...orderBounds }, difference.s);
  const taken = big(most?.gives ?? difference);
  const traded = goal.eq(0) ? taken : floorTo(taken, instrument.lotSize);
  return [
    ...(isFlip ? [step(["flat_first", "to", 0], 0)] : []),
    ...(waits ? [step([sizing.rest ?? "", "to", held], held)] : []),
    ...(goal.eq(kept) ? [] : [step(["cap", "to", goal], goal)]),
    step(["held", "minus", held], difference),
    ...(most === null ? [] : [most]),
    ...(goal.eq(0) ? [] : [step(["lot", "floor", instrument.lotSize], traded)]),
    step(["size", "size", null], traded.abs()),
  ];
}
