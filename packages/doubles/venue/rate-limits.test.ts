import { expect, test } from "vitest";
import { rateLimits } from "./rate-limits.ts";
import { PaperRefusal, type PaperRequest } from "./reply.ts";

const asked = (name: string, now: number, instId = "ETH", orders = 0): PaperRequest => {
  const [method = "", path = ""] = name.split(" ");
  const list = Array.from({ length: orders }, () => ({ instId }));
  return { method, path, query: method === "GET" ? { instId } : {}, body: { instId }, list, expiresMs: null, now };
};

/** Returns the code of each request's refusal; null where it was taken. */
function answers(requests: readonly PaperRequest[]): (string | null)[] {
  const count = rateLimits();
  return requests.map((request) => {
    try {
      count(request);
      return null;
    } catch (error) {
      if (!(error instanceof PaperRefusal)) throw error;
      return error.code;
    }
  });
}
const taken = (codes: readonly (string | null)[]) => codes.filter((code) => code === null).length;
const times = (n: number, of: (i: number) => PaperRequest) => Array.from({ length: n }, (_, i) => of(i));

test.each([
  ["POST trade/order", 60, 120],
  ["GET trade/order", 60, 120],
  ["POST trade/order-algo", 20, 40],
  ["GET account/positions", 10, 10],
  ["GET account/config", 5, 5],
  ["GET public/time", 10, 10],
  ["GET trade/fills", 60, 60],
])("%s: %i in two seconds of one instrument, %i of two", (name, one, two) => {
  expect(taken(answers(times(200, () => asked(name, 0))))).toBe(one);
  expect(taken(answers(times(400, (i) => asked(name, 0, i % 2 === 0 ? "ETH" : "BTC"))))).toBe(two);
});

test("the window slides, and what is refused is not counted", () => {
  const name = "GET account/config";
  const at = [0, 0, 0, 1500, 1500, 1999, 2000, 2000, 2000, 2000, 3499, 3500, 3500, 3500];
  expect(answers(at.map((now) => asked(name, now)))).toEqual([
    ...[null, null, null, null, null, "50011"],
    ...[null, null, null, "50011", "50011"],
    ...[null, null, "50011"],
  ]);
});

test("a thousand orders of an account in two seconds, of whatever instruments, and a list counts as its orders", () => {
  const orders = answers(times(1200, (i) => asked("POST trade/order", 0, `I${i % 40}`)));
  expect(taken(orders)).toBe(1000);
  expect(orders.at(-1)).toBe("50061");
  expect(answers(times(3, () => asked("POST trade/cancel-algos", 0, "ETH", 10)))).toEqual([null, null, "50011"]);
});
