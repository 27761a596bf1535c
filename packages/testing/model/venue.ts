import type { Reply } from "#doubles/venue/reply";
import type { PaperEngine } from "#doubles/venue/venue";
import { big, decimalOf } from "#units/decimal";
import type { Request, Response } from "./doors.ts";
import { INSTRUMENTS, START } from "./market.ts";
import type { Schedule, VenueFault } from "./schedule.ts";
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
  /** Something is about to be traded without the desk. */
  others(instrument: string): void;
}

/** Under which names what is no fault of a reply is counted. */
const STRUCK: Partial<Record<string, string>> = {
  gap: "a gap right after an order",
  clip: "a hand right before a close",
};
export const HIDDEN = "fills that show late by their own time";
export const LATE_BILLS = "bills that show after their balance";

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
  { faults, hidden = null, billLagMs = 0 }: Pick<Schedule, "faults" | "hidden" | "billLagMs">,
  hears: Hears,
): (request: Request) => Promise<Response> {
  const left = faults.map((fault) => ({ fault, times: fault.times }));
  const last = new Map<string, Reply>();
  /** The mark is beyond the stop as soon as the order is filled, before a stop can be there. */
  const gap = ({ body, code }: Exchanged): void => {
    if (code === "0") engine.part(String(body.instId), body.side === "buy" ? BELOW : ABOVE, decimalOf("1"));
  };
  /** Somebody else closes half of what an order is about to close. */
  const clip = ({ instId, side }: Exchanged["body"]): void => {
    const held = big(engine.account.positions.find((one) => one.instId === instId)?.contracts ?? 0);
    const half = held.abs().div(2).round(1, 0);
    if (half.eq(0) || held.gt(0) !== (side === "sell")) return;
    hears.others(String(instId));
    engine.trade({ instId: String(instId), side: side === "sell" ? "sell" : "buy", size: half, cause: "trade" });
  };
  const isFillShown = ({ instId, clOrdId, fillTime }: Readonly<Record<string, string>>): boolean =>
    hidden === null ||
    instId !== INSTRUMENTS[hidden.instrument as 0 | 1].id ||
    clOrdId === "" ||
    Number(fillTime) + hidden.forMs <= scheduler.now();
  const isBillShown = ({ ts }: Readonly<Record<string, string>>): boolean => Number(ts) + billLagMs <= scheduler.now();
  /** Returns what the venue shows of its rows by now. */
  const shown = (path: string, rows: readonly unknown[]): readonly unknown[] => {
    const isFills = path.startsWith("trade/fills");
    if (!isFills && !path.startsWith("account/bills")) return rows;
    const found = (rows as Readonly<Record<string, string>>[]).filter(isFills ? isFillShown : isBillShown);
    if (found.length < rows.length) hears.struck(isFills ? HIDDEN : LATE_BILLS, false);
    return found;
  };
  const strike = (method: string, path: string, reduces: boolean): VenueFault | null => {
    const second = (scheduler.now() - START) / 1000;
    const isDue = ({ fromS, kind, ...of }: VenueFault): boolean =>
      of.method === method && of.path === path && second >= fromS && (kind !== "clip" || reduces);
    const found = left.find(({ fault, times }) => times > 0 && isDue(fault));
    if (found === undefined) return null;
    found.times -= 1;
    const other = STRUCK[found.fault.kind];
    const isReply = other === undefined;
    hears.struck(other ?? `reply: ${found.fault.kind}`, isReply);
    hears.struck(`request: ${method} ${path}`, isReply);
    return found.fault;
  };
  return async ({ method, url, headers, body }) => {
    const path = url.pathname.slice(PREFIX.length);
    const fields = body === "" ? {} : (JSON.parse(body) as Record<string, unknown>);
    const fault = strike(method, path, String(fields.reduceOnly) === "true");
    const kind = fault?.kind ?? "";
    const carryOut = (): { reply: Reply; exchanged: Exchanged } => {
      const target = `${url.pathname}${url.search}`;
      const earlier = kind === "stale" ? last.get(target) : undefined;
      if (kind === "clip") clip(fields);
      const asked = earlier ?? engine.ask({ method, target, headers, body });
      const reply = { ...asked, data: shown(path, asked.data) };
      if (method === "GET") last.set(target, reply);
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
