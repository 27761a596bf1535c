import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Header } from "./block.ts";
import { decideHead, type HeadDecision, linked, MAX_REORG_DEPTH, type Seen } from "./reorg.ts";

const hash = (branch: string, number: number): string =>
  `0x${branch.repeat(56)}${number.toString(16).padStart(8, "0")}`;

/** A node's chain: `branch` above `fork`, "a" up to it. */
function chain(branch: string, fork: number, head: number): Header[] {
  const own = (number: number) => hash(number > fork ? branch : "a", number);
  return Array.from({ length: head + 1 }, (_, number) => ({
    number,
    hash: own(number),
    parentHash: number === 0 ? hash("0", 0) : own(number - 1),
    timestamp: number * 12,
  }));
}

interface Desk {
  readonly cursor: Seen;
  readonly ours: ReadonlyMap<number, string>;
  readonly finalized?: number;
  readonly anchor?: number;
}

/** Asks until the decision needs nothing more; returns it with the number of headers fetched. */
function settle(
  node: readonly Header[],
  { cursor, ours, finalized = 0, anchor }: Desk,
): { decision: HeadDecision; asked: number } {
  const fetched = new Map<string, Header | null>();
  let next: Header | null | undefined;
  for (let asked = 0; ; asked++) {
    const decision = decideHead({
      cursor,
      ours,
      anchor: anchor ?? null,
      finalized,
      latest: node.at(-1)!,
      next,
      fetched,
    });
    if (decision.kind !== "need") return { decision, asked };
    if (typeof decision.want === "number") next = node[decision.want] ?? null;
    else fetched.set(decision.want, node.find((header) => header.hash === decision.want) ?? null);
  }
}

const desk = (branch: string, fork: number, number: number): Desk => {
  const own = chain(branch, fork, number);
  return {
    cursor: { number, hash: own[number]!.hash },
    ours: new Map(own.map((header) => [header.number, header.hash])),
  };
};

test("forks of depth 1 to 64 are found at their exact block", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 5 }), (depth, ahead) => {
      const head = 300;
      const { decision, asked } = settle(chain("b", head - depth, head + ahead), desk("a", head, head));
      expect(decision).toMatchObject({ kind: "fork", at: { number: head - depth, hash: hash("a", head - depth) } });
      expect(decision).toMatchObject({ next: { number: head - depth + 1, parentHash: hash("a", head - depth) } });
      expect(asked).toBe(depth + 1);
    }),
  );
});

test("blocks that were sent but not yet ingested leave a gap; the fork is then put lower, never higher", () => {
  const known = desk("a", 300, 300);
  const gap = { ...known, ours: new Map([...known.ours].filter(([number]) => number < 295 || number === 300)) };
  expect(settle(chain("b", 297, 302), gap).decision).toMatchObject({ kind: "fork", at: { number: 294 } });
  expect(settle(chain("b", 290, 302), gap).decision).toMatchObject({ kind: "fork", at: { number: 290 } });
});

test("the chain goes on", () => {
  const { decision, asked } = settle(chain("a", 400, 305), desk("a", 300, 300));
  expect(decision).toMatchObject({ kind: "extend", next: { number: 301 } });
  expect(asked).toBe(1);
  expect(settle(chain("a", 400, 300), desk("a", 300, 300)).decision).toEqual({ kind: "wait", reason: "at head" });
});

test("a lagging node never fakes a reorg, whatever its hashes", () => {
  for (const branch of ["a", "b"]) {
    const { decision, asked } = settle(chain(branch, 100, 299), desk("a", 300, 300));
    expect(decision).toEqual({ kind: "wait", reason: "lagging node" });
    expect(asked).toBe(0);
  }
});

test("a node that flaps between two heads of one height changes nothing until one of them grows", () => {
  const own = desk("a", 300, 300);
  for (const node of [chain("b", 299, 300), chain("a", 300, 300), chain("b", 299, 300)]) {
    expect(settle(node, own).decision.kind).toBe("wait");
  }
  expect(settle(chain("a", 400, 301), own).decision.kind).toBe("extend");
  expect(settle(chain("b", 299, 301), own).decision).toMatchObject({ kind: "fork", at: { number: 299 } });
});

test("below what was final, and deeper than the desk remembers, it stops", () => {
  const own = desk("a", 300, 300);
  const stop = settle(chain("b", 280, 302), { ...own, finalized: 290 }).decision;
  expect(stop).toEqual({ kind: "stop", reason: "below finalized", number: 290 });
  expect(settle(chain("b", 290, 302), { ...own, finalized: 290 }).decision).toMatchObject({
    kind: "fork",
    at: { number: 290 },
  });
  const deep = settle(chain("b", 300 - MAX_REORG_DEPTH - 1, 302), own).decision;
  expect(deep).toMatchObject({ kind: "stop", reason: "too deep" });
  const fresh = { ...own, ours: new Map<number, string>() };
  expect(settle(chain("b", 299, 302), fresh).decision).toEqual({ kind: "stop", reason: "too deep", number: 300 });
});

test("where the chains part at the anchor or below it, following begins again after the node's block of its number", () => {
  const young = desk("a", 300, 300);
  const ours = new Map([...young.ours].filter(([number]) => number >= 295));
  const own = { ...young, ours, anchor: 295 };
  for (const depth of [6, 7, 60]) {
    const { decision, asked } = settle(chain("b", 300 - depth, 302), own);
    expect(decision).toMatchObject({ kind: "fork", at: { number: 295, hash: hash("b", 295) }, next: { number: 296 } });
    expect(asked).toBe(6);
  }
  // Above the anchor as ever; at the anchor before anything was sent; and not below what was final.
  expect(settle(chain("b", 297, 302), own).decision).toMatchObject({ at: { number: 297, hash: hash("a", 297) } });
  const just = { cursor: { number: 300, hash: hash("a", 300) }, ours: new Map([[300, hash("a", 300)]]), anchor: 300 };
  expect(settle(chain("b", 298, 302), just).decision).toMatchObject({ at: { number: 300, hash: hash("b", 300) } });
  expect(settle(chain("b", 290, 302), { ...own, finalized: 295 }).decision).toMatchObject({
    kind: "stop",
    number: 295,
  });
});

test("a header that the node has lost again is waited for", () => {
  const node = chain("b", 290, 302);
  const holes = node.map((header) => (header.number === 296 ? { ...header, hash: hash("c", 296) } : header));
  expect(settle(holes, desk("a", 300, 300)).decision).toEqual({ kind: "wait", reason: "missing header" });
});

test("linked keeps the contiguous prefix", () => {
  const node = chain("a", 400, 310);
  const from = { number: 300, hash: node[300]!.hash };
  expect(linked(from, node.slice(301))).toHaveLength(10);
  expect(linked(from, [...node.slice(301, 304), null, ...node.slice(305)])).toHaveLength(3);
  expect(linked(from, [...node.slice(301, 304), ...chain("b", 299, 310).slice(304)])).toHaveLength(3);
  expect(linked(from, node.slice(302))).toHaveLength(0);
});
