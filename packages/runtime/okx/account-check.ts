import * as z from "zod";
import {
  type AccountFacts,
  type AccountWanted,
  type Assertion,
  judgeAccount,
  type Refused,
} from "#trading/account-check";
import type { OkxClient } from "./client.ts";
import { VenueError, VenueShapeError } from "./errors.ts";
import { submitReplyOf } from "./reply.ts";
import { parsed } from "./rows.ts";
import type { TdMode } from "./td-mode.ts";

/** Whose account is checked, and how. */
export interface CheckedAccount extends AccountWanted {
  readonly tdMode: TdMode;
  readonly mode: AccountFacts["mode"];
  /** Whether this machine's clock is compared with the venue's. */
  readonly compareClock: boolean;
}

type Call = (params: Record<string, string | boolean>) => Promise<unknown>;
type Rows = (call: Call, params?: Record<string, string>) => Promise<unknown[]>;

const Config = z.object({
  uid: z.string(),
  posMode: z.string(),
  acctLv: z.string(),
  perm: z.string().default(""),
  ip: z.string().default(""),
});
const Time = z.object({ ts: z.string().regex(/^\d{13}$/) });
const Status = z.object({ title: z.string(), state: z.string(), env: z.string(), serviceType: z.string() });

/** Trading, in whole or in part. 0 is WebSocket, 6 block trading, 7 bots, 10 spreads, 11 copies. Source: OKX v5, "Status". */
const TRADING_SERVICES: readonly string[] = ["5", "8", "9", "99"];
const ENVIRONMENT = { live: "1", demo: "2" } as const;

/**
 * Returns what start-up asserts of the key, its account and the venue. A key that is refused is one assertion, `key`, and the
 * only one. How much the account could trade in the trade mode is asked for its refusal alone: no order is needed to learn it.
 * @throws VenueError when the venue does not answer; VenueShapeError.
 */
export async function assertionsOf(
  client: OkxClient,
  rows: Rows,
  account: CheckedAccount,
  instrument: string,
): Promise<Assertion[]> {
  const config = await configOf(client, rows);
  if ("verdict" in config) return [config];
  const { uid, posMode, acctLv, perm, ip } = config;
  const [refused, skewMs, ongoing] = await Promise.all([
    tdModeRefusal(client, rows, account, instrument),
    account.compareClock ? skewOf(client, rows) : null,
    ongoingOf(client, rows, account),
  ]);
  const facts: AccountFacts = {
    ...{ mode: account.mode, uid, acctLv, posMode, ip: ip.trim(), skewMs, ongoing },
    perm: perm
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean),
    tdMode: { wanted: account.tdMode, refused },
  };
  return judgeAccount(facts, account);
}

async function configOf(client: OkxClient, rows: Rows): Promise<z.output<typeof Config> | Assertion> {
  try {
    const [row] = await rows(client.privateGetAccountConfig);
    return parsed("account", Config, row);
  } catch (error) {
    if (!(error instanceof VenueError)) throw error;
    const refused = refusalOf(error);
    if (refused === null) throw error;
    const { verdict, code, reason } = refused;
    const next =
      code === "50101"
        ? "it is a key of the other environment: give demo keys to demo, live to live"
        : "look at the key and its account at OKX";
    return { name: "key", verdict, says: `${code} ${reason}`, next, refused };
  }
}

/** Returns what an error says of the key or the account, by the class of its code; null when it says nothing of them. */
function refusalOf(error: VenueError): Refused | null {
  const reply = submitReplyOf(error); // what is asked is whether an order could be placed
  if (reply.kind !== "halt" && reply.kind !== "frozen") return null;
  return { verdict: reply.kind === "halt" ? "halt" : "freeze", code: reply.code, reason: reply.reason };
}

async function tdModeRefusal(
  client: OkxClient,
  rows: Rows,
  { tdMode }: CheckedAccount,
  instrument: string,
): Promise<Refused | null> {
  try {
    await rows(client.privateGetAccountMaxSize, { instId: instrument, tdMode });
    return null;
  } catch (error) {
    if (!(error instanceof VenueError)) throw error;
    const refused = refusalOf(error);
    // Refused for what was asked, such as an instrument that is not listed: the placement will say so itself.
    if (refused === null && submitReplyOf(error).kind !== "rejected") throw error;
    return refused;
  }
}

/** Returns what a question gave, or null when the venue has no answer to it: then it is not known, and nothing is concluded. */
async function known<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof VenueError || error instanceof VenueShapeError) return null;
    throw error;
  }
}

/** By the middle of the request: half of the way is the network's. */
const skewOf = (client: OkxClient, rows: Rows): Promise<number | null> =>
  known(async () => {
    const began = Date.now();
    const [row] = await rows(client.publicGetPublicTime);
    return Math.round((began + Date.now()) / 2 - Number(parsed("time", Time, row).ts));
  });

const ongoingOf = (client: OkxClient, rows: Rows, { mode }: CheckedAccount): Promise<string[] | null> =>
  known(async () => {
    const found = (await rows(client.publicGetSystemStatus, { state: "ongoing" })).map((row) =>
      parsed("status", Status, row),
    );
    return found
      .filter(
        ({ state, env, serviceType }) =>
          state === "ongoing" && env === ENVIRONMENT[mode] && TRADING_SERVICES.includes(serviceType),
      )
      .map(({ title }) => title);
  });
