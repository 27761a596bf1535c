import type { SQSEvent } from "aws-lambda";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Handler, lambdaContext } from "#local/aws/jobs";
import { healthContract } from "#topology/contracts/health";
import { queue, ROUTES, schedule as scheduleEntry, topology } from "#topology/topology";
import { consume } from "./consume.ts";
import { dispatch } from "./dispatch.ts";
import { type LogLine, log, useSink } from "./log.ts";
import { type Answer, route } from "./route.ts";
import { schedule } from "./schedule.ts";
import { provide } from "./services.ts";
import { type Trace, traceFields, traceOf } from "./trace.ts";

// Metrics are measured in Lambda alone, which the modules below look up once.
vi.hoisted(() => {
  process.env.AWS_LAMBDA_FUNCTION_NAME = "dev-spyhop-test";
});

const lines: LogLine[] = [];
const metricLines: string[] = [];
beforeEach(() => {
  lines.length = 0;
  metricLines.length = 0;
  useSink((line) => lines.push(line));
  vi.spyOn(process.stdout, "write").mockImplementation((text) => metricLines.push(String(text)) > 0);
  provide("database", {} as never); // no job below touches it
});
afterEach(() => {
  useSink(null);
  vi.restoreAllMocks();
  vi.useRealTimers();
  provide("database", null);
  vi.unstubAllEnvs();
});

const at = "2026-03-02T00:00:00.000Z";
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const eventRecord = (n: number, trace?: Partial<Trace>) => ({
  messageId: `m${n}`,
  body: JSON.stringify({ eventId: id(n), at }),
  attributes: { ApproximateReceiveCount: "2" },
  messageAttributes: Object.fromEntries(
    Object.entries(trace ?? {}).map(([name, stringValue]) => [name, { dataType: "String", stringValue }]),
  ),
});
const failures = (reply: unknown): string[] =>
  (reply as { batchItemFailures: { itemIdentifier: string }[] }).batchItemFailures.map((one) => one.itemIdentifier);
const deliver = (handler: unknown, name: "events" | "biases", Records: unknown[], milliseconds = 30_000) =>
  (handler as Handler)({ Records } as SQSEvent, lambdaContext(queue(name), Date.now() + milliseconds));
/** What only moves when a test moves it, so that a busy machine changes nothing. */
const FAKED: ("Date" | "setTimeout" | "clearTimeout")[] = ["Date", "setTimeout", "clearTimeout"];
/** Returns the reply of an invocation with `ms` to go whose work hangs once `begun`; it must not come before the last second of them begins, and then must. */
async function overIn<T>(ms: number, begun: Promise<void>, invocation: Promise<T>): Promise<T> {
  await begun;
  let isOver = false;
  void invocation.then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(ms - 1001);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(isOver).toBe(true);
  return invocation;
}
const lost = (code: string) => new Error("Failed query", { cause: Object.assign(new Error("gone"), { code }) });

test.each(["CONNECTION_CLOSED", "ECONNRESET", "57P01", "08006"])(
  "a job that lost its connection (%s) is run once more",
  async (code) => {
    const runs = new Map<string, number>();
    const handler = consume("events", async ({ eventId }) => {
      const run = (runs.get(eventId) ?? 0) + 1;
      runs.set(eventId, run);
      if (eventId === id(1) && run === 1) throw lost(code);
      if (eventId === id(2)) throw lost(code);
    });
    expect(failures(await deliver(handler, "events", [eventRecord(1), eventRecord(2), eventRecord(3)]))).toEqual([
      "m2",
    ]);
    expect(Object.fromEntries(runs)).toEqual({ [id(1)]: 2, [id(2)]: 2, [id(3)]: 1 });
    expect(metricLines.map((line) => JSON.parse(line).MessagesFailed)).toEqual([1]);
  },
);

test("no other failure is tried again, nor are refused credentials that come from no secret", async () => {
  let runs = 0;
  const handler = consume("events", async () => {
    runs += 1;
    throw runs === 1 ? new Error("a broken invariant") : lost("28P01");
  });
  expect(failures(await deliver(handler, "events", [eventRecord(1)]))).toEqual(["m1"]);
  expect(failures(await deliver(handler, "events", [eventRecord(1)]))).toEqual(["m1"]);
  expect(runs).toBe(2);
});

test("a schedule's job is run once more too", async () => {
  let runs = 0;
  const handler = schedule("build-report", async () => {
    runs += 1;
    if (runs === 1) throw lost("57P02");
  });
  const context = lambdaContext(scheduleEntry("build-report"), Date.now() + 10_000);
  await (handler as Handler)({ time: "2026-03-02T00:00:00Z" }, context);
  expect(runs).toBe(2);
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    "warn build-report: run is tried once more: lost connection",
  ]);
});

test("a message that is not done in time fails in time, by name; the rest of its batch does not", async () => {
  vi.useFakeTimers({ toFake: FAKED });
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const handler = consume("events", async ({ eventId }) => {
    if (eventId !== id(1)) return;
    begin();
    await new Promise(() => {});
  });
  const reply = overIn(30_000, begun, deliver(handler, "events", [eventRecord(1), eventRecord(2)], 30_000));
  expect(failures(await reply)).toEqual(["m1"]);
  expect(lines.filter(({ level }) => level === "error")).toEqual([
    expect.objectContaining({
      message: "events: message failed",
      error: "TimeBudgetError",
      messageId: "m1",
      receives: "2",
    }),
  ]);
});

test("on an ordered queue, messages that no time is left for fail at once", async () => {
  vi.useFakeTimers({ toFake: FAKED });
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const ran: string[] = [];
  const handler = consume("biases", async ({ asset }) => {
    ran.push(asset);
    begin();
    await new Promise(() => {});
  });
  const record = (asset: string, n: number) => ({
    messageId: `m${n}`,
    body: JSON.stringify({ asset, at, plan: false }),
    attributes: { MessageGroupId: asset },
  });
  const reply = overIn(30_000, begun, deliver(handler, "biases", [record("ETH", 1), record("BTC", 2)], 30_000));
  expect(failures(await reply)).toEqual(["m1", "m2"]);
  expect(ran).toEqual(["ETH"]);
});

test("each message of a batch has its own trace, in what it logs and sends", async () => {
  const seen: [string, unknown][] = [];
  const handler = consume("events", async ({ eventId }) => {
    await new Promise((resolve) => setTimeout(resolve, eventId === id(1) ? 20 : 1));
    seen.push([eventId, traceFields()]);
    log({ level: "info", message: eventId });
  });
  await deliver(handler, "events", [
    eventRecord(1, { correlationId: "tick-1", traceId: "1-abc" }),
    eventRecord(2, { correlationId: "tick-2" }),
    eventRecord(3),
  ]);
  expect(Object.fromEntries(seen)).toEqual({
    [id(1)]: { correlationId: "tick-1", traceId: "1-abc" },
    [id(2)]: { correlationId: "tick-2" },
    [id(3)]: { correlationId: "m3" }, // sent by hand: the trace begins with it
  });
  expect(lines.find((line) => line.message === id(1))).toMatchObject({ correlationId: "tick-1", traceId: "1-abc" });
  expect(traceFields()).toEqual({});
});

test("in Lambda a tick's trace is its event and the root of its X-Ray trace", async () => {
  vi.stubEnv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
  let seen: unknown;
  const handler = schedule("build-report", async () => {
    seen = traceFields();
  });
  const context = lambdaContext(scheduleEntry("build-report"), Date.now() + 10_000);
  await (handler as Handler)({ id: "53dc4d37", time: "2026-03-02T00:00:00Z" }, context);
  expect(seen).toEqual({ correlationId: "53dc4d37", traceId: "1-5759e988-bd862e3fe1be46a994272793" });
});

test("a message without our attributes takes the trace that SQS carries", () => {
  const attributes = { AWSTraceHeader: "Root=1-abc-def;Sampled=0" } as SQSEvent["Records"][number]["attributes"];
  expect(traceOf({ messageId: "m", attributes }, {})).toEqual({ correlationId: "m", traceId: "1-abc-def" });
});

test("a request that takes too long is answered in time, with the id that the log has", async () => {
  vi.useFakeTimers({ toFake: FAKED });
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const slow = route("GET /api/health", healthContract, () => {
    begin();
    return new Promise(() => {});
  });
  const others = ROUTES.filter((name) => name !== slow.name).map((name): Answer => ({ ...slow, name }));
  const handler = dispatch("read", [slow, ...others]);
  const requestContext = { requestId: "r-1", timeEpoch: Date.parse(at) };
  const event = { routeKey: slow.name, headers: {}, rawQueryString: "", requestContext };
  const context = lambdaContext(topology.api.read, Date.now() + 10_000);
  const reply = (await overIn(10_000, begun, (handler as unknown as Handler)(event, context))) as {
    statusCode: number;
    body: string;
  };
  expect([reply.statusCode, JSON.parse(reply.body).traceId]).toEqual([503, "r-1"]);
  expect(lines).toEqual([expect.objectContaining({ error: "TimeBudgetError", correlationId: "r-1" })]);
});
