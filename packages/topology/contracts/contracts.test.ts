import { expect, test } from "vitest";
import * as z from "zod";
import { route } from "#runtime/route";
import type { Route } from "../job.ts";
import { ROUTES } from "../topology.ts";
import { biasContract } from "./bias.ts";
import type { Contract } from "./contract.ts";
import { contracts } from "./contracts.ts";
import { healthContract } from "./health.ts";
import { whole } from "./query.ts";

const fieldsIn = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, field]) => field ?? []);

test.each(ROUTES)("%s: the contract has the path's fields, and its query refuses others", (name) => {
  const { query, params }: Contract = contracts[name];
  expect(Object.keys(params?.shape ?? {}).toSorted()).toEqual(fieldsIn(name).toSorted());
  expect(query.safeParse({ nonsense: "1" }).success).toBe(false);
});

test("a whole number is digits within its bounds, and nothing else that a number could be written as", () => {
  const schema = whole({ from: 1, to: 200, otherwise: 50 });
  expect([undefined, "1", "200", "007"].map((text) => schema.parse(text))).toEqual([50, 1, 200, 7]);
  for (const text of ["", "0", "201", "-1", "1e2", " 7", "7 ", "0x10", "1.0", "+1", "１", "Infinity", null])
    expect(schema.safeParse(text).success, String(text)).toBe(false);
});

// What follows is for tsc: each line that is marked must not compile.

test("a route without a function, a role or a contract does not compile", () => {
  const whole = { in: "read", role: "viewer", file: "x", summary: "x" } as const satisfies Route;
  // @ts-expect-error -- without a role
  const noRole: Route = { in: "read", file: "x", summary: "x" };
  // @ts-expect-error -- without a function
  const noFunction: Route = { role: "viewer", file: "x", summary: "x" };
  // @ts-expect-error -- of a role that there is not
  const anyone: Route = { ...whole, role: "anyone" };
  const { "GET /api/bias": _, ...others } = contracts;
  // @ts-expect-error -- without the contract of one route
  const noContract: Readonly<Record<keyof typeof contracts, Contract>> = others;
  expect([noRole, noFunction, anyone, noContract]).toHaveLength(4);
});

test("a route answers by its own contract alone, or it does not compile", () => {
  const input = { name: "x", generated: true };
  const body = { input, asOf: null, evidence: [], biases: [], noTrade: [] };
  const made = [
    route("GET /api/bias", biasContract, async () => ({ status: 200, body })),
    // @ts-expect-error -- another route's contract
    route("GET /api/bias", healthContract, async () => ({ status: 404, problem: "x" })),
    // @ts-expect-error -- a field of another kind
    route("GET /api/bias", biasContract, async () => ({ status: 200, body: { ...body, asOf: 7 } })),
    // @ts-expect-error -- a field is missing
    route("GET /api/bias", biasContract, async () => ({ status: 200, body: { input } })),
    // @ts-expect-error -- a status that the contract does not have
    route("GET /api/bias", biasContract, async () => ({ status: 503, body })),
    // @ts-expect-error -- Markdown, which it is not
    route("GET /api/bias", biasContract, async () => ({ status: 200, markdown: "x" })),
    // @ts-expect-error -- a route that there is not
    route("GET /api/nothing", biasContract, async () => ({ status: 200, body })),
  ];
  expect(made).toHaveLength(7);
  expect(z.toJSONSchema(biasContract.reply, { io: "output" })).toHaveProperty("additionalProperties", false);
});
