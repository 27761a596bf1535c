import type { Answer, Call } from "./rpc-answers.ts";
import { BatchRefusedError, ChainIdError, RpcError } from "./rpc-error.ts";
import type { Provider } from "./rpc-provider.ts";

/** Thrown by a reader of answers: this provider's answer is not to be used, another may do better. */
export class UnusableAnswer extends Error {
  override name = "UnusableAnswer";
}

export interface PoolOptions {
  /** Rounds over all providers before giving up. */
  readonly rounds: number;
  readonly backoffMs: number;
  /** Failures in a row that open a provider's breaker, and for how long. */
  readonly breakAfter: number;
  readonly breakMs: number;
  /** How long a provider of another chain is left alone before its chain id is looked at again. */
  readonly wrongChainMs: number;
  /** The longest wait that a Retry-After can ask for. */
  readonly longestWaitMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Called for a provider that serves another chain, each time that this is seen. */
  readonly tell: (wrong: ChainIdError) => void;
}

interface Member {
  readonly provider: Provider;
  failures: number;
  closedUntil: number;
  /** It served another chain when it was last asked. */
  wrong: ChainIdError | null;
}

type Reader<T> = (answers: readonly Answer[], provider: string) => T;

/** Providers in order of preference, with a breaker each. */
export interface Pool {
  /**
   * Asks one provider after another until `read` takes the answers, and returns what it returns. `read` refuses by
   * throwing; an integrity or shape error counts against the provider like an outage. A provider of another chain is left
   * alone for minutes, and then looked at again.
   * @throws the last refusal when nobody's answer was taken; ChainIdError when every provider serves another chain.
   */
  ask<T>(calls: readonly Call[], read: (answers: readonly Answer[], provider: string) => T): Promise<T>;
  /** Asks every provider but the best one that is in service; refusals are left out. Empty with a single provider. */
  others<T>(calls: readonly Call[], read: (answers: readonly Answer[]) => T): Promise<T[]>;
}

export function providerPool(providers: readonly Provider[], options: PoolOptions): Pool {
  const members: Member[] = providers.map((provider) => ({ provider, failures: 0, closedUntil: 0, wrong: null }));
  const usable = () => members.filter((member) => member.wrong === null || member.closedUntil <= options.now());

  const attempt = async <T>(
    member: Member,
    calls: readonly Call[],
    read: (a: readonly Answer[], p: string) => T,
  ): Promise<T> => {
    try {
      const result = read(await member.provider.ask(calls), member.provider.name);
      member.failures = 0;
      member.wrong = null;
      return result;
    } catch (error) {
      blame(member, error, options);
      throw error;
    }
  };

  /** Asks each in turn; the outcomes that are no answer are kept in `refused`. */
  const round = async <T>(turn: readonly Member[], calls: readonly Call[], read: Reader<T>, refused: unknown[]) => {
    for (const member of turn) {
      try {
        return { answer: await attempt(member, calls, read) };
      } catch (error) {
        refused.push(error);
      }
    }
    return null;
  };

  const ask: Pool["ask"] = async (calls, read) => {
    let last: unknown = new RpcError("rpc", calls[0]?.method ?? "", "no provider");
    for (let n = 0, waits = 0; n < options.rounds; waits++) {
      if (waits > 0) await options.sleep(waitOf(usable(), Math.max(1, n), options));
      const turn = turnOf(usable(), options.now());
      if (turn.length === 0) throw members[0]?.wrong ?? last;
      const refused: unknown[] = [];
      const found = await round(turn, calls, read, refused);
      if (found) return found.answer;
      last = refused.at(-1);
      // All of them answered: asking again would not make it be there.
      if (refused.every((error) => error instanceof UnusableAnswer)) throw last;
      // A smaller batch is another question. The size is halved each time, so this ends.
      if (!refused.some((error) => error instanceof BatchRefusedError)) n++;
    }
    throw last;
  };

  const others: Pool["others"] = async (calls, read) => {
    const now = options.now();
    const second = usable()
      .filter((member) => member.closedUntil <= now)
      .slice(1);
    const settled = await Promise.allSettled(second.map((member) => attempt(member, calls, read)));
    return settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  };

  return { ask, others };
}

/** Returns those in service; with every breaker open, the one that closes first rather than nobody. */
function turnOf(members: readonly Member[], now: number): Member[] {
  const open = members.filter((member) => member.closedUntil <= now);
  return open.length > 0 ? open : [...members].sort((a, b) => a.closedUntil - b.closedUntil).slice(0, 1);
}

function blame(member: Member, error: unknown, options: PoolOptions): void {
  if (error instanceof ChainIdError) {
    member.wrong = error;
    member.closedUntil = options.now() + options.wrongChainMs;
    options.tell(error);
    return;
  }
  member.wrong = null; // it does not answer as of another chain
  if (error instanceof UnusableAnswer) return; // it answered; the answer was only not there
  if (!(error instanceof BatchRefusedError)) member.failures += 1;
  const asked = error instanceof RpcError ? error.retryAfterMs : null;
  if (asked !== null) member.closedUntil = options.now() + Math.min(asked, options.longestWaitMs);
  else if (member.failures >= options.breakAfter) member.closedUntil = options.now() + options.breakMs;
}

/** Returns the pause before a round: what Retry-After asks of the first that will be free, else the doubled backoff. */
function waitOf(members: readonly Member[], round: number, { backoffMs, longestWaitMs, now }: PoolOptions): number {
  const backoff = backoffMs * 2 ** (round - 1);
  const free = Math.min(...members.map((member) => member.closedUntil)) - now();
  return Math.min(Math.max(backoff, free), longestWaitMs);
}
