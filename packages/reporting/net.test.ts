import { expect, test } from "vitest";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { netUsdOf, oppositeNetUsdOf } from "./net.ts";

const END = instantOf("2022-06-21T04:00:00.000Z");
const parts = (realized: string | null, unrealized: string | null, fees: string, funding: string, isOpen = false) => ({
  feesUnvalued: false,
  closedAt: isOpen ? null : END,
  realizedUsd: realized === null ? null : decimalOf(realized),
  unrealizedUsd: unrealized === null ? null : decimalOf(unrealized),
  feesUsd: decimalOf(fees),
  fundingUsd: decimalOf(funding),
});

test.each([
  ["a win that the fees take is a loss, on either side", parts("1.02", null, "2.20", "0"), "-1.18", "-3.22"],
  ["funding is paid by one side and received by the other", parts("10", "0", "1", "2.5"), "6.5", "-8.5"],
  ["an open position counts what it would bring now", parts("-3", "8.25", "1", "-0.5", true), "4.75", "-6.75"],
  ["what was unrealized before the close is over", parts("5", "99", "1", "0"), "4", "-6"],
  ["an unpriced open position has no result", parts("5", null, "1", "0", true), null, null],
  ["nor has one with a fee that nobody can value", { ...parts("5", null, "1", "0"), feesUnvalued: true }, null, null],
  ["nor has one whose realized result is not known", parts(null, "1", "1", "0", true), null, null],
])("%s", (_, position, net, opposite) => {
  expect(netUsdOf(position)).toBe(net);
  expect(oppositeNetUsdOf(position)).toBe(opposite);
});
