import { keccak256 } from "ethers";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bloomBits, bytesOf, hexOf, keccak } from "./keccak.ts";

const hex = fc.uint8Array({ maxLength: 300 }).map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`);

test("keccak equals ethers' for any bytes, in either case", () => {
  fc.assert(fc.property(hex, (bytes) => keccak(bytes) === keccak256(bytes)));
  fc.assert(fc.property(hex, (bytes) => hexOf(bytesOf(bytes)) === bytes));
  expect(keccak("0xABCD")).toBe(keccak256("0xabcd"));
});

test("bloom bits are the low eleven bits of the first three pairs of bytes", () => {
  fc.assert(
    fc.property(hex, (bytes) => {
      const hash = keccak256(bytes);
      const [a, b, c] = [2, 6, 10].map((at) => Number.parseInt(hash.slice(at, at + 4), 16) & 2047) as [
        number,
        number,
        number,
      ];
      expect(bloomBits(bytes)).toBe(a + 2048 * b + 4_194_304 * c);
    }),
  );
});
