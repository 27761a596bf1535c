/** Runs work, `most` pieces at once; the others wait in their order. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export function gate(most: number): Gate {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift(); // the place goes over to it
      if (next) next();
      else free += 1;
    }
  };
}
