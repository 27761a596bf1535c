import { expect, test } from "vitest";
import { BatchRefusedError, ChainIdError, RpcError } from "./rpc-error.ts";
import { type Pool, providerPool, UnusableAnswer } from "./rpc-pool.ts";
import type { Provider } from "./rpc-provider.ts";

// The pool alone, over providers that do as they are told; over real HTTP it is held in rpc.test.ts.

const CALLS = [{ method: "eth_blockNumber", params: [] }];
type Act = "ok" | Error;

/** A provider that does what stands next in `acts`, and answers once there is no more. */
function provider(name: string, ...acts: Act[]): Provider & { asked: number } {
  const self = {
    name,
    asked: 0,
    ask: async () => {
      self.asked += 1;
      const act = acts.shift() ?? "ok";
      if (act !== "ok") throw act;
      return [{ ok: true as const, result: name }];
    },
  };
  return self;
}

const down = () => new RpcError("host", "eth_blockNumber", "503", 503);
const busy = (ms: number) => new RpcError("host", "eth_blockNumber", "429", 429, ms);
const large = () => new BatchRefusedError("host", "eth_blockNumber", "too many");

function poolOf(...providers: readonly Provider[]) {
  const slept: number[] = [];
  const world = { ms: 0, slept };
  const sleep = async (ms: number): Promise<void> => {
    slept.push(ms);
    world.ms += ms;
  };
  const pool = providerPool(providers, {
    ...{ rounds: 3, backoffMs: 250, breakAfter: 3, breakMs: 30_000, wrongChainMs: 600_000, longestWaitMs: 10_000 },
    ...{ now: () => world.ms, sleep, tell: () => undefined },
  });
  return { pool, world };
}
const ask = (pool: Pool): Promise<unknown> => pool.ask(CALLS, ([answer]) => (answer?.ok ? answer.result : null));

test("a breaker counts failures in a row: an answer between them begins anew", async () => {
  const shaky = provider("shaky", down(), down(), "ok", down(), down(), "ok");
  const { pool } = poolOf(shaky, provider("other"));
  const said: unknown[] = [];
  for (let i = 0; i < 6; i++) said.push(await ask(pool));
  expect(said).toEqual(["other", "other", "shaky", "other", "other", "shaky"]);
});

test("the third failure in a row opens it, for as long as it says", async () => {
  const dead = provider("dead", down(), down(), down());
  const { pool, world } = poolOf(dead, provider("other"));
  for (let i = 0; i < 5; i++) await ask(pool);
  expect(dead.asked).toBe(3);
  world.ms = 29_999;
  expect(await ask(pool)).toBe("other");
  world.ms = 30_000;
  expect(await ask(pool)).toBe("dead");
});

test("a batch that was refused for its size is no failure, however often: a smaller one may pass", async () => {
  const small = provider("small", large(), large(), large(), large(), large(), "ok");
  const { pool, world } = poolOf(small);
  expect(await ask(pool)).toBe("small");
  expect(small.asked).toBe(6);
  expect(world.ms).toBeLessThan(30_000);
});

test("what a node asks for in Retry-After is waited for, up to the longest wait", async () => {
  const short = poolOf(provider("busy", busy(2000)));
  expect(await ask(short.pool)).toBe("busy");
  expect(short.world.slept).toEqual([2000]);
  const greedy = poolOf(provider("greedy", busy(3_600_000)));
  expect(await ask(greedy.pool)).toBe("greedy");
  expect(greedy.world.slept).toEqual([10_000]);
});

test("it is closed no longer than the longest wait either, when others answered meanwhile", async () => {
  const greedy = provider("greedy", busy(3_600_000));
  const { pool, world } = poolOf(greedy, provider("other"));
  expect(await ask(pool)).toBe("other");
  world.ms = 9_999;
  expect(await ask(pool)).toBe("other");
  world.ms = 10_000;
  expect(await ask(pool)).toBe("greedy");
});

test("where all asked for time, the first that will be free is waited for", async () => {
  const [late, soon] = [provider("late", busy(9000)), provider("soon", busy(4000))];
  const { pool, world } = poolOf(late, soon);
  expect(await ask(pool)).toBe("soon");
  expect([late.asked, soon.asked, world.slept]).toEqual([1, 2, [4000]]);
});

test("with every breaker open the one that closes first is asked, not nobody", async () => {
  const [late, soon] = [provider("late", down(), down(), down()), provider("soon", down(), down(), down())];
  const { pool } = poolOf(late, soon);
  for (let i = 0; i < 3; i++) expect(await pool.others(CALLS, () => 1)).toEqual([]); // opens the second's
  await expect(ask(pool)).rejects.toMatchObject({ status: 503 }); // opens the first's, later
  expect([late.asked, soon.asked]).toEqual([3, 3]);
  expect(await ask(pool)).toBe("soon");
});

test("others are those in service but the best, and what they refuse is left out", async () => {
  const [best, second, third] = [provider("best"), provider("second"), provider("third", down())];
  const { pool } = poolOf(best, second, third);
  expect(await pool.others(CALLS, ([answer]) => (answer?.ok ? answer.result : null))).toEqual(["second"]);
  expect([best.asked, second.asked, third.asked]).toEqual([0, 1, 1]);
  expect(await poolOf(provider("alone")).pool.others(CALLS, () => 1)).toEqual([]);
});

test("a node of another chain is left alone for its time, and one that then fails otherwise is an outage again", async () => {
  const wrong = () => new ChainIdError("astray", 1, "0x5");
  const astray = provider("astray", wrong(), down(), down(), down(), "ok");
  const { pool, world } = poolOf(astray);
  await expect(ask(pool)).rejects.toBeInstanceOf(ChainIdError);
  await expect(ask(pool)).rejects.toBeInstanceOf(ChainIdError);
  expect(astray.asked).toBe(1);
  world.ms = 600_000;
  await expect(ask(pool)).rejects.toMatchObject({ status: 503 }); // three times: its breaker opens
  expect(await ask(pool)).toBe("astray");
  expect(astray.asked).toBe(5);
});

test("an answer that all have given and nobody can use ends it at once", async () => {
  const [one, two] = [provider("one"), provider("two")];
  const { pool, world } = poolOf(one, two);
  const unusable = pool.ask(CALLS, () => {
    throw new UnusableAnswer("not there");
  });
  await expect(unusable).rejects.toBeInstanceOf(UnusableAnswer);
  expect([one.asked, two.asked, world.slept]).toEqual([1, 1, []]);
});
