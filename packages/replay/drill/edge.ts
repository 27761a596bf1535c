import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { type Listening, listen, readBody } from "#host/http";
import { type FaultPlan, KilledError, type Place, type Refusal } from "./plan.ts";

/** A request on its way to a real endpoint. */
export interface Passing {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const JSON_TYPE = "application/x-amz-json-1.0";

/** Returns an answer in the JSON protocol of AWS. */
export const awsAnswer = (status: number, body: unknown): Answer => ({
  status,
  type: JSON_TYPE,
  body: JSON.stringify(body),
});
/** What SQS and EventBridge say when something is wrong at their end. SDKs try again. */
export const OUT_OF_ORDER = awsAnswer(500, { __type: "InternalFailure", message: "injected" });
// A dead invocation must come to rest at once: no SDK retries a client's mistake.
const DEAD = awsAnswer(400, { __type: "InvocationKilled", message: "this invocation was ended by the drill" });

/** The operation of a request in the JSON protocol of AWS: "AmazonSQS.SendMessage" → "SendMessage". */
export const operationOf = ({ headers }: Passing): string =>
  String(headers["x-amz-target"] ?? "")
    .split(".")
    .pop() ?? "";

// Set by fetch itself, or of the connection.
const OWN = new Set(["host", "connection", "content-length", "transfer-encoding", "keep-alive", "expect"]);

/** Carries a request out at `upstream`, an origin. */
export async function forward(upstream: string, { method, target, headers, body }: Passing): Promise<Answer> {
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    OWN.has(name) || value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  const reply = await fetch(new URL(target, upstream), {
    method,
    headers: kept,
    ...(method === "GET" || method === "HEAD" ? {} : { body }),
  });
  return { status: reply.status, type: reply.headers.get("content-type") ?? JSON_TYPE, body: await reply.text() };
}

/** Whether a request places an order. Source: OKX, "POST / Place order" */
export const isPlacement = ({ method, target }: Pick<Passing, "method" | "target">): boolean =>
  method === "POST" && target === "/api/v5/trade/order";

/**
 * Serves in front of an endpoint. Each request is a wait of the current invocation, before it is carried out and before
 * its answer comes back; `isWait` says which requests a job makes itself. `carryOut` may do more or less than to forward.
 */
export function edge(
  place: Place,
  plan: Pick<FaultPlan, "pass">,
  carryOut: (request: Passing) => Promise<Answer>,
  isWait: (request: Passing) => boolean = () => true,
): Promise<Listening> {
  const serve = async (request: Passing): Promise<Answer> => {
    if (!isWait(request)) return carryOut(request);
    try {
      await plan.pass(place);
      const answer = await carryOut(request);
      await plan.pass(place, false, place === "venue" && isPlacement(request));
      return answer;
    } catch (error) {
      if (error instanceof KilledError) return DEAD;
      throw error;
    }
  };
  return listen(async (incoming, response) => {
    const { method = "GET", url: target = "/", headers } = incoming;
    try {
      write(response, await serve({ method, target, headers, body: await readBody(incoming) }));
    } catch (error) {
      response.destroy(error instanceof Error ? error : undefined);
    }
  });
}

function write(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
}

/** Decides once per call of an SDK, whose retries carry the same id, and returns what befalls this attempt. */
export function refusals(
  plan: Pick<FaultPlan, "refuse">,
  place: "queues" | "bus",
): (request: Passing, mayLast: boolean) => Refusal | null {
  const lasting = new Map<string, Refusal>();
  return (request, mayLast) => {
    const call = String(request.headers["amz-sdk-invocation-id"] ?? "");
    const isRetry = !String(request.headers["amz-sdk-request"] ?? "").includes("attempt=1");
    if (isRetry) return lasting.get(call) ?? null;
    const refusal = plan.refuse(place, operationOf(request), mayLast);
    if (refusal?.lasting) lasting.set(call, refusal);
    return refusal;
  };
}

interface Put {
  readonly Entries: readonly unknown[];
}
interface PutReply {
  readonly FailedEntryCount: number;
  readonly Entries: readonly unknown[];
}

/**
 * Takes the first of several facts and refuses the others; refuses a single one. The call itself succeeds.
 * Source: EventBridge API, PutEvents, "FailedEntryCount"
 */
async function putPart(upstream: string, request: Passing): Promise<Answer> {
  const { Entries } = JSON.parse(request.body) as Put;
  const kept = Entries.slice(0, Entries.length > 1 ? 1 : 0);
  const answer =
    kept.length > 0 ? await forward(upstream, { ...request, body: JSON.stringify({ Entries: kept }) }) : null;
  const taken = answer ? (JSON.parse(answer.body) as PutReply).Entries : [];
  const failed = Entries.slice(kept.length).map(() => ({ ErrorCode: "InternalFailure", ErrorMessage: "injected" }));
  return awsAnswer(200, { FailedEntryCount: failed.length, Entries: [...taken, ...failed] });
}

/** Serves in front of the bus (EventBridge PutEvents). */
export function busEdge(upstream: string, plan: Pick<FaultPlan, "pass" | "refuse">): Promise<Listening> {
  const refuse = refusals(plan, "bus");
  const isPut = (request: Passing): boolean => operationOf(request) === "PutEvents";
  return edge("bus", plan, async (request) => {
    const refusal = isPut(request) ? refuse(request, true) : null;
    if (refusal?.stage === "before") return OUT_OF_ORDER;
    if (refusal?.stage === "part") return putPart(upstream, request);
    const answer = await forward(upstream, request);
    return refusal ? OUT_OF_ORDER : answer;
  });
}
