import { expect, test } from "vitest";
import { asFullBlock } from "#chain/block";
import { randomOf } from "#recording/sample/random";
import { generatedBlock } from "#testing/chain/generated-block";
import { NOBODY, tinyPlan } from "#testing/chain/tiny-recording";
import { type Json, mutate, retold } from "./mutate.ts";
import { type FuzzOptions, fuzzRpc } from "./rpc.ts";

const options: FuzzOptions = {
  ...{ seed: "test", from: 0, count: 300, shared: null },
  signal: new AbortController().signal,
  progress: () => undefined,
};

test("no changed block gives another event, and every refusal has a name; again the same", async () => {
  const first = await fuzzRpc(options);
  expect(first.failures).toEqual([]);
  expect(first.cases).toBe(300);
  expect(first.withEvents).toBeGreaterThan(20);
  expect([...first.refused.keys()].filter((name) => name.startsWith("IntegrityError"))).not.toHaveLength(0);
  expect(await fuzzRpc(options)).toEqual(first);
  const later = await fuzzRpc({ ...options, from: 200, count: 100 });
  expect(later.cases).toBe(100);
  expect(later.accepted).toBeLessThan(first.accepted);
});

test("a client that proves nothing is found out", async () => {
  const ask = async (url: string, method: string): Promise<unknown> => {
    const body = JSON.stringify([{ jsonrpc: "2.0", id: 0, method, params: [] }]);
    const [answer] = (await (await fetch(url, { method: "POST", body })).json()) as { result: unknown }[];
    return answer?.result;
  };
  const open: NonNullable<FuzzOptions["open"]> = (url) => ({
    blockWithReceipts: async () =>
      asFullBlock(await ask(url, "eth_getBlockByHash"), await ask(url, "eth_getBlockReceipts")),
  });
  const { failures } = await fuzzRpc({ ...options, count: 200, open });
  expect(failures.some(({ problem }) => problem.includes("events instead of"))).toBe(true);
  const untyped: NonNullable<FuzzOptions["open"]> = (url) => ({
    blockWithReceipts: async () => ({
      block: (await ask(url, "eth_getBlockByHash")) as never,
      receipts: (await ask(url, "eth_getBlockReceipts")) as never,
    }),
  });
  const broken = await fuzzRpc({ ...options, count: 400, open: untyped });
  expect(broken.failures.some(({ problem }) => problem.startsWith("unnamed"))).toBe(true);
});

test("a change changes something, and a retold block holds together", () => {
  const { block, receipts } = generatedBlock(tinyPlan(7, 1_700_000_000, 4), NOBODY);
  const texts = Array.from({ length: 500 }, (_, i) => {
    const copy = structuredClone({ block, receipts }) as unknown as { block: Json; receipts: Json }; // as the wire has it
    mutate(copy, randomOf("change", String(i)));
    return JSON.stringify(copy);
  });
  // Always JSON: a place that takes another's value takes a copy, or it could hold itself.
  expect(texts).toHaveLength(500);
  expect(texts.filter((text) => text !== JSON.stringify({ block, receipts })).length).toBeGreaterThan(400);
  const hashes = Array.from(
    { length: 50 },
    (_, i) => retold({ block, receipts }, randomOf("retold", String(i))).block.hash,
  );
  expect(new Set(hashes).size).toBeGreaterThan(30);
});
