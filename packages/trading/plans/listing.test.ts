import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import type { Listing } from "../venue.ts";
import { listingFaults } from "./listing.ts";
import { POLICY } from "./policy.ts";

const AT = instantOf("2022-06-21T02:40:00.000Z");
const LIVE: Listing = { terms: ETH_SWAP, state: "live", changes: [] };
const changing = (at: string): Listing => ({ ...LIVE, changes: [{ what: "tickSz", to: "0.1", at: instantOf(at) }] });
const terms = (more: Partial<typeof ETH_SWAP>): Listing => ({ ...LIVE, terms: { ...ETH_SWAP, ...more } });

test.each<[string, Listing | null, string[]]>([
  ["as planned", LIVE, []],
  ["nowhere", null, ["instrument_not_listed"]],
  ["suspended", { ...LIVE, state: "suspend" }, ["instrument_not_live"]],
  ["with terms that are not traded", { ...LIVE, terms: null }, ["contract_changed"]],
  ["with another size", terms({ contractSize: decimalOf("1") }), ["contract_changed"]],
  ["with another lot", terms({ lotSize: decimalOf("0.2") }), ["contract_changed"]],
  ["with another minimum", terms({ minSize: decimalOf("0.2") }), ["contract_changed"]],
  ["with another tick", terms({ tickSize: decimalOf("0.05") }), ["contract_changed"]],
  ["with the same tick in other words", terms({ tickSize: decimalOf(`${ETH_SWAP.tickSize}0`) }), []],
  ["with another leverage", terms({ maxLeverage: decimalOf("20") }), []], // the limit on leverage minds it
  ["to change in an hour", changing("2022-06-21T03:40:00.000Z"), ["contract_changes"]],
  ["to change later", changing("2022-06-21T03:40:00.001Z"), []],
  ["changed an hour ago", changing("2022-06-21T01:40:00.000Z"), ["contract_changes"]],
  ["changed before that", changing("2022-06-21T01:39:59.999Z"), []],
  [
    "in every way at once",
    { ...changing("2022-06-21T03:00:00.000Z"), state: "suspend", terms: null },
    ["instrument_not_live", "contract_changed", "contract_changes"],
  ],
])("listed %s", (_, listing, faults) => {
  expect(listingFaults(listing, ETH_SWAP, AT, POLICY)).toEqual(faults);
});
