import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { FullBlock } from "#chain/block";
import type { Laptop } from "#local/laptop";
import { type LogLine, useSink } from "#runtime/log";
import { provide } from "#runtime/services";
import { chainNode, tinyChain } from "#testing/chain/chain-node";
import { testDesk } from "#testing/desk";
import { METRICS_NAMESPACE } from "#topology/metrics";
import { instant } from "#units/time";

// As Lambda runs it: whether values are written is decided when the modules are loaded.
vi.hoisted(() => {
  vi.stubEnv("AWS_LAMBDA_FUNCTION_NAME", "dev-spyhop-watch-head");
  vi.stubEnv("STAGE", "dev");
});

let chain: FullBlock[] = [];
let desk: Laptop;
beforeAll(async () => {
  desk = await testDesk({ env: { HEAD_POLL_SECONDS: "0" }, secrets: new Map() });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await desk.close();
});

/** Runs watch-head and returns the ages of the head that it wrote for CloudWatch. */
async function ages(): Promise<unknown[]> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await desk.runSchedule("watch-head", instant(Math.floor(Date.now() / 1000) * 1000)).catch(() => undefined);
  } finally {
    spy.mockRestore();
  }
  const lines = written
    .join("")
    .split("\n")
    .filter((line) => line.includes(METRICS_NAMESPACE));
  return lines.map((line) => JSON.parse(line)).filter((line) => "HeadAgeSeconds" in line);
}

test("the age of the nodes' newest block is measured at every look, and nothing when no node answers", async () => {
  chain = tinyChain(Math.floor(Date.now() / 1000) - 12 * 6 - 3600, 6);
  const node = chainNode(
    () => chain,
    () => 0,
    () => [],
  );
  provide("rpc", node);
  // An hour old, also where it is not new to the desk and nothing follows from it.
  for (let run = 0; run < 2; run++) {
    const [line, ...more] = (await ages()) as { HeadAgeSeconds: number; job: string; stage: string }[];
    expect(more).toEqual([]);
    expect(line).toMatchObject({ job: "watch-head", stage: "dev" });
    expect(line?.HeadAgeSeconds).toBeGreaterThan(3500);
    expect(line?.HeadAgeSeconds).toBeLessThan(3700);
  }
  provide("rpc", { ...node, heads: () => Promise.reject(new Error("nobody answers")) });
  const lines: LogLine[] = [];
  useSink((line) => lines.push(line));
  expect(await ages()).toEqual([]);
  useSink(null);
  expect(lines).toMatchObject([{ level: "error", message: "watch-head: run failed", reason: "nobody answers" }]);
});
