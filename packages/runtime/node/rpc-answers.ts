/** A call of a JSON-RPC batch. */
export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What a node said to one call. */
export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: number; readonly message: string };

/** What a reply's body holds: an answer to each call in their order, or why there is none. */
export type Reading =
  | { readonly kind: "answers"; readonly answers: readonly Answer[] }
  /** The node would not answer the calls as they came; fewer at once may pass. */
  | { readonly kind: "refused"; readonly problem: string }
  /** This is no answer of a JSON-RPC node at work. */
  | { readonly kind: "broken"; readonly problem: string };

/**
 * How nodes and the gateways before them say "not now" or "not so many" to a call. There is one code for it in EIP-1474
 * (-32005); the others are of providers. The texts are for those that use a common code.
 */
const REFUSAL_CODES: ReadonlySet<number> = new Set([-32_005, -32_014, -32_016, -32_029, -32_090, -32_097, 429]);
const REFUSAL =
  /rate.?limit|too many|(request|call|credit|capacity|compute).{0,20}(limit|exceed)|quota|throttl|\bbatch\b|try again later|overloaded/i;
// What a contract says is not what the node says.
const OF_A_CONTRACT = /revert/i;
const EXECUTION = 3;

/** Answers that a call gets by itself even where the node does not say to which: the method or its parameters are unknown to it. */
const OF_THE_CALL: ReadonlySet<number> = new Set([-32_601, -32_602]);

/**
 * Reads the body of a reply to `count` calls, which were sent with the ids 0 to `count` - 1: as one object when it is one
 * call, else as a batch. A refusal is never an answer, whether it is said of the whole or of one call.
 * Source: JSON-RPC 2.0, 5 and 6; EIP-1474.
 */
export function readReply(text: string, count: number): Reading {
  const body = parsed(text);
  if (Array.isArray(body)) return batchOf(body, count);
  if (!isObject(body)) return { kind: "broken", problem: "no JSON-RPC answer" };
  if (!("error" in body && body.error !== null)) {
    if (count === 1 && "result" in body) return { kind: "answers", answers: [{ ok: true, result: body.result }] };
    return { kind: "broken", problem: "no JSON-RPC answer" };
  }
  const error = errorOf(body.error);
  if (error === null) return { kind: "broken", problem: `error ${String(JSON.stringify(body.error)).slice(0, 200)}` };
  const mine = count === 1 && ((body.id ?? null) !== null || OF_THE_CALL.has(error.code));
  if (mine && !isRefusal(error)) return { kind: "answers", answers: [error] };
  return { kind: "refused", problem: told(error) };
}

function batchOf(body: readonly unknown[], count: number): Reading {
  const replies = body.filter(isObject);
  const byId = new Map(replies.map((one) => [one.id, one]));
  const answers: Answer[] = [];
  for (let id = 0; id < count; id++) {
    const one = byId.get(id);
    if (!one) {
      const whole = replies.map((reply) => errorOf(reply.error)).find((error) => error !== null);
      if (whole) return { kind: "refused", problem: told(whole) };
      return { kind: "broken", problem: `the batch lacks answer ${id}` };
    }
    const error = "error" in one && one.error !== null ? errorOf(one.error) : undefined;
    if (error === null || (error === undefined && !("result" in one)))
      return { kind: "broken", problem: `answer ${id} of the batch is no JSON-RPC answer` };
    if (error && isRefusal(error)) return { kind: "refused", problem: told(error) };
    answers.push(error ?? { ok: true, result: one.result });
  }
  return { kind: "answers", answers };
}

type Failure = Extract<Answer, { readonly ok: false }>;

const told = ({ code, message }: Failure): string => `error ${code}: ${message}`;

const isRefusal = ({ code, message }: Failure): boolean =>
  code !== EXECUTION && !OF_A_CONTRACT.test(message) && (REFUSAL_CODES.has(code) || REFUSAL.test(message));

/** Returns the error object of a reply; null when it is none, as where a gateway answers in the node's place. */
function errorOf(error: unknown): Failure | null {
  if (!isObject(error) || error.code === undefined || !Number.isFinite(Number(error.code))) return null;
  return { ok: false, code: Number(error.code), message: String(error.message).slice(0, 200) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // an HTML page of a proxy: the caller judges it
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
