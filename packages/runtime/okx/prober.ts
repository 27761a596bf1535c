import * as z from "zod";
import { type OkxClient, type OkxClientConfig, okxClient } from "./client.ts";
import { VenueError } from "./errors.ts";
import { type Call, type Params, readClock, rowsOf } from "./requests.ts";

/** A row as the venue gave it; every value is text. */
export type ProbeRow = z.output<typeof Row>;
const Row = z.record(z.string(), z.unknown());

/** What the venue said to one request. `code` is its own, "0" when it did as it was asked; null = no readable answer came. */
export interface ProbeAnswer {
  readonly code: string | null;
  readonly reason: string;
  readonly rows: readonly ProbeRow[];
}

/** What a check of an account may ask, by name. */
const QUESTIONS = {
  leverage: (client: OkxClient) => client.privateGetAccountLeverageInfo,
  position: (client: OkxClient) => client.privateGetAccountPositions,
  limits: (client: OkxClient) => client.publicGetPublicPriceLimit,
  order: (client: OkxClient) => client.privateGetTradeOrder,
  orders: (client: OkxClient) => client.privateGetTradeOrdersPending,
  algos: (client: OkxClient) => client.privateGetTradeOrdersAlgoPending,
  place: (client: OkxClient) => client.privatePostTradeOrder,
  cancel: (client: OkxClient) => client.privatePostTradeCancelOrder,
  placeAlgo: (client: OkxClient) => client.privatePostTradeOrderAlgo,
  cancelAlgos: (client: OkxClient) => client.privatePostTradeCancelAlgos,
  cancelAllAfter: (client: OkxClient) => client.privatePostTradeCancelAllAfter,
} as const satisfies Record<string, (client: OkxClient) => Call>;
export type ProbeQuestion = keyof typeof QUESTIONS;

export type ProbeFields = Readonly<Record<string, string | boolean | readonly Readonly<Record<string, string>>[]>>;

/** The venue as a check asks it: each answer by its code, whatever it is. */
export interface Prober {
  ask(question: ProbeQuestion, fields: ProbeFields | readonly ProbeFields[]): Promise<ProbeAnswer>;
  /** Returns the venue's clock, in ms. @throws VenueError */
  now(): Promise<number>;
}

/**
 * Returns the venue for checks. In live it refuses whatever would change something.
 * @throws VenueGuardError when host, mode and key do not belong together, and for such a request.
 */
export function okxProber(config: Omit<OkxClientConfig, "checks">): Prober {
  const client = okxClient({ ...config, checks: true });
  return {
    ask: async (question, fields) => {
      try {
        const rows = await rowsOf(client, QUESTIONS[question](client), fields as Params);
        return { code: "0", reason: "", rows: rows.map((row) => Row.parse(row)) };
      } catch (error) {
        if (!(error instanceof VenueError)) throw error;
        return { code: error.code, reason: error.reason, rows: [] };
      }
    },
    now: async () => Date.parse(await readClock(client)),
  };
}
