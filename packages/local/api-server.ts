import type { IncomingMessage, ServerResponse } from "node:http";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { type Listening, listen, readBody } from "#host/http";
import type { RouteName } from "#topology/routes";
import { ROUTES, topology } from "#topology/topology";
import { type Handler, lambdaContext } from "./aws/jobs.ts";

const BODY_LIMIT = 64 * 1024;

/**
 * Serves the topology's routes on loopback, each by its Lambda handler with an HTTP API event (payload format 2.0).
 * An unknown path is 404, a known path with another method 405. `GET /` lists the routes.
 * `now` is the clock of the requests, in milliseconds since the epoch. Source: API Gateway, "Working with AWS Lambda proxy
 * integrations for HTTP APIs".
 * @throws PortTakenError.
 */
export function startApi(
  handlers: ReadonlyMap<string, Handler>,
  port: number,
  now: () => number = Date.now,
): Promise<Listening> {
  return listen((request, response) => {
    answer(request, handlers, now()).then(
      (result) => write(response, result),
      () => write(response, json(500, { error: "internal error" })), // the route's edge has logged why
    );
  }, port);
}

async function answer(
  request: IncomingMessage,
  handlers: ReadonlyMap<string, Handler>,
  at: number,
): Promise<APIGatewayProxyStructuredResultV2> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/")
    return json(200, { routes: Object.fromEntries(ROUTES.map((name) => [name, topology.routes[name].summary])) });
  const known = ROUTES.filter((name) => name.split(" ")[1] === url.pathname);
  const name = known.find((route) => route.startsWith(`${request.method} `));
  if (!name)
    return known.length > 0
      ? json(405, { error: `only ${known.join(", ")}` })
      : json(404, { error: "no such path; GET / lists them" });
  const handler = handlers.get(topology.routes[name].consumer) as Handler; // loaded with the topology
  const entry = topology.routes[name];
  const body = await readBody(request, BODY_LIMIT);
  const result = await handler(
    eventOf(name, request, url, body, new Date(at)),
    lambdaContext(entry, Date.now() + entry.timeoutSeconds * 1000),
  );
  return result as APIGatewayProxyStructuredResultV2;
}

function eventOf(name: RouteName, request: IncomingMessage, url: URL, body: string, now: Date): APIGatewayProxyEventV2 {
  const method = request.method ?? "GET";
  return {
    version: "2.0",
    routeKey: name,
    rawPath: url.pathname,
    rawQueryString: url.search.replace(/^\?/, ""),
    headers: Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)])),
    ...(url.search && { queryStringParameters: Object.fromEntries(url.searchParams) }),
    ...(body && { body }),
    isBase64Encoded: false,
    requestContext: {
      accountId: "000000000000",
      apiId: "local",
      domainName: "localhost",
      domainPrefix: "localhost",
      http: {
        method,
        path: url.pathname,
        protocol: "HTTP/1.1",
        sourceIp: request.socket.remoteAddress ?? "",
        userAgent: request.headers["user-agent"] ?? "",
      },
      requestId: `local-${now.getTime()}`,
      routeKey: name,
      stage: "$default",
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
  };
}

const json = (statusCode: number, body: unknown): APIGatewayProxyStructuredResultV2 => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

function write(
  response: ServerResponse,
  { statusCode = 200, headers = {}, body = "" }: APIGatewayProxyStructuredResultV2,
): void {
  response.writeHead(statusCode, headers as Record<string, string>).end(body);
}
