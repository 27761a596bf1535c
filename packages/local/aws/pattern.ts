/** The event patterns that are played here: a field's value is one of a list of texts, numbers, booleans or null. */
export interface Pattern {
  readonly [field: string]: Pattern | readonly (string | number | boolean | null)[];
}

/** A pattern uses an operator (prefix, anything-but, numeric, …) that is not played here; a silent mismatch would be worse. */
export class PatternError extends Error {
  override name = "PatternError";
}

/**
 * Returns whether `event` matches: every field of the pattern is there and equals one of its values, or, where it is an
 * array, one of its elements does. Source: EventBridge user guide, "Event patterns".
 * @throws PatternError when the pattern holds an operator.
 */
export function matches(pattern: Pattern, event: unknown): boolean {
  if (typeof event !== "object" || event === null) return false;
  return Object.entries(pattern).every(([field, wanted]) => {
    const value = (event as Record<string, unknown>)[field];
    if (!Array.isArray(wanted)) return matches(wanted as Pattern, value);
    if (wanted.some((one) => typeof one === "object" && one !== null))
      throw new PatternError(`pattern of ${field}: operators are not played here`);
    const values: unknown[] = Array.isArray(value) ? value : [value];
    return values.some((one) => wanted.includes(one as string));
  });
}
