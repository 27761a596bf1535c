import { randomBytes } from "node:crypto";
import { InterruptedError } from "#host/cli";
import { type OkxExchangeConfig, okxExchange } from "#runtime/okx/exchange";
import { okxProber } from "#runtime/okx/prober";
import type { Policy } from "#trading/plans/policy";
import { problemOf } from "../problem.ts";
import { assertionFindings, hostFinding, leverageFinding, listedAt } from "./account-checks.ts";
import type { Bench } from "./bench.ts";
import { type Finding, findingOf, type OrderCheck, unlearnt } from "./check.ts";
import { occupied, orderChecks } from "./order-checks.ts";
import { tidy } from "./tidy.ts";

/** What a check of the venue is given. */
export interface ExchangeCheck {
  readonly venue: OkxExchangeConfig;
  readonly policy: Policy;
  readonly instrument: string;
  /** Whether orders are posted too; in demo alone. */
  readonly orders: boolean;
  readonly signal: AbortSignal;
  /** Resolves after so many ms, or at once when the run is interrupted. */
  readonly pause: (ms: number) => Promise<void>;
  /** Told of each finding as it is made. */
  readonly tell: (finding: Finding) => void;
}

/** What a check found. */
export interface ExchangeChecked {
  readonly venue: string;
  readonly host: string;
  readonly mode: string;
  readonly instrument: string;
  readonly orders: boolean;
  readonly findings: readonly Finding[];
  /** What the run made and could not take away again. */
  readonly left: readonly string[];
  readonly interrupted: boolean;
}

/** Orders are tried in demo alone. Nothing was asked. */
export class OrdersInLiveError extends Error {
  override name = "OrdersInLiveError";
  constructor() {
    super(
      "these are keys of live, and a check posts orders in demo alone: nothing was asked. " +
        "Without --orders it reads what the key may do; with keys of demo --orders tries the rest",
    );
  }
}

/** Returns whether something that the desk goes by is not as it assumes, is not known, or was left behind. */
export const needsPerson = ({ findings, left }: ExchangeChecked): boolean =>
  left.length > 0 || findings.some(({ reliedOn, verdict }) => reliedOn && verdict !== "pass");

const never = (check: OrderCheck, why: string): Finding => ({
  ...findingOf(check, unlearnt(why)),
  means: "it was not tried",
});

/**
 * Checks an account at the venue as the desk uses it: first by reading alone, then, where it is asked for, by orders of the
 * least size, which are taken away again whatever happens. No order is posted where a reading says that the desk would halt.
 * @throws OrdersInLiveError; VenueGuardError when host, mode and key do not belong together; VenueError when the venue does
 * not answer; NoInstrumentError
 */
export async function checkExchange(asked: ExchangeCheck): Promise<ExchangeChecked> {
  const { venue, orders, instrument } = asked;
  if (orders && venue.mode === "live") throw new OrdersInLiveError();
  const findings: Finding[] = [];
  const tell = (finding: Finding): void => {
    findings.push(finding);
    asked.tell(finding);
  };
  const done = (left: readonly string[] = []): ExchangeChecked => ({
    ...{ venue: venue.venue, host: new URL(venue.url).host, mode: venue.mode, instrument, orders },
    ...{ findings, left, interrupted: asked.signal.aborted },
  });
  await readAccount(asked, tell);
  if (!orders) return done();
  const refused = findings.find(({ reliedOn, verdict }) => reliedOn && verdict === "differs");
  if (refused !== undefined) {
    for (const check of orderChecks(venue)) tell(never(check, `no order is sent while ${refused.name} differs`));
    return done();
  }
  return done(await tryOrders(asked, tell));
}

async function readAccount(
  { venue, policy, instrument }: ExchangeCheck,
  tell: (finding: Finding) => void,
): Promise<void> {
  const exchange = okxExchange(venue);
  tell(await hostFinding(exchange, venue));
  const assertions = await assertionFindings(exchange, instrument);
  assertions.forEach(tell);
  if (assertions.some(({ name, verdict }) => name === "key" && verdict === "differs")) return; // nothing else is answered
  tell(await leverageFinding(okxProber(venue), await listedAt(exchange, instrument), venue, policy));
}

/** Tries each order check, and takes away what they made. Returns what is left. */
async function tryOrders(asked: ExchangeCheck, tell: (finding: Finding) => void): Promise<readonly string[]> {
  const { venue, policy, signal, pause } = asked;
  const exchange = okxExchange(venue);
  const bench: Bench = {
    ...{ prober: okxProber(venue), mode: venue.mode, tdMode: venue.tdMode, policy, signal, pause },
    instrument: await listedAt(exchange, asked.instrument),
    quote: await exchange.quote(asked.instrument),
    prefix: `chk${randomBytes(6).toString("hex")}`,
    ...{ ids: 0, opened: false, timed: false, algoIds: new Set<string>(), stop: null },
  };
  const checks = orderChecks(bench);
  const why = await occupied(bench);
  if (why !== null) {
    for (const check of checks) tell(never(check, why));
    return [];
  }
  try {
    for (const check of checks) if (!signal.aborted) tell(await tryOne(bench, check));
  } catch (error) {
    if (!(error instanceof InterruptedError)) {
      await tidy(bench);
      throw error;
    }
  }
  return tidy(bench);
}

/** What cannot be seen is a finding too: the checks after it are made all the same. */
async function tryOne(bench: Bench, check: OrderCheck): Promise<Finding> {
  try {
    return findingOf(check, await check.look(bench));
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return findingOf(check, unlearnt(problemOf(error)));
  }
}
