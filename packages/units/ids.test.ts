import fc from "fast-check";
import { expect, test } from "vitest";
import { EventId, idOf, OrderId, PositionId, sha256, WalletId } from "./ids.ts";

test.each([
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["ü", "607474ca475a9724d7360aba71a56d5df77e61350e3f724cfa1f46e857e2d85f"],
])("sha256 of %j in UTF-8", (text, hash) => {
  expect(sha256(text)).toBe(hash);
});

// The hashed text made by hand and hashed by coreutils: printf '6:wallet8:ethereum3:0x1' | sha256sum, and so on.
test.each([
  ["wallet", "556407d0-b0bc-8602-8126-4dd0b5d29662", ["ethereum", "0x1"]],
  ["event", "fd646d26-cee2-87b7-bd71-d615238ce3c7", [1]],
  ["event", "fd646d26-cee2-87b7-bd71-d615238ce3c7", [1n]],
  ["event", "fd646d26-cee2-87b7-bd71-d615238ce3c7", ["1"]],
  ["x", "bb155ff0-53ef-8c73-a4a0-bb956dc4457e", ["é"]],
])("an id of kind %s is %s", (kind, id, parts) => {
  expect(idOf(kind, ...parts)).toBe(id);
});

const parts = fc.array(fc.oneof(fc.string(), fc.bigInt(), fc.integer()), { maxLength: 5 });

test("every id is a UUID of version 8 and of the RFC's variant, and that of its parts alone", () => {
  fc.assert(
    fc.property(fc.string(), parts, (kind, list) => {
      const id = idOf(kind, ...list);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(idOf(kind, ...list)).toBe(id);
      const hash = sha256([kind, ...list].map((part) => `${String(part).length}:${part}`).join(""));
      // All of the hash's first 128 bits but the six that say version and variant.
      const bits = (hex: string) => BigInt(`0x${hex}`) & ~(0xf000n << 64n) & ~(0x3n << 62n);
      expect(bits(id.replaceAll("-", ""))).toBe(bits(hash.slice(0, 32)));
    }),
  );
});

test("parts are told apart wherever they are cut: equal ids mean equal parts", () => {
  // From few letters, digits and colons, so that lists run into one another often.
  const piece = fc.stringMatching(/^[a1:]{0,3}$/);
  const list = fc.array(piece, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(list, list, ([kind = "", ...a], [other = "", ...b]) => {
      expect(idOf(kind, ...a) === idOf(other, ...b)).toBe(JSON.stringify([kind, a]) === JSON.stringify([other, b]));
    }),
    { numRuns: 2000 },
  );
  expect(idOf("x", "ab", "c")).not.toBe(idOf("x", "a", "bc"));
  expect(idOf("x", "1:a")).not.toBe(idOf("x", "", "a"));
  expect(idOf("x")).not.toBe(idOf("x", ""));
});

test.each([
  ["wallet", WalletId],
  ["event", EventId],
  ["order", OrderId],
  ["position", PositionId],
] as const)("a %s id is read from text, and nothing else is", (kind, schema) => {
  const id = idOf(kind, "one");
  expect(schema.parse(id)).toBe(id);
  for (const other of ["", "one", id.slice(1), `${id} `, `{${id}}`])
    expect(schema.safeParse(other).success).toBe(false);
});
