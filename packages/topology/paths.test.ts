import { expect, test } from "vitest";
import { matchRoute } from "./paths.ts";

const table = {
  "GET /api/orders": { formerly: "/orders" },
  "POST /api/orders": {},
  "GET /api/orders/{id}": {},
  "GET /api/orders/latest": {},
  "GET /api/bias/{asset}/{timeframe}": {},
} as const;
const match = (method: string, path: string) => matchRoute(table, method, path);

test("a route is found by its method and its segments, HEAD as GET", () => {
  expect(match("GET", "/api/orders")).toEqual({ kind: "route", name: "GET /api/orders", params: {} });
  expect(match("HEAD", "/api/orders")).toMatchObject({ name: "GET /api/orders" });
  expect(match("POST", "/api/orders")).toMatchObject({ name: "POST /api/orders" });
  expect(match("GET", "/api/orders/7%201")).toMatchObject({ name: "GET /api/orders/{id}", params: { id: "7 1" } });
  expect(match("GET", "/api/bias/ETH/4h")).toMatchObject({ params: { asset: "ETH", timeframe: "4h" } });
});

test("a written segment wins over a field, whichever stands first", () => {
  expect(match("GET", "/api/orders/latest")).toMatchObject({ name: "GET /api/orders/latest", params: {} });
});

test("another method is told which there are, and no write has a HEAD", () => {
  expect(match("DELETE", "/api/orders")).toEqual({ kind: "method", allowed: ["GET", "HEAD", "POST"] });
  expect(match("POST", "/api/orders/7")).toEqual({ kind: "method", allowed: ["GET", "HEAD"] });
});

test("a path that a route once had is told the new one; nothing else is", () => {
  expect(match("GET", "/orders")).toEqual({ kind: "moved", to: "/api/orders" });
  expect(match("POST", "/orders")).toEqual({ kind: "moved", to: "/api/orders" });
  for (const path of ["/bias/ETH/4h", "/orders/", "/orders/7", "/api", ""])
    expect(match("GET", path), path).toEqual({ kind: "unknown" });
});

test.each([
  "/api/orders/",
  "/api//orders",
  "//api/orders",
  "/api/orders/7/",
  "/api/orders/%zz",
  "/API/orders",
  "/api/orders/a/b",
])("%s is no route", (path) => expect(match("GET", path)).toEqual({ kind: "unknown" }));

test("a dot in a path is a letter of it: nothing climbs", () => {
  expect(match("GET", "/api/orders/..")).toMatchObject({ params: { id: ".." } });
  expect(match("GET", "/api/orders/%2e%2e%2fbias")).toMatchObject({ params: { id: "../bias" } });
});
