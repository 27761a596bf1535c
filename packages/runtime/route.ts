import middy from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import * as z from "zod";
import { type RouteName, type Routes, topology } from "#topology/topology";
import { type Instant, instant } from "#units/time";
import { readSettings, type Settings } from "./config.ts";
import { errorFields, log } from "./log.ts";
import { type Services, services } from "./services.ts";

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

type RouteNeed<R extends RouteName> = Routes[R]["needs"][number];
type RouteContext<R extends RouteName> = Services<RouteNeed<R>> & { readonly settings: Settings };

/**
 * Turns one job into the Lambda handler of an HTTP API route (payload format 2.0). A ZodError of the job is the
 * caller's mistake: 400 with the fields' names. Anything else is ours: 500 and no detail.
 */
export function route<R extends RouteName>(
  name: R,
  job: (request: RouteRequest, context: RouteContext<R>) => Promise<RouteReply>,
) {
  return middy<APIGatewayProxyEventV2>({ timeoutEarlyInMillis: 0 }).handler(async (event) => {
    try {
      const context = { ...(await services<RouteNeed<R>>(topology.routes[name].needs)), settings: readSettings() };
      const request = {
        at: instant(event.requestContext.timeEpoch),
        query: event.queryStringParameters ?? {},
        accept: event.headers.accept ?? "",
      };
      return respond(await job(request, context));
    } catch (error) {
      if (error instanceof z.ZodError) {
        const fields = error.issues.map((issue) => ({ field: issue.path.join("."), problem: issue.message }));
        return respond({ status: 400, body: { error: "bad request", fields } });
      }
      log({ level: "error", message: `${name}: request failed`, ...errorFields(error) });
      return respond({ status: 500, body: { error: "internal error" } });
    }
  });
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
