import * as z from "zod";
import { type Instant, instant } from "#units/time";
import type { OkxClient } from "./client.ts";
import { VenueError, VenueShapeError } from "./errors.ts";
import { isGone } from "./reply.ts";
import { parsed } from "./rows.ts";

export interface Params {
  readonly [name: string]: string | boolean | readonly Params[];
}
export type Call = (params: never) => Promise<unknown>;

const PAGE = 100;

const Rows = z.object({ data: z.array(z.unknown()) });
const Time = z.object({ ts: z.string().regex(/^\d{13}$/) });

/**
 * Runs a call and returns its rows. When the venue finds the request's time off by more than 30 s (a machine's clock, or
 * the virtual clock of a replay that jumped), the clock is read once and the call made once more: 50102 means that it was
 * not accepted, so this repeats nothing.
 */
export async function rowsOf(
  client: OkxClient,
  call: Call,
  params: Params | readonly Params[] = {},
): Promise<unknown[]> {
  const run = async () => parsed("reply", Rows, await call.call(client, params as never)).data;
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof VenueError) || error.code !== "50102") throw error;
    await readClock(client);
    return await run();
  }
}

/** Reads the venue's clock and signs by it from here on. */
export async function readClock(client: OkxClient): Promise<Instant> {
  const { data } = parsed("time", Rows, await client.publicGetPublicTime());
  const ms = Number(parsed("time", Time, data[0]).ts);
  client.options.timeDifference = Date.now() - ms;
  return instant(ms);
}

/** OKX cuts pages by id, newest first; `cursor` reads the id at which the next page begins. */
export async function pages<T>(
  client: OkxClient,
  call: Call,
  params: Params,
  read: (row: unknown) => T,
  cursor: (row: T) => string,
): Promise<T[]> {
  const all: T[] = [];
  for (let after: string | undefined; ; ) {
    const rows = await rowsOf(client, call, {
      ...params,
      limit: String(PAGE),
      ...(after === undefined ? {} : { after }),
    });
    const page = rows.map(read);
    all.push(...page);
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return all;
    const next = cursor(last);
    if (next === after) throw new VenueShapeError("pages", `the cursor stays at ${next}`);
    after = next;
  }
}

/** Returns `read` of a call's rows, or `gone` when the venue says that there is no such order. */
export async function unlessGone<T>(
  operation: "cancel" | "query",
  call: () => Promise<unknown[]>,
  read: (rows: unknown[]) => T,
  gone: T,
): Promise<T> {
  try {
    return read(await call());
  } catch (error) {
    if (error instanceof VenueError && isGone(error, operation)) return gone;
    throw error;
  }
}
