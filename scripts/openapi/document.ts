import { readFileSync } from "node:fs";
import * as z from "zod";
import type { Contract } from "#topology/contracts/contract";
import { contracts } from "#topology/contracts/contracts";
import { ProblemReply } from "#topology/contracts/problem";
import type { Route } from "#topology/job";
import type { RouteName } from "#topology/routes";
import { ROUTES, topology } from "#topology/topology";

type Json = { readonly [name: string]: unknown };

/** Schemas that have an id are said once, and named. */
type Named = Record<string, unknown>;

/** Returns a schema as JSON Schema 2020-12, which OpenAPI 3.1 takes; what has an id goes to `named`. */
function schemaOf(schema: z.ZodType, io: "input" | "output", named: Named): Json {
  const {
    $schema: _,
    $defs = {},
    ...own
  } = z.toJSONSchema(schema, {
    io,
    // A string that becomes a number keeps no bounds as it is: its own words for it (contracts/query.ts) stand in.
    override: ({ jsonSchema }) => {
      const { override } = jsonSchema as { override?: object };
      if (override === undefined) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key as keyof typeof jsonSchema];
      Object.assign(jsonSchema, override);
    },
  });
  Object.assign(named, pointing($defs) as Named);
  return pointing(own) as Json;
}

/** Where a document keeps its definitions, in place of where a schema alone does; and without ids, which the names are. */
function pointing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointing);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      if (key === "id" && typeof inner === "string") return [];
      return [[key, key === "$ref" ? String(inner).replace("#/$defs/", "#/components/schemas/") : pointing(inner)]];
    }),
  );
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
}

const parametersOf = (schema: z.ZodObject | undefined, place: "query" | "path", named: Named): Json[] => {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, "input", named) as ObjectSchema;
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    ...{ name, in: place, required: place === "path" || required.includes(name) },
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
};

const json = (description: string, schema: Json, more: Json = {}): Json => ({
  description,
  content: { "application/json": { schema }, ...more },
});
const problem = (description: string): Json => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});

function operationOf(name: RouteName, named: Named): Json {
  const { query, params, reply, also = {}, problems = {}, isMarkdownToo }: Contract = contracts[name];
  const { summary, file, in: tag, role }: Route = topology.routes[name];
  const schema = schemaOf(reply, "output", named);
  const markdown = isMarkdownToo ? { "text/markdown": { schema: { type: "string" } } } : {};
  const said = (words: Readonly<Record<number, string>>, how: (text: string) => Json): [string, Json][] =>
    Object.entries(words).map(([status, text]) => [status, how(text)]);
  return {
    operationId: file,
    ...{ tags: [tag], summary, "x-role": role },
    parameters: [...parametersOf(params, "path", named), ...parametersOf(query, "query", named)],
    responses: Object.fromEntries([
      ["200", json("what was asked for, with the ETag of its body", schema, markdown)],
      ["304", { description: "If-None-Match has the ETag of the body" }],
      ["400", problem("a field of the request is wrong; `fields` says which and how")],
      ...said(also, (text) => json(text, schema)),
      ...said(problems, problem),
      ["default", problem("403, 404, 405, 421, 500, 503: why there is no answer")],
    ]),
  };
}

/** Returns the OpenAPI 3.1 document of the HTTP API, made of the contracts alone. */
export function openapiDocument(): Json {
  const named: Named = {};
  schemaOf(z.object({ problem: ProblemReply }), "output", named);
  const paths = new Map<string, Record<string, Json>>();
  for (const name of ROUTES) {
    const [method = "", path = ""] = name.split(" ");
    paths.set(path, { ...paths.get(path), [method.toLowerCase()]: operationOf(name, named) });
  }
  const { version, description } = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, string>;
  return {
    openapi: "3.1.0",
    info: { title: "Spyhop", version, description, license: { name: "MIT", identifier: "MIT" } },
    servers: [
      { url: "http://127.0.0.1:8787", description: "a laptop's desk; a stage's is the Url that its deploy prints" },
    ],
    paths: Object.fromEntries(paths),
    components: { schemas: Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))) },
  };
}

/** Returns the document as the file has it. */
export const openapiText = (): string => `${JSON.stringify(openapiDocument(), null, 2)}\n`;
