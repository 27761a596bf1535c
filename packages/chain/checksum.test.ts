import { getAddress } from "ethers";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalAddress, checksumAddress } from "./checksum.ts";

const anyAddress = fc.stringMatching(/^[0-9a-f]{40}$/).map((digits) => `0x${digits}`);

test("the checksum is the one that ethers writes", () => {
  fc.assert(fc.property(anyAddress, (address) => checksumAddress(address) === getAddress(address)));
});

test("an address is accepted in lower case, in upper case and with its checksum", () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      expect(canonicalAddress(address)).toBe(address);
      expect(canonicalAddress(`0x${address.slice(2).toUpperCase()}`)).toBe(address);
      expect(canonicalAddress(checksumAddress(address))).toBe(address);
    }),
  );
});

test("one letter in the wrong case is refused", () => {
  expect(canonicalAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")).toBe(
    "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
  );
  expect(canonicalAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD")).toBeNull();
});

test.each(["", "0x", "0x5aaeb6", "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", `0x${"g".repeat(40)}`])(
  "%j is no address",
  (text) => expect(canonicalAddress(text)).toBeNull(),
);
