import { sha256 } from "#units/ids";

/** A deterministic source of numbers. It uses only + − × ÷ on doubles, so every platform gives the same digits. */
export interface Random {
  /** Returns a number in [0, 1) with 32 random bits. */
  unit(): number;
  /** Returns an integer in [0, below). */
  below(below: number): number;
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  /** Returns a draw with mean 0 and variance 1, within ±6: twelve uniform ones summed, so that no logarithm is needed. */
  normal(): number;
  /** @throws RangeError when there is nothing to pick from. */
  pick<T>(items: readonly T[]): T;
  /** Returns the items in random order. */
  shuffled<T>(items: readonly T[]): T[];
}

/** Returns the generator of one named stream of a seed: what one part draws never moves another part's numbers. */
export function randomOf(seed: string, stream: string): Random {
  const words = sha256(`${seed}/${stream}`);
  const word = (index: number) => Number.parseInt(words.slice(index * 8, index * 8 + 8), 16) | 0;
  let [a, b, c, counter] = [word(0), word(1), word(2), word(3)];

  // sfc32. Source: C. Doty-Humphrey, PractRand
  const uint32 = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  const unit = () => uint32() / 4_294_967_296;
  const below = (limit: number) => Math.floor(unit() * limit);
  const normal = () => {
    let sum = -6;
    for (let draw = 0; draw < 12; draw += 1) sum += unit();
    return sum;
  };
  const pick = <T>(items: readonly T[]): T => {
    const item = items[below(items.length)];
    if (item === undefined) throw new RangeError("nothing to pick from");
    return item;
  };
  const shuffled = <T>(items: readonly T[]): T[] => {
    const rest = [...items];
    const order: T[] = [];
    while (rest.length > 0) order.push(...rest.splice(below(rest.length), 1));
    return order;
  };
  return {
    unit,
    below,
    between: (low, high) => low + unit() * (high - low),
    chance: (probability) => unit() < probability,
    normal,
    pick,
    shuffled,
  };
}
