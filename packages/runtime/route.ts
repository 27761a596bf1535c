import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import * as z from "zod";
import type { AtRunTime, Route } from "#topology/job";
import { type RouteName, type Routes, routes } from "#topology/routes";
import { type Instant, instant } from "#units/time";
import { TimeBudgetError } from "./budget.ts";
import type { Context } from "./context.ts";
import { edge, runPiece } from "./edge.ts";
import { cameThroughFront } from "./origin.ts";
import { newTrace } from "./trace.ts";

/** One request, as a route sees it. */
export interface RouteRequest {
  /** When API Gateway took the request. */
  readonly at: Instant;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The Accept header, or "". */
  readonly accept: string;
}

/** A reply: JSON, or Markdown. */
export type RouteReply =
  | { readonly status: number; readonly body: unknown }
  | { readonly status: number; readonly markdown: string };

type RouteJob<R extends RouteName> = Pick<Routes[R], "needs"> & { readonly sends: []; readonly publishes: [] };
type RouteContext<R extends RouteName> = Context<RouteJob<R>>;

/**
 * Turns one job into the Lambda handler of an HTTP API route (payload format 2.0). A ZodError of the job is the
 * caller's mistake: 400 with the fields' names. Anything else is ours: 503 when the time was over, else 500, with the id
 * to look for in the log and no detail. A request that did not come through CloudFront, where there is one, gets 403.
 */
export function route<R extends RouteName>(
  name: R,
  job: (request: RouteRequest, context: RouteContext<R>) => Promise<RouteReply>,
) {
  const entry: AtRunTime<Route> = routes[name];
  return edge<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>(entry, async (event, lambda) => {
    const { requestId, timeEpoch } = event.requestContext;
    const parameters = [...new URLSearchParams(event.rawQueryString)];
    const request = {
      at: instant(timeEpoch),
      query: Object.fromEntries(parameters),
      accept: event.headers.accept ?? "",
    };
    const piece = { entry, lambda, trace: newTrace(requestId), what: `${name}: request` };
    const reply = runPiece<RouteJob<R>, RouteReply>(piece, async (context) => {
      if (!(await cameThroughFront(event.headers)))
        return { status: 403, body: { error: "access is through CloudFront alone" } };
      const refused = problemsOf(parameters);
      if (refused.length > 0) return { status: 400, body: { error: "bad request", fields: refused } };
      return job(request, context).catch(badRequest);
    });
    return respond(await reply.catch((error: unknown) => failure(error, requestId)));
  });
}

interface Problem {
  readonly field: string;
  readonly problem: string;
}

/** What no route takes. API Gateway joins a repeated parameter's values by commas, and PostgreSQL holds no NUL in a text. */
function problemsOf(parameters: readonly (readonly [name: string, value: string])[]): Problem[] {
  const seen = new Map<string, number>();
  for (const [name] of parameters) seen.set(name, (seen.get(name) ?? 0) + 1);
  return [...seen].flatMap(([field, times]) => {
    const isNul = parameters.some(([name, value]) => name === field && `${name}${value}`.includes("\0"));
    return [
      ...(times > 1 ? [{ field, problem: `given ${times} times` }] : []),
      ...(isNul ? [{ field, problem: "holds a NUL character" }] : []),
    ];
  });
}

/** Unknown parameters are one issue of zod's, of the whole query: here each has its own name. */
const fieldsOf = (issue: z.core.$ZodIssue): Problem[] =>
  issue.code === "unrecognized_keys"
    ? issue.keys.map((field) => ({ field, problem: "there is no such parameter" }))
    : [{ field: issue.path.join("."), problem: issue.message }];

function badRequest(error: unknown): RouteReply {
  if (!(error instanceof z.ZodError)) throw error;
  const fields = error.issues.flatMap(fieldsOf);
  return { status: 400, body: { error: "bad request", fields } };
}

function failure(error: unknown, requestId: string): RouteReply {
  const [status, said] =
    error instanceof TimeBudgetError ? [503, "this took too long; try again"] : [500, "internal error"];
  return { status, body: { error: said, requestId } };
}

function respond(reply: RouteReply): APIGatewayProxyStructuredResultV2 {
  const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
  if ("markdown" in reply) {
    return {
      statusCode: reply.status,
      headers: { ...headers, "content-type": "text/markdown; charset=utf-8" },
      body: reply.markdown,
    };
  }
  return {
    statusCode: reply.status,
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(reply.body),
  };
}
