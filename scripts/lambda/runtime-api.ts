import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { listen, readBody } from "#host/http";

/** What a function made of an event: its reply as JSON text, or the error that it reported. */
export type Invoked =
  | { readonly kind: "reply"; readonly body: string }
  | { readonly kind: "error"; readonly type: string; readonly message: string };

/** The function never became ready: its module threw, or the process ended. */
export class InitError extends Error {
  override name = "InitError";
}

/** Lambda's Runtime API for one process of one function, on loopback. */
export interface RuntimeApi {
  /** "127.0.0.1:port", as AWS_LAMBDA_RUNTIME_API has it. */
  readonly address: string;
  /** Resolves when the function first asks for an event: it is initialised. @throws InitError */
  readonly ready: Promise<void>;
  /** Hands the function an event and resolves with what it made of it. */
  invoke(event: unknown, timeoutSeconds: number): Promise<Invoked>;
  /** Ends everything that waits with an error: the process is gone. */
  fail(reason: string): void;
  close(): Promise<void>;
}

interface Waiting {
  readonly id: string;
  readonly body: string;
  readonly timeoutSeconds: number;
  readonly settle: (outcome: Invoked) => void;
}

interface State {
  readonly arn: string;
  readonly events: Waiting[];
  readonly running: Map<string, Waiting>;
  asked: ServerResponse | null;
  readonly ready: PromiseWithResolvers<void>;
}

const PREFIX = "/2018-06-01/runtime/";

/** Starts the API. `functionName` is in the ARN that the function is told. Source: AWS Lambda, "Using the Lambda runtime API". */
export async function startRuntimeApi(functionName: string): Promise<RuntimeApi> {
  const state: State = {
    arn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    events: [],
    running: new Map(),
    asked: null,
    ready: Promise.withResolvers<void>(),
  };
  state.ready.promise.catch(() => undefined); // whoever waits for it is told; nobody need wait
  const server = await listen((request, response) => {
    answer(state, request, response).catch((error: Error) => response.writeHead(500).end(error.message));
  });
  const ended: Invoked = { kind: "error", type: "Runtime.ExitError", message: "the process ended" };
  return {
    address: `127.0.0.1:${server.port}`,
    ready: state.ready.promise,
    invoke: (event, timeoutSeconds) =>
      new Promise((settle) => {
        state.events.push({ id: randomUUID(), body: JSON.stringify(event), timeoutSeconds, settle });
        deliver(state);
      }),
    fail: (reason) => {
      state.ready.reject(new InitError(reason));
      for (const waiting of [...state.events.splice(0), ...state.running.values()])
        waiting.settle({ ...ended, message: reason });
      state.running.clear();
    },
    close: () => server.close(),
  };
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "").replace(PREFIX, "");
  if (request.method === "GET" && path === "invocation/next") {
    state.asked = response;
    state.ready.resolve();
    deliver(state);
    return;
  }
  const body = await readBody(request);
  if (path === "init/error") {
    const { errorType = "", errorMessage = body } = JSON.parse(body) as { errorType?: string; errorMessage?: string };
    state.ready.reject(new InitError(`${errorType}: ${errorMessage}`));
  } else {
    const [, id = "", what] = /^invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    const waiting = state.running.get(id);
    if (!waiting) return void response.writeHead(404).end();
    state.running.delete(id);
    waiting.settle(what === "response" ? { kind: "reply", body } : errorIn(body));
  }
  response.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}');
}

function errorIn(body: string): Invoked {
  const { errorType = "Error", errorMessage = body } = JSON.parse(body) as {
    errorType?: string;
    errorMessage?: string;
  };
  return { kind: "error", type: errorType, message: errorMessage };
}

/** Gives the function that asks the event that waits, when there are both. */
function deliver(state: State): void {
  const { asked } = state;
  if (asked === null) return;
  const next = state.events.shift();
  if (!next) return;
  state.asked = null;
  state.running.set(next.id, next);
  asked
    .writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": next.id,
      "lambda-runtime-deadline-ms": String(Date.now() + next.timeoutSeconds * 1000),
      "lambda-runtime-invoked-function-arn": state.arn,
      "lambda-runtime-trace-id": `Root=1-${next.id.slice(0, 8)}-${next.id.replaceAll("-", "").slice(8)};Sampled=0`,
    })
    .end(next.body);
}
