import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, expect, test, vi } from "vitest";
import { absentModules, ccxtForOkx } from "./plugins.ts";
import { namesIn, pruneMethods } from "./prune-class.ts";

// The tests of the venue's adapter once more, over the part of ccxt that the bundles hold. An import of a test file
// registers its tests here.
const root = join(import.meta.dirname, "../..");
const file = join(await mkdtemp(join(tmpdir(), "spyhop-ccxt-")), "ccxt.mjs");
await build({
  stdin: { contents: 'export { okx } from "ccxt";', resolveDir: root },
  ...{ bundle: true, format: "esm", platform: "node", target: "node24", minify: true, outfile: file },
  plugins: [ccxtForOkx(root), absentModules()],
});
vi.doMock("ccxt", () => import(pathToFileURL(file).href));
afterAll(() => rm(dirname(file), { recursive: true }));

await import("../../packages/runtime/okx/exchange.test.ts");
await import("../../packages/doubles/venue/venue.test.ts");
await import("../../packages/desk/trading.test.ts");

test("the tests above ran on the part, not on the whole of ccxt", async () => {
  const { okx } = await import("ccxt");
  expect(okx.prototype.sign).toBeTypeOf("function");
  expect(okx.prototype.fetchDepositAddress).toBeUndefined();
});

const sources = [
  {
    path: "base.js",
    text: `export class Base {
      constructor() { this.started = this.afterStart(); }
      afterStart() { return this.configured(); }
      configured() { return 1; }
      /** never called */
      idle() { return this.alsoIdle(); }
      alsoIdle() { return 2; }
      overridden() { return 3; }
    }`,
  },
  {
    path: "venue.js",
    text: `class Venue extends Base {
      describe() { return { has: { 'idle': true }, method: 'byName' }; }
      byName() { return 4; }
      used() { const { taken } = this; return taken(); }
      taken() { return 5; }
    }`,
  },
];

test("a method stays when it is called, overridden, taken out or named in a string, not when it is a key", () => {
  const caller = { path: "caller.ts", text: "class Own extends Venue { overridden() {} }; new Own().used().describe;" };
  const pruned = pruneMethods(sources, namesIn(caller));
  const names = [...pruned.values()].flatMap((text) => [...text.matchAll(/^ {6}(\w+)\(/gm)].map(([, name]) => name));
  expect(names).toEqual([
    ...["constructor", "afterStart", "configured", "overridden"],
    ...["describe", "byName", "used", "taken"],
  ]);
  expect(pruned.get("base.js")).not.toContain("never called");
});
