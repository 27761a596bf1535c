import type { Step } from "#reporting/steps";
import { big, type Decimal, decimalOf, fixed, floorTo, text, ZERO } from "#units/decimal";

/** A step does not give what it says. */
export class StepError extends Error {
  override name = "StepError";
}

/**
 * Returns what an order's steps come to, each taken by itself, from what they name alone. Those of the signal are numbers.
 * @throws StepError where a step gives something else than it says.
 */
export function resultOf(steps: readonly Step[]): Decimal {
  let value: Decimal = ZERO;
  for (const step of steps) {
    const taken = step.unit === "signal" ? numberOf(value, step) : takenOf(value, step);
    if (taken !== text(step.gives)) throw new StepError(`${step.name} makes ${taken} of ${value}, not ${step.gives}`);
    value = taken;
  }
  return value;
}

/** As a computer multiplies numbers. */
const numberOf = (value: Decimal, { does, by }: Step): Decimal =>
  text(does === "times" ? Number(value) * Number(by) : Number(by));

function takenOf(value: Decimal, { does, by, of }: Step): Decimal {
  const [now, operand] = [big(value), big(by ?? ZERO)];
  if (does === "least") {
    const least = Object.values(of ?? {}).toSorted((a, b) => big(a).cmp(b))[0] ?? decimalOf("0");
    return text(big(least).times(value.startsWith("-") ? -1 : 1));
  }
  if (does === "times") return text(now.times(operand));
  if (does === "over") return text(fixed(now.div(operand), 18));
  if (does === "floor") return text(floorTo(now, operand));
  if (does === "minus") return text(now.minus(operand));
  if (does === "size") return text(now.abs());
  return text(operand);
}
