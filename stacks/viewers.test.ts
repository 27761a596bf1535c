import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { viewersOnly } from "./viewers.ts";

/** Runs the function as CloudFront does for one viewer. Source: CloudFront developer guide, "CloudFront Functions event structure". */
function answerTo(viewers: readonly string[], ip: string): unknown {
  const request = { method: "GET", uri: "/api/health" };
  const event = { version: "1.0", context: { eventType: "viewer-request" }, viewer: { ip }, request };
  const answer = runInNewContext(`${viewersOnly(viewers)} handler(event)`, { event });
  return answer === request ? "let in" : answer.statusCode;
}

test.each([
  ["203.0.113.7/32", "203.0.113.7", "let in"],
  ["203.0.113.7/32", "203.0.113.6", 403],
  ["203.0.113.0/24", "203.0.113.255", "let in"],
  ["203.0.113.0/24", "203.0.114.0", 403],
  ["10.32.0.0/11", "10.63.255.255", "let in"],
  ["10.32.0.0/11", "10.64.0.0", 403],
  ["0.0.0.0/0", "198.51.100.1", "let in"],
  ["0.0.0.0/0", "2001:db8::1", 403],
  ["2001:db8::/48", "2001:db8::1", "let in"],
  ["2001:db8::/48", "2001:db8:0:ffff:ffff:ffff:ffff:ffff", "let in"],
  ["2001:db8::/48", "2001:db8:1::", 403],
  ["2001:db8:0:8000::/49", "2001:db8:0:8000::1", "let in"],
  ["2001:db8:0:8000::/49", "2001:db8:0:7fff::1", 403],
  ["::/0", "::1", "let in"],
  ["2001:db8::7/128", "2001:0db8:0000:0000:0000:0000:0000:0007", "let in"],
] as const)("viewers of %s, a request of %s: %s", (viewer, ip, answer) => {
  expect(answerTo([viewer], ip)).toBe(answer);
});

test("nobody is let in where nobody is named, and one range of several is enough", () => {
  expect(answerTo([], "203.0.113.7")).toBe(403);
  expect(answerTo(["192.0.2.0/24", "2001:db8::/32", "203.0.113.0/28"], "203.0.113.7")).toBe("let in");
});
