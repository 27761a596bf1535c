import type { IncomingMessage, ServerResponse } from "node:http";
import { finished } from "node:stream/promises";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { BodyTooLargeError, type Listening, listen, readBody } from "#host/http";
import { problemReply } from "#runtime/problem";
import { FALLBACK } from "#topology/api";
import { type Matched, matchRoute } from "#topology/paths";
import type { RouteName } from "#topology/routes";
import { ROUTES, topology } from "#topology/topology";
import { type Handler, lambdaContext } from "./aws/jobs.ts";

const BODY_LIMIT = 64 * 1024;
const DRAIN_MS = 1000;

type Reply = APIGatewayProxyStructuredResultV2;

/**
 * Serves the topology's routes on loopback, each by the Lambda handler of its function with an HTTP API event (payload format
 * 2.0); what is no route goes to the function that the topology names for it. A body past 64 KiB is 413. `GET /` lists the routes.
 * A browser on this machine reaches it too, so a request for another host's name (DNS rebinding) is 421 and one that
 * another site's page makes is 403.
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
      () => write(response, problem(500, "an internal error")), // the route's edge has logged why
    );
  }, port);
}

async function answer(request: IncomingMessage, handlers: ReadonlyMap<string, Handler>, at: number): Promise<Reply> {
  const url = urlOf(request);
  if (url === null) return problem(400, "this is no path");
  const refused = refusalOf(request, url);
  if (refused) return refused;
  if (url.pathname === "/") return listOf(request, url);
  const matched = matchRoute<RouteName>(topology.routes, request.method ?? "GET", url.pathname);
  const entry = topology.api[matched.kind === "route" ? topology.routes[matched.name].in : FALLBACK];
  const handler = handlers.get(entry.consumer) as Handler; // loaded with the topology
  const body = await bodyOf(request);
  if (body === null) return problem(413, `a body of more than ${BODY_LIMIT} bytes`, { connection: "close" });
  const result = await handler(
    eventOf(matched, request, url, body, new Date(at)),
    lambdaContext(entry, Date.now() + entry.timeoutSeconds * 1000),
  );
  return result as Reply;
}

/** A target is a path, or a whole URL as a proxy is asked for it. Null for what is neither. */
function urlOf({ url: target = "/", headers }: IncomingMessage): URL | null {
  const base = `http://${headers.host ?? ""}`;
  const url = URL.parse(target.startsWith("/") ? `${base}${target}` : target);
  return url?.pathname.includes("%00") ? null : url;
}

const OWN = ["127.0.0.1", "localhost"];

/** @returns why a request is not answered, or null: it names another host, or another site's page made it. */
function refusalOf({ headers, socket }: IncomingMessage, { hostname, port, host }: URL): Reply | null {
  if (!OWN.includes(hostname) || (port || "80") !== String(socket.localPort))
    return problem(421, `${host} is not served here`);
  const site = headers["sec-fetch-site"];
  const isForeign = site !== undefined && site !== "same-origin" && site !== "none";
  const { origin } = headers;
  if (isForeign || (origin !== undefined && origin !== `http://${host}`))
    return problem(403, "not from another site's page");
  return null;
}

function listOf({ method }: IncomingMessage, { searchParams }: URL): Reply {
  if (method !== "GET" && method !== "HEAD") return problem(405, "only GET, HEAD", { allow: "GET, HEAD" });
  const fields = [...new Set(searchParams.keys())].map((field) => ({ field, problem: "there is no such parameter" }));
  if (fields.length > 0) return problemReply({ status: 400, detail: "the request is not well formed", fields });
  return json({ routes: Object.fromEntries(ROUTES.map((name) => [name, topology.routes[name].summary])) });
}

/** Null for one that is too large: no more of it is kept than the limit. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  try {
    if (Number(request.headers["content-length"] ?? 0) <= BODY_LIMIT) return await readBody(request, BODY_LIMIT);
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
  }
  // A connection that ends with bytes unread is reset, and the refusal is lost with it; what does not end in time is cut off.
  request.resume();
  await finished(request, { signal: AbortSignal.timeout(DRAIN_MS) }).catch(() => undefined);
  return null;
}

/** As API Gateway makes it: HEAD has no route of its own, so it comes by the one for what has none. */
function eventOf(
  matched: Matched<RouteName>,
  request: IncomingMessage,
  url: URL,
  body: string,
  now: Date,
): APIGatewayProxyEventV2 {
  const isOwn = matched.kind === "route" && matched.name.startsWith(`${request.method} `);
  const name = isOwn ? matched.name : "$default";
  const method = request.method ?? "GET";
  return {
    version: "2.0",
    routeKey: name,
    rawPath: url.pathname,
    rawQueryString: url.search.replace(/^\?/, ""),
    headers: Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)])),
    ...(isOwn && { pathParameters: { ...matched.params } }),
    ...(url.search && { queryStringParameters: joined(url.searchParams) }),
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

/** The values of a repeated parameter are joined by commas. */
const joined = (parameters: URLSearchParams): Record<string, string> =>
  Object.fromEntries([...parameters.keys()].map((name) => [name, parameters.getAll(name).join(",")]));

const json = (body: unknown): Reply => ({
  statusCode: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

const problem = (status: number, detail: string, headers: Readonly<Record<string, string>> = {}): Reply =>
  problemReply({ status, detail }, headers);

/** Node writes no body after HEAD. */
function write(response: ServerResponse, { statusCode = 200, headers = {}, body = "", isBase64Encoded }: Reply): void {
  response
    .writeHead(statusCode, headers as Record<string, string>)
    .end(isBase64Encoded === true ? Buffer.from(body, "base64") : body);
}
