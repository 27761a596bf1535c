import fc from "fast-check";
import { expect, test } from "vitest";
import { Decimal } from "./decimal.ts";
import { idOf, WalletId } from "./ids.ts";
import { storedDecimal, storedId } from "./stored.ts";

test("what the database has checked is taken as it stands, and is what the schemas would make of it", () => {
  const written = fc
    .tuple(fc.constantFrom("", "-"), fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.stringMatching(/^(\.\d{1,18})?$/))
    .map(([sign, whole, fraction]) => `${sign}${whole}${fraction}`);
  fc.assert(
    fc.property(written, fc.string(), (number, name) => {
      expect(storedDecimal(number)).toBe(Decimal.parse(number));
      const id = idOf("wallet", name);
      expect(storedId<"wallet">(String(id))).toBe(WalletId.parse(id));
    }),
  );
});
