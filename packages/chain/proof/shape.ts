/** A node's answer has not the shape that the JSON-RPC specification gives it. `path` names the field. */
export class ShapeError extends Error {
  override name = "ShapeError";
  readonly path: string;
  /** In lower case the value would do. */
  readonly byCase: boolean;
  constructor(path: string, expected: string, byCase = false) {
    super(`${path}: expected ${expected}`);
    this.path = path;
    this.byCase = byCase;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

/** What a field must be: text of one form. Quantities have no leading zeros and at most 32 bytes. Source: EIP-1474 */
export interface Kind {
  readonly says: string;
  readonly form: RegExp;
}

export const KIND = {
  quantity: { says: "a quantity", form: /^0x(?:0|[1-9a-f][0-9a-f]{0,63})$/ },
  quantity64: { says: "a quantity of at most 8 bytes", form: /^0x(?:0|[1-9a-f][0-9a-f]{0,15})$/ },
  /** Part of a signature: some nodes pad it to its 32 bytes. */
  padded: { says: "a number of at most 32 bytes", form: /^0x[0-9a-f]{1,64}$/ },
  address: { says: "an address", form: /^0x[0-9a-f]{40}$/ },
  digest: { says: "a 32-byte hash", form: /^0x[0-9a-f]{64}$/ },
  bytes: { says: "bytes", form: /^0x(?:[0-9a-f]{2})*$/ },
  bloom: { says: "256 bytes", form: /^0x[0-9a-f]{512}$/ },
  nonce: { says: "8 bytes", form: /^0x[0-9a-f]{16}$/ },
} as const satisfies Record<string, Kind>;

/** Fields by name. */
export type Shape = readonly (readonly [string, Kind])[];

/** Returns `value` when it is of `kind`. @throws ShapeError */
export function textOf(value: unknown, path: string, { says, form }: Kind): string {
  if (typeof value === "string" && form.test(value)) return value;
  throw new ShapeError(path, says, typeof value === "string" && form.test(value.toLowerCase()));
}

/** Returns `value` as an object whose `required` and present `optional` fields have their form. @throws ShapeError */
export function shaped(value: unknown, path: string, required: Shape, optional: Shape = []): Fields {
  const object = fieldsOf(value, path);
  for (const [name, kind] of required) textOf(object[name], `${path}.${name}`, kind);
  for (const [name, kind] of optional) {
    if (object[name] !== undefined && object[name] !== null) textOf(object[name], `${path}.${name}`, kind);
  }
  return object;
}

/** Returns `value` as an object. @throws ShapeError */
export function fieldsOf(value: unknown, path: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ShapeError(path, "an object");
  return value as Fields;
}

/** Returns `value` as a list. @throws ShapeError */
export function listOf(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ShapeError(path, "an array");
  return value;
}

/** Returns a JSON-RPC quantity ("0x1a") as a number. @throws ShapeError when it is none, or above 2^53. */
export function quantity(value: unknown, path: string): number {
  const number = Number(textOf(value, path, KIND.quantity));
  if (!Number.isSafeInteger(number)) throw new ShapeError(path, "a quantity below 2^53");
  return number;
}

/** Returns a copy of JSON with every "0x…" text in lower case. */
export function lowered(value: unknown): unknown {
  if (typeof value === "string") return /^0x[0-9a-f]*$/i.test(value) ? `0x${value.slice(2).toLowerCase()}` : value;
  if (Array.isArray(value)) return value.map(lowered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, lowered(inner)]));
}
