import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { deliverySchema } from "./delivery.ts";
import { FACTS, type FactName, publishedFact, takenFacts } from "./facts.ts";
import { QUEUES, queue, topology } from "./topology.ts";

/**
 * What release 1762c27 put on its queues and its bus, a line each, as its handlers wrote it while its own tests ran: every
 * message, every fact, and each shape that it gave one. At a deploy such messages are in flight.
 */
const LAST_RELEASE = readFileSync(join(import.meta.dirname, "last-release.ndjson"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as { to: string; body: Record<string, unknown> & { fact?: FactName } });

/** Queues that it had not. */
const ADDED_SINCE: readonly string[] = ["looks", "protections"];

const deliveries = LAST_RELEASE.flatMap(({ to, body }) =>
  (body.fact === undefined ? [to] : topology.facts[body.fact]).map((name) => ({ name, body })),
);

describe("what the last release sent and published is taken as it was, nothing lost and nothing made up", () => {
  test.each(deliveries)("$name takes $body", ({ name, body }) => {
    const schema = deliverySchema(queue(name as (typeof QUEUES)[number]));
    expect(schema.parse(body)).toEqual(body);
    if (body.fact === undefined) return;
    const inCloud = { ...body, traceId: "1-5759e988-bd862e3fe1be46a994272793" };
    expect(schema.parse(inCloud)).toEqual(inCloud);
  });

  test("there is an example for every queue, of every fact, and of both shapes of a closed order", () => {
    const then = QUEUES.filter((name) => !ADDED_SINCE.includes(name));
    expect([...new Set(deliveries.map(({ name }) => name))].toSorted()).toEqual(then.toSorted());
    const facts = LAST_RELEASE.flatMap(({ body }) => body.fact ?? []);
    expect([...new Set(facts)].toSorted()).toEqual(FACTS.toSorted());
    const closed = LAST_RELEASE.filter(({ body }) => body.fact === "order.closed").map(({ body }) => body.body);
    expect(closed.map((body) => Object.keys(body as object).includes("filledSize")).toSorted()).toEqual([
      false,
      false,
      true,
    ]);
  });
});

const closed = {
  fact: "order.closed",
  entityType: "order",
  entityId: "91b19375-2cbf-8820-a51f-1c7578f63c0c",
  at: "2023-11-14T23:54:00.000Z",
  body: { status: "filled", instrument: "ETH-USDT-SWAP", clientOrderId: "d00", filledSize: "124.81", reason: null },
} as const;
const { filledSize: _, ...shorter } = closed.body;

test.each([
  ["as it must be", {}, true],
  ["with a trace", { correlationId: "a", traceId: "b" }, true],
  ["without a field", { body: shorter }, false],
  ["with a field too many", { body: { ...closed.body, walletId: closed.entityId } }, false],
  ["with a field of another type", { body: { ...closed.body, filledSize: 124.81 } }, false],
  ["of an order in flight", { body: { ...closed.body, status: "open" } }, false],
  ["with a field of its own too many", { source: "me" }, false],
  ["of another entity", { entityType: "event" }, false],
  ["of an id that is none", { entityId: "91b19375" }, false],
  ["at a time that is none", { at: "yesterday" }, false],
  ["under another fact's name", { fact: "report.built" }, false],
] as const)("a fact %s is published or refused", (_, change, good) => {
  expect(publishedFact("order.closed").safeParse({ ...closed, ...change }).success).toBe(good);
});

describe("what is taken", () => {
  const audits = takenFacts(FACTS);
  test("of the next release keeps the fields that it added", () => {
    const next = { ...closed, body: { ...closed.body, feesUsd: "1.20" } };
    expect(audits.parse(next)).toEqual(next);
  });

  test.each([
    ["a fact that the queue does not take", takenFacts(["event.retracted"]), closed],
    ["a fact of no name", audits, { ...closed, fact: "order.lost" }],
    ["a body of another fact", audits, { ...closed, fact: "report.built", entityType: "report" }],
    ["a field that every release had", audits, { ...closed, body: { ...closed.body, status: undefined } }],
  ] as const)("is not %s", (_, schema, fact) => {
    expect(schema.safeParse(fact).success).toBe(false);
  });
});
