import { channel } from "node:diagnostics_channel";
import type * as z from "zod";
import type { Decimal } from "#units/decimal";
import type { Id } from "#units/ids";
import type { Instant } from "#units/time";

/**
 * What a column of a raw statement holds. Data only: nothing here costs a query anything, and the check of what a server
 * really returns is in packages/testing/watched-rows.ts. `T` is the type in a row.
 */
export interface Kind<T> {
  readonly kind: "text" | "int" | "float" | "boolean" | "decimal" | "instant" | "id" | "json";
  /** Only these values. */
  readonly among?: readonly unknown[];
  /** What a JSON value looks like. */
  readonly schema?: z.ZodType<T>;
  readonly nullable: boolean;
}
type TypeOf<K> = K extends Kind<infer T> ? T : never;

export const text: Kind<string> = { kind: "text", nullable: false };
/** int2, int4, or int8 with `::int`. */
export const int: Kind<number> = { kind: "int", nullable: false };
/** float8. */
export const float: Kind<number> = { kind: "float", nullable: false };
export const flag: Kind<boolean> = { kind: "boolean", nullable: false };
/** A numeric through `plain`. */
export const decimal: Kind<Decimal> = { kind: "decimal", nullable: false };
/** A timestamptz through `iso`. */
export const instant: Kind<Instant> = { kind: "instant", nullable: false };
/** A jsonb that is parsed before use. */
export const json: Kind<unknown> = { kind: "json", nullable: false };
/** A uuid. */
export const id = <const K extends string>(_of: K): Kind<Id<K>> => ({ kind: "id", nullable: false });
/** Texts of a closed list. */
export const oneOf = <const T extends string>(...among: readonly T[]): Kind<T> => ({
  kind: "text",
  among,
  nullable: false,
});
/** Integers of a closed list. */
export const oneOfInts = <const T extends number>(...among: readonly T[]): Kind<T> => ({
  kind: "int",
  among,
  nullable: false,
});
/** JSON that the statement itself builds, or an array: its shape is the statement's, and is checked with it. */
export const built = <S extends z.ZodType>(schema: S): Kind<z.output<S>> => ({
  kind: "json",
  schema: schema as z.ZodType<z.output<S>>,
  nullable: false,
});
export const orNull = <T>(kind: Kind<T>): Kind<T | null> => ({ ...kind, nullable: true }) as Kind<T | null>;

/** The columns of one raw statement, by name. `name` says which statement it is. */
export interface Shape<R extends Readonly<Record<string, unknown>>> {
  readonly name: string;
  readonly columns: { readonly [C in keyof R]: Kind<R[C]> };
}
export type RowOf<S> = S extends Shape<infer R> ? { -readonly [C in keyof R]: R[C] } : never;

/** Tells of every shape that is declared. Only tests listen. */
const declared = channel("spyhop:shape");

/** Returns the specification of a statement's rows, from which their type is inferred. Its name is unique. */
export function shape<const C extends Readonly<Record<string, Kind<unknown>>>>(
  name: string,
  columns: C,
): Shape<{ readonly [K in keyof C]: TypeOf<C[K]> }> {
  // Its row type is there for the compiler alone.
  const made = { name, columns } as unknown as Shape<{ readonly [K in keyof C]: TypeOf<C[K]> }>;
  declared.publish(made);
  return made;
}
