import type { Reply } from "#doubles/venue/reply";
import type { PaperEngine } from "#doubles/venue/venue";
import { decimalOf } from "#units/decimal";
import type { Request, Response } from "./doors.ts";
import { START } from "./market.ts";
import type { VenueFault } from "./schedule.ts";
import type { Scheduler } from "./scheduler.ts";

const [BELOW, ABOVE] = [decimalOf("0.96"), decimalOf("1.04")];
const PREFIX = "/api/v5/";

/** A request of the desk and what the venue made of it. */
export interface Exchanged {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly rows: readonly unknown[];
  /** Of the row where there is one, else of the envelope. */
  readonly code: string;
}

const envelope = (code: string, data: readonly unknown[], status = 200): Response => ({
  status,
  text: JSON.stringify({ code, msg: code === "0" ? "" : "injected", data }),
});
const inRow = (code: string): Response =>
  envelope("1", [{ ordId: "", algoId: "", clOrdId: "", sCode: code, sMsg: "injected" }]);
const textOf = ({ status, code, msg, data }: Reply): Response => ({
  status,
  text: JSON.stringify({ code, msg, data }),
});
const codeOf = ({ code, data }: Reply): string => {
  const own = (data[0] as { sCode?: string } | undefined)?.sCode;
  return own === undefined || own === "0" ? code : own;
};

/** Answers of a gateway or of the venue in place of its own. */
const INSTEAD: Partial<Record<string, Response>> = {
  "429": envelope("50011", [], 429),
  "502": { status: 502, text: "<html><title>502</title></html>" },
  "50061": inRow("50061"),
};
const AFTER: Partial<Record<string, Response>> = {
  "502-after": { status: 502, text: "<html><title>502</title></html>" },
  "50004-after": envelope("50004", []),
};

/** Who hears of what passes. */
export interface Hears {
  seen(exchanged: Exchanged): void;
  told(exchanged: Exchanged): void;
  /** A fault struck, in the reply or on the way; not: the price. */
  struck(name: string, isReply: boolean): void;
}

interface Carried {
  readonly response: Response;
  readonly exchanged: Exchanged | null;
}

class ConnectionReset extends Error {
  override name = "ConnectionReset";
}

/**
 * Returns the way to the venue: each request takes its time there and back, is carried out by the engine, and is struck by
 * the faults of the schedule. `seen` hears of each that was carried out, at that instant; `told` of each answer that arrives.
 */
export function wayToVenue(
  scheduler: Scheduler,
  engine: PaperEngine,
  faults: readonly VenueFault[],
  hears: Hears,
): (request: Request) => Promise<Response> {
  const left = faults.map((fault) => ({ fault, times: fault.times }));
  const last = new Map<string, Reply>();
  /** The mark is beyond the stop as soon as the order is filled, before a stop can be there. */
  const gap = ({ body, code }: Exchanged): void => {
    if (code === "0") engine.part(String(body.instId), body.side === "buy" ? BELOW : ABOVE, decimalOf("1"));
  };
  const strike = (method: string, path: string): VenueFault | null => {
    const second = (scheduler.now() - START) / 1000;
    const found = left.find(
      ({ fault, times }) => times > 0 && fault.method === method && fault.path === path && second >= fault.fromS,
    );
    if (found === undefined) return null;
    found.times -= 1;
    const isReply = found.fault.kind !== "gap";
    hears.struck(isReply ? `reply: ${found.fault.kind}` : "a gap right after an order", isReply);
    hears.struck(`request: ${method} ${path}`, isReply);
    return found.fault;
  };
  return async ({ method, url, headers, body }) => {
    const path = url.pathname.slice(PREFIX.length);
    const fault = strike(method, path);
    const kind = fault?.kind ?? "";
    const carryOut = (): { reply: Reply; exchanged: Exchanged } => {
      const target = `${url.pathname}${url.search}`;
      const earlier = kind === "stale" ? last.get(target) : undefined;
      const reply = earlier ?? engine.ask({ method, target, headers, body });
      if (method === "GET") last.set(target, reply);
      const fields = body === "" ? {} : (JSON.parse(body) as Record<string, unknown>);
      const exchanged = { method, path, query: url.searchParams, body: fields, rows: reply.data, code: codeOf(reply) };
      if (earlier === undefined) hears.seen(exchanged);
      return { reply, exchanged };
    };
    const [there, back] = [5 + scheduler.random() * 120, 5 + scheduler.random() * 120];
    const carried = (): Carried => {
      if (kind === "lost") throw new ConnectionReset();
      if (kind === "late") {
        scheduler.at(scheduler.now() + 300 + scheduler.random() * 25_000, () => {
          const { exchanged } = carryOut();
          scheduler.note(`${method} ${path} arrives late: ${exchanged.code}`);
        });
        throw new ConnectionReset();
      }
      const instead = INSTEAD[kind] ?? (kind === "50004" ? envelope("50004", []) : undefined);
      if (instead !== undefined) return { response: instead, exchanged: null };
      const { reply, exchanged } = carryOut();
      if (kind === "twice") carryOut();
      if (kind === "gap") gap(exchanged);
      if (kind === "lost-after") throw new ConnectionReset();
      const after = AFTER[kind];
      if (after !== undefined) return { response: after, exchanged: null };
      const response = textOf(reply);
      if (kind === "garbled") return { response: { ...response, text: response.text.slice(0, -9) }, exchanged: null };
      return { response, exchanged };
    };
    const answer = await scheduler.ask(`${method} ${path}`, there, back, carried, kind === "" ? "" : `: ${kind}`);
    if (answer.exchanged !== null) hears.told(answer.exchanged);
    return answer.response;
  };
}
