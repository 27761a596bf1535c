import { afterEach, expect, test } from "vitest";
import { type RuntimeApi, startRuntimeApi } from "./runtime-api.ts";

let api: RuntimeApi;
afterEach(() => api.close());

const call = (path: string, body?: unknown) =>
  fetch(`http://${api.address}/2018-06-01/runtime/${path}`, {
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });

test("an event waits for the function, and the reply is the invocation's", async () => {
  api = await startRuntimeApi("dev-spyhop-x");
  const invoked = api.invoke({ a: 1 }, 30);
  const next = await call("invocation/next");
  await api.ready;
  expect(await next.json()).toEqual({ a: 1 });
  const left = Number(next.headers.get("lambda-runtime-deadline-ms")) - Date.now();
  expect(left).toBeGreaterThan(20_000);
  expect(next.headers.get("lambda-runtime-invoked-function-arn")).toMatch(/:function:dev-spyhop-x$/);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  expect((await call(`invocation/${id}/response`, { done: true })).status).toBe(202);
  expect(await invoked).toEqual({ kind: "reply", body: '{"done":true}' });
  expect((await call(`invocation/${id}/response`, {})).status).toBe(404); // answered already
});

test("a function that asks first is given the next event, and its error is the invocation's", async () => {
  api = await startRuntimeApi("x");
  const asked = call("invocation/next");
  await api.ready;
  const invoked = api.invoke({ b: 2 }, 30);
  const id = (await asked).headers.get("lambda-runtime-aws-request-id");
  await call(`invocation/${id}/error`, { errorType: "TypeError", errorMessage: "no" });
  expect(await invoked).toEqual({ kind: "error", type: "TypeError", message: "no" });
});

test("a module that throws, and a process that ends, fail what waits", async () => {
  api = await startRuntimeApi("x");
  await call("init/error", { errorType: "SyntaxError", errorMessage: "unexpected" });
  await expect(api.ready).rejects.toThrow("SyntaxError: unexpected");
  const invoked = api.invoke({}, 30);
  api.fail("the process ended with 1");
  expect(await invoked).toMatchObject({ kind: "error", message: "the process ended with 1" });
});
