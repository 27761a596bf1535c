/**
 * Returns the probability that a standard normal variable is at most `z`. Error below 1.2e-7.
 * Source: Press et al., Numerical Recipes, erfcc (Chebyshev fit of the complementary error function).
 */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const series = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
    -1.26551223,
  ];
  const tail = 0.5 * t * Math.exp(-x * x + series.reduce((sum, c) => sum * t + c, 0));
  return z >= 0 ? 1 - tail : tail;
}

/**
 * Returns the normal deviate of about the same tail probability as `t` with `degrees` of freedom. Few bets make heavy
 * tails; this takes them back. Source: Wallace (1959), as given in Abramowitz and Stegun 26.7.8.
 */
export function normalOfT(t: number, degrees: number): number {
  return (t * (1 - 1 / (4 * degrees))) / Math.sqrt(1 + (t * t) / (2 * degrees));
}

/** Returns `value` cut to six significant digits, so that platforms whose `exp` differs in the last bit agree. */
export const significant = (value: number): number => Number(value.toPrecision(6));
