/** Ends one part that was opened. */
export type Closer = () => Promise<unknown>;

/**
 * Closes every part, the last opened first, and forgets them: a second call does nothing.
 * @throws the first error, once all were tried.
 */
export async function closeAll(closers: Closer[]): Promise<void> {
  const errors: unknown[] = [];
  for (const closer of closers.splice(0).reverse()) {
    try {
      await closer();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
