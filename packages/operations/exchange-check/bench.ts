import { InterruptedError } from "#host/cli";
import type { ProbeAnswer, ProbeFields, ProbeQuestion, ProbeRow, Prober } from "#runtime/okx/prober";
import type { TdMode } from "#runtime/okx/td-mode";
import type { Instrument } from "#trading/instrument";
import type { TradingMode } from "#trading/mode";
import type { Policy } from "#trading/plans/policy";
import type { Quote, Side } from "#trading/venue";
import { big, type Decimal, text } from "#units/decimal";

/** What a run of checks is given, and what it has made so far. */
export interface Bench {
  readonly prober: Prober;
  readonly mode: TradingMode;
  readonly tdMode: TdMode;
  readonly policy: Policy;
  readonly instrument: Instrument;
  readonly quote: Quote;
  readonly signal: AbortSignal;
  readonly pause: (ms: number) => Promise<void>;
  /** Begins every id that this run gives, so that what it made can be told from all else. */
  readonly prefix: string;
  /** How many ids were given. */
  ids: number;
  /** Whether a market order was sent: then a position may be ours. */
  opened: boolean;
  /** Whether the venue's own switch for orders was set. */
  timed: boolean;
  /** Stops that came of this run under an id that it did not give. */
  readonly algoIds: Set<string>;
  /** The stop of the whole position that stands. */
  stop: { readonly id: string; readonly algoId: string } | null;
}

/** Returns a new id of this run. */
export function newId(bench: Bench): string {
  bench.ids += 1;
  return `${bench.prefix}${bench.ids.toString(36).padStart(2, "0")}`;
}

/** Asks the venue, unless the run was interrupted. @throws InterruptedError */
export function ask(
  { prober, signal }: Bench,
  question: ProbeQuestion,
  fields: ProbeFields | readonly ProbeFields[],
): Promise<ProbeAnswer> {
  if (signal.aborted) throw new InterruptedError("what the checks had made was taken away");
  return prober.ask(question, fields);
}

/** Returns the mark times `factor`, on the tick. */
export function priceAt({ quote, instrument }: Bench, factor: string): Decimal {
  const price = big(quote.mark).times(factor);
  return text(price.minus(price.mod(instrument.tickSize)));
}

/** How far from the market what is to rest is put, and how far a stop. */
export const FAR_BELOW = "0.8";
export const FAR_ABOVE = "1.2";

const DEADLINE_MS = 4000;

/** Sends one order of the least size; by default post-only and far below the market, so that nothing can trade. */
export async function place(
  bench: Bench,
  clOrdId: string,
  more: ProbeFields = {},
  expiresInMs = DEADLINE_MS,
): Promise<ProbeAnswer> {
  const { instrument, tdMode } = bench;
  const far = { ordType: "post_only", px: priceAt(bench, FAR_BELOW) } as const;
  const isMarket = more.ordType === "market";
  const expTime = String((await bench.prober.now()) + expiresInMs);
  if (isMarket) bench.opened = true;
  const fields = {
    instId: instrument.id,
    tdMode,
    sz: instrument.minSize,
    side: "buy",
    clOrdId,
    ...(isMarket ? {} : far),
  };
  return ask(bench, "place", { ...fields, ...more, expTime });
}

/** Asks for a stop of the whole position, reduce-only, at market, by the mark. */
export function placeStop(bench: Bench, algoClOrdId: string, side: Side = "sell"): Promise<ProbeAnswer> {
  const { instrument, tdMode } = bench;
  return ask(bench, "placeAlgo", {
    ...{ instId: instrument.id, tdMode, side, ordType: "conditional", closeFraction: "1", reduceOnly: true },
    ...{ slTriggerPx: priceAt(bench, side === "sell" ? FAR_BELOW : FAR_ABOVE), slTriggerPxType: "mark" },
    ...{ slOrdPx: "-1", algoClOrdId },
  });
}

export const cancel = (bench: Bench, clOrdId: string): Promise<ProbeAnswer> =>
  ask(bench, "cancel", { instId: bench.instrument.id, clOrdId });

export const cancelAlgo = (bench: Bench, algoId: string): Promise<ProbeAnswer> =>
  ask(bench, "cancelAlgos", [{ instId: bench.instrument.id, algoId }]);

/** Returns an order as the venue shows it; null when it does not. */
export async function orderAt(bench: Bench, clOrdId: string): Promise<ProbeRow | null> {
  const { rows } = await ask(bench, "order", { instId: bench.instrument.id, clOrdId });
  return rows[0] ?? null;
}

/** Returns the orders of the instrument that rest. @throws CheckQuestionError */
export const resting = ({ prober, instrument }: Pick<Bench, "prober" | "instrument">): Promise<readonly ProbeRow[]> =>
  rowsOf(prober, "orders", { instType: "SWAP", instId: instrument.id });

/** Returns the stops and take-profits of the instrument that wait. @throws CheckQuestionError */
export const waiting = ({ prober, instrument }: Pick<Bench, "prober" | "instrument">): Promise<readonly ProbeRow[]> =>
  rowsOf(prober, "algos", { instType: "SWAP", instId: instrument.id, ordType: "conditional,oco" });

/** Returns the signed contracts that the venue shows. @throws CheckQuestionError */
export async function held({ prober, instrument }: Pick<Bench, "prober" | "instrument">): Promise<Decimal> {
  const rows = await rowsOf(prober, "position", { instType: "SWAP", instId: instrument.id });
  return text(rows.reduce((sum, row) => sum.plus(String(row.pos ?? "") || 0), big(0)));
}

/** A question that had to be answered was not. */
export class CheckQuestionError extends Error {
  override name = "CheckQuestionError";
}

async function rowsOf(prober: Prober, question: ProbeQuestion, fields: ProbeFields): Promise<readonly ProbeRow[]> {
  const { code, reason, rows } = await prober.ask(question, fields);
  if (code === "0") return rows;
  throw new CheckQuestionError(`the venue did not show its ${question}: ${code ?? "no answer"} ${reason}`);
}
