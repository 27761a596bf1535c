import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EventType } from "#chain/event";
import type { Contract } from "#topology/contracts/contract";
import { contracts } from "#topology/contracts/contracts";
import { ROUTES } from "#topology/topology";
import { OrderStatus } from "#trading/orders/order";
import { openapiDocument, openapiText } from "./document.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: {
    readonly type: string;
    readonly minimum?: number;
    readonly maximum?: number;
    readonly default?: unknown;
    readonly pattern?: string;
    readonly enum?: readonly string[];
  };
}
interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
}
const file = JSON.parse(readFileSync("web/openapi.json", "utf8")) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
};
const operationOf = (name: string): Operation => {
  const [method = "", path = ""] = name.split(" ");
  const operation = file.paths[path]?.[method.toLowerCase()];
  if (!operation) throw new Error(`the document has no ${name}`);
  return operation;
};

test("web/openapi.json is what the contracts say (npm run openapi)", () => {
  expect(readFileSync("web/openapi.json", "utf8")).toBe(openapiText());
  expect(openapiDocument()).toMatchObject({ openapi: "3.1.0" });
});

test("every route stands in it once, and nothing else; every reference leads somewhere", () => {
  const names = Object.entries(file.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(names.toSorted()).toEqual([...ROUTES].toSorted());
  const ids = ROUTES.map((name) => operationOf(name).operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const found = JSON.stringify(file).matchAll(/"\$ref":"([^"]+)"/g);
  for (const [, to = ""] of found)
    expect(Object.keys(file.components.schemas)).toContain(to.replace("#/components/schemas/", ""));
});

test.each(ROUTES)("%s: what the document says of each field is what its schema takes", (name) => {
  const { query, params }: Contract = contracts[name];
  const takes = (field: string, value: string): boolean =>
    (query.shape[field] ?? params?.shape[field])?.safeParse(value).success ?? false;
  const { parameters, responses } = operationOf(name);
  expect(parameters.map((one) => one.name)).toEqual([...Object.keys(params?.shape ?? {}), ...Object.keys(query.shape)]);
  for (const { name: field, schema } of parameters) {
    const { type, minimum, maximum, pattern, enum: words } = schema;
    if (type === "integer") {
      expect([minimum, maximum].every(Number.isInteger), field).toBe(true);
      const [least = 0, most = 0] = [minimum, maximum];
      expect([least, most].map((value) => takes(field, String(value)))).toEqual([true, true]);
      expect([least - 1, most + 1].map((value) => takes(field, String(value)))).toEqual([false, false]);
      expect(query.shape[field]?.parse(undefined)).toBe(schema.default);
    } else if (words) {
      for (const word of words) expect(takes(field, word), word).toBe(true);
      expect(takes(field, `${words[0]}x`)).toBe(false);
    } else expect(pattern, `${field} has neither bounds, words nor a pattern`).toMatch(/^\^.*\$$/);
  }
  expect(responses["400"]).toBeDefined();
});

test("kinds of events and statuses of orders are the core's own lists", () => {
  const wordsOf = (name: string, field: string) =>
    operationOf(name).parameters.find((one) => one.name === field)?.schema.enum;
  expect(wordsOf("GET /api/events", "type")).toEqual(EventType.options);
  expect(wordsOf("GET /api/orders", "status")).toEqual(OrderStatus.options);
  const { Event, Order } = file.components.schemas as Record<
    string,
    { properties: Record<string, { enum?: string[] }> }
  >;
  expect(Event?.properties.type?.enum).toEqual(EventType.options);
  expect(Order?.properties.status?.enum).toEqual(OrderStatus.options);
});
