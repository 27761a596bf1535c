import type * as z from "zod";

/** What a route is asked and what it says. A reply outside its schema is a failed test, never a filtered one. */
export interface Contract {
  /** The fields of the query. It is strict: an unknown one is refused. */
  readonly query: z.ZodObject;
  /** The fields in braces of the path, "/api/orders/{id}"; left out = it has none. */
  readonly params?: z.ZodObject;
  /** The body of a 200, and of the statuses in `also`. */
  readonly reply: z.ZodType;
  /** Other statuses that come with such a body, and what each says. */
  readonly also?: Readonly<Record<number, string>>;
  /** Statuses that come with a problem of the route's own, and what each says. */
  readonly problems?: Readonly<Record<number, string>>;
  /** It comes as Markdown where that is asked for. */
  readonly isMarkdownToo?: true;
}
