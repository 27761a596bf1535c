import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lambdaContext } from "#local/aws/jobs";
import { healthContract } from "#topology/contracts/health";
import { routes } from "#topology/routes";
import { ROUTES, topology } from "#topology/topology";
import { dispatch, UnansweredRouteError } from "./dispatch.ts";
import { type LogLine, useSink } from "./log.ts";
import { type Answer, route } from "./route.ts";
import { provide } from "./services.ts";

const lines: LogLine[] = [];
beforeEach(() => {
  lines.length = 0;
  useSink((line) => lines.push(line));
  provide("database", {} as never); // no route below touches it
});
afterEach(() => {
  useSink(null);
  provide("database", null);
});

const none = route("GET /api/health", healthContract, async () => {
  throw new Error("the database says no");
});
const handler = dispatch(
  "read",
  ROUTES.map((name): Answer => ({ ...none, name })),
);

/** Asks as API Gateway does for what has no route of its own. */
async function ask(method: string, path: string, rawQueryString = "") {
  const requestContext = { requestId: "r-1", timeEpoch: 0, http: { method } };
  const event = { routeKey: "$default", rawPath: path, rawQueryString, headers: {}, requestContext };
  const reply = await (handler as unknown as (...given: unknown[]) => Promise<APIGatewayProxyStructuredResultV2>)(
    event,
    lambdaContext(topology.api.read, Date.now() + 10_000),
  );
  return { status: reply.statusCode, headers: reply.headers, body: reply.body ? JSON.parse(reply.body) : null };
}

test("what has no route is said as a problem: 404, 405 with what is allowed, 308 with the query", async () => {
  expect(await ask("GET", "/nothing")).toMatchObject({
    status: 404,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store" },
    body: { type: "about:blank", title: "Not Found", status: 404, detail: "there is no such path", traceId: "r-1" },
  });
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
    expect(await ask(method, "/api/bias")).toMatchObject({
      status: 405,
      headers: { allow: "GET, HEAD" },
      body: { detail: "only GET, HEAD" },
    });
  expect(await ask("GET", "/orders", "limit=2&status=filled")).toMatchObject({
    status: 308,
    headers: { location: "/api/orders?limit=2&status=filled" },
  });
  expect(await ask("HEAD", "/reports/latest")).toMatchObject({
    status: 308,
    headers: { location: "/api/reports/latest" },
  });
  expect(lines).toEqual([]);
});

test("a route that was once somewhere else is told where it is now", async () => {
  const moved = ROUTES.filter((name) => "formerly" in routes[name]);
  expect(moved.length).toBeGreaterThan(0);
  for (const name of moved) {
    const path = name.replace("GET ", "");
    expect(await ask("GET", path.replace("/api", ""))).toMatchObject({ status: 308, headers: { location: path } });
  }
});

test("a route that fails is 500 with the id that the log has, and no detail", async () => {
  expect(await ask("HEAD", "/api/bias")).toMatchObject({ status: 500, body: null });
  lines.length = 0;
  const reply = await ask("GET", "/api/bias");
  expect(reply).toMatchObject({ status: 500, body: { title: "Internal Server Error", traceId: "r-1" } });
  expect(JSON.stringify(reply)).not.toContain("says no");
  expect(lines).toEqual([
    expect.objectContaining({ level: "error", reason: "the database says no", correlationId: "r-1" }),
  ]);
});

test("a function that does not answer just its own routes does not load", () => {
  expect(() => dispatch("read", [none])).toThrow(UnansweredRouteError);
  expect(() => dispatch("read", [none])).toThrow(/GET \/api\/bias/);
});
