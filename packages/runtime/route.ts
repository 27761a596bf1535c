import * as z from "zod";
import type { Api } from "#topology/api";
import type { Contract } from "#topology/contracts/contract";
import type { Contracts } from "#topology/contracts/contracts";
import type { RouteName, Routes } from "#topology/routes";
import type { Instant } from "#units/time";
import type { Context } from "./context.ts";
import type { FieldProblem } from "./problem.ts";

/** One request, as a route sees it. */
export interface RouteRequest<C extends Contract> {
  /** When API Gateway took the request. */
  readonly at: Instant;
  readonly query: z.output<C["query"]>;
  readonly params: C extends { readonly params: infer P extends z.ZodObject } ? z.output<P> : Readonly<object>;
  /** The Accept header, or "". */
  readonly accept: string;
}

/** What a contract's reply is made of: texts of a list or of a brand are any text here, and the tests hold them to it. */
type Said<T> = T extends string
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Said<Item>[]
    : T extends object
      ? { readonly [K in keyof T]: Said<T[K]> }
      : T;

/** A reply: by the contract, or Markdown where it is that too, or a problem of the route's own. */
export type RouteReply<C extends Contract> =
  | { readonly status: 200 | (keyof C["also"] & number); readonly body: Said<z.output<C["reply"]>> }
  | (C extends { readonly isMarkdownToo: true } ? { readonly status: 200; readonly markdown: string } : never)
  | { readonly status: keyof C["problems"] & number; readonly problem: string };

type RouteContext<R extends RouteName> = Context<Api[Routes[R]["in"]]>;

/** A request before its route has looked at it. Both are text, and a field is given once. */
export interface RawRequest extends Pick<RouteRequest<Contract>, "at" | "accept"> {
  readonly query: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
}

/** What a route says to a request: `dispatch` puts the answers of a function's routes together. */
export interface Answer<R extends RouteName = RouteName> {
  readonly name: R;
  readonly answer: (request: RawRequest, context: RouteContext<R>) => Promise<Answered>;
}

/** A reply of whichever route, or what is wrong with the request. */
export type Answered = { readonly status: number } & (
  | { readonly body: unknown }
  | { readonly markdown: string }
  | { readonly problem: string }
  | { readonly fields: readonly FieldProblem[] }
);

/**
 * Returns how a route of the topology answers: what it is asked is parsed by its contract, and what does not fit it is the
 * caller's mistake, 400 with the fields' names.
 */
export function route<R extends RouteName, C extends Contracts[R]>(
  name: R,
  contract: C,
  job: (request: RouteRequest<C>, context: RouteContext<R>) => Promise<RouteReply<C>>,
): Answer<R> {
  const { query, params = NONE }: Contract = contract;
  return {
    name,
    answer: async (request, context) => {
      const asked = [params.safeParse(request.params), query.safeParse(request.query)] as const;
      const fields = asked.flatMap(({ error }) => error?.issues.flatMap(fieldsOf) ?? []);
      if (fields.length > 0) return { status: 400, fields };
      const parsed = { params: asked[0].data, query: asked[1].data };
      return job({ ...request, ...parsed } as RouteRequest<C>, context); // parsed by the contract
    },
  };
}

const NONE = z.object({});

/** Unknown parameters are one issue of zod's, of the whole query: here each has its own name. */
const fieldsOf = (issue: z.core.$ZodIssue): FieldProblem[] =>
  issue.code === "unrecognized_keys"
    ? issue.keys.map((field) => ({ field, problem: "there is no such parameter" }))
    : [{ field: issue.path.join("."), problem: issue.message }];
