import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context as LambdaContext } from "aws-lambda";
import { type Api, type ApiName, api } from "#topology/api";
import type { AtRunTime, Job } from "#topology/job";
import { type Matched, matchRoute } from "#topology/paths";
import { type RouteName, routes } from "#topology/routes";
import { sha256 } from "#units/ids";
import { instant } from "#units/time";
import { TimeBudgetError } from "./budget.ts";
import { compress } from "./compress.ts";
import type { Context } from "./context.ts";
import { edge, runPiece } from "./edge.ts";
import { cameThroughFront } from "./origin.ts";
import { type FieldProblem, type Problem, problemReply } from "./problem.ts";
import type { Answer, Answered, RawRequest } from "./route.ts";
import { newTrace, type Trace } from "./trace.ts";

type Reply = APIGatewayProxyStructuredResultV2;

/** A function of the API lacks the answer of one of its routes, or was given another function's. */
export class UnansweredRouteError extends Error {
  override name = "UnansweredRouteError";
  constructor(fn: ApiName, wrong: readonly string[]) {
    super(`the function ${fn} of the API does not answer just its own routes: ${wrong.join(", ")}`);
  }
}

/**
 * Returns the Lambda handler of a function of the HTTP API (payload format 2.0), made of the answers of its routes. What API
 * Gateway matched is taken as it did; what it has no route for is looked up here, so that HEAD is answered, another method is 405, a
 * path that a route once had 308, and the rest 404. A reply has the ETag of its body, and is 304 to who has that; the longer ones are
 * compressed. What a route cannot answer is ours: 503 when the time was over, else 500, with
 * the id to look for in the log and no detail. A request that did not come through CloudFront, where there is one, gets 403.
 * @throws UnansweredRouteError
 */
export function dispatch(fn: ApiName, answers: readonly Answer[]) {
  const entry: AtRunTime<Job> = api[fn];
  const answerOf = new Map(answers.map(({ name, answer }) => [name, answer]));
  const own = (Object.keys(routes) as RouteName[]).filter((name) => routes[name].in === fn);
  const wrong = [...own.filter((name) => !answerOf.has(name)), ...[...answerOf.keys()].filter((n) => !own.includes(n))];
  if (wrong.length > 0) throw new UnansweredRouteError(fn, wrong);
  const run = async (event: APIGatewayProxyEventV2, lambda: LambdaContext): Promise<Reply> => {
    const trace = newTrace(event.requestContext.requestId);
    const matched = matchedOf(event);
    const what = `${matched.kind === "route" ? matched.name : "a path without a route"}: request`;
    const reply = await runPiece<Api["read"], Reply>({ entry, lambda, trace, what }, async (context) => {
      const problem = (status: number, detail: string) => problemReply({ status, detail, traceId: idOf(trace) });
      if (!(await cameThroughFront(event.headers))) return problem(403, "access is through CloudFront alone");
      if (matched.kind !== "route") return elsewhere(matched, event, trace);
      const answer = answerOf.get(matched.name);
      if (!answer) return problem(404, "another function answers this path"); // its route never leads here
      return answered(event, matched.params, answer, context, trace);
    }).catch((error: unknown) => problemReply(failure(error, trace)));
    return isHead(event) ? { ...reply, body: "" } : reply;
  };
  return edge<APIGatewayProxyEventV2, Reply>(entry, run).use(compress());
}

/** HEAD has no route of its own. */
const isHead = ({ routeKey, requestContext }: APIGatewayProxyEventV2): boolean =>
  !(routeKey in routes) && requestContext.http.method === "HEAD";

/** What finds a request in the log: the root of its X-Ray trace where it has one, else its own id. */
const idOf = ({ correlationId, traceId }: Trace): string => traceId ?? correlationId;

function matchedOf({ routeKey, pathParameters, requestContext, rawPath }: APIGatewayProxyEventV2): Matched<RouteName> {
  if (routeKey in routes) return { kind: "route", name: routeKey as RouteName, params: given(pathParameters ?? {}) };
  return matchRoute<RouteName>(routes, requestContext.http.method, rawPath);
}

const given = (fields: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** What has no route: 405 with what is allowed, 308 to where a path has moved, with its query, or 404. */
function elsewhere(
  matched: Exclude<Matched<RouteName>, { kind: "route" }>,
  event: APIGatewayProxyEventV2,
  trace: Trace,
) {
  const traceId = idOf(trace);
  if (matched.kind === "method") {
    const allow = matched.allowed.join(", ");
    return problemReply({ status: 405, detail: `only ${allow}`, traceId }, { allow });
  }
  if (matched.kind === "unknown") return problemReply({ status: 404, detail: "there is no such path", traceId });
  const query = event.rawQueryString === "" ? "" : `?${event.rawQueryString}`;
  return problemReply(
    { status: 308, detail: `it is ${matched.to} now`, traceId },
    { location: `${matched.to}${query}` },
  );
}

async function answered(
  event: APIGatewayProxyEventV2,
  params: RawRequest["params"],
  answer: Answer["answer"],
  context: Context<Api["read"]>,
  trace: Trace,
): Promise<Reply> {
  const parameters = [...new URLSearchParams(event.rawQueryString)];
  const refused = problemsOf([...parameters, ...Object.entries(params)]);
  const request = {
    ...{ at: instant(event.requestContext.timeEpoch), accept: event.headers.accept ?? "" },
    ...{ params, query: Object.fromEntries(parameters) },
  };
  const reply: Answered = refused.length > 0 ? { status: 400, fields: refused } : await answer(request, context);
  return respond(reply, event.headers["if-none-match"] ?? "", trace);
}

/** What no route takes. API Gateway joins a repeated parameter's values by commas, and PostgreSQL holds no NUL in a text. */
function problemsOf(parameters: readonly (readonly [name: string, value: string])[]): FieldProblem[] {
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

function failure(error: unknown, trace: Trace): Problem {
  const [status, detail] =
    error instanceof TimeBudgetError
      ? [503, "this took too long; try again"]
      : [500, "an internal error; the log says which, by the traceId"];
  return { status, detail, traceId: idOf(trace) };
}

function respond(reply: Answered, ifNoneMatch: string, trace: Trace): Reply {
  const traceId = idOf(trace);
  if ("fields" in reply)
    return problemReply({
      status: reply.status,
      detail: "the request is not well formed",
      fields: reply.fields,
      traceId,
    });
  if ("problem" in reply) return problemReply({ status: reply.status, detail: reply.problem, traceId });
  const { type, body } = textOf(reply);
  const headers = { "x-content-type-options": "nosniff", "content-type": type };
  if (reply.status !== 200)
    return { statusCode: reply.status, headers: { ...headers, "cache-control": "no-store" }, body };
  const etag = `W/"${sha256(body).slice(0, 32)}"`;
  const kept = { etag, "cache-control": "private, no-cache", vary: "accept" };
  if (hasIt(ifNoneMatch, etag)) return { statusCode: 304, headers: kept };
  return { statusCode: 200, headers: { ...headers, ...kept }, body };
}

/** Weak, since it is of the body before it is compressed. Source: RFC 9110, sections 8.8.3.2 and 13.1.2. */
const hasIt = (ifNoneMatch: string, etag: string): boolean =>
  ifNoneMatch.split(",").some((each) => ["*", etag, etag.slice(2)].includes(each.trim()));

const textOf = (reply: Extract<Answered, { readonly body: unknown } | { readonly markdown: string }>) =>
  "markdown" in reply
    ? { type: "text/markdown; charset=utf-8", body: reply.markdown }
    : { type: "application/json", body: JSON.stringify(reply.body) };
