import { big, type Decimal, fixed, text } from "#units/decimal";
import type { Instant } from "#units/time";
import { averagePrice, exact, money, percent, signed } from "./format.ts";
import { andUnvalued, type Clean, orderSize, partFilled, spoken } from "./phrase.ts";
import { plain } from "./plain.ts";
import type { ChangeLine, OrderLine, Why } from "./report.ts";

/** As git shortens its hashes. */
const SHORT = 12;
/** So much of an order's id tells it from every other of a desk. */
const ID_LETTERS = 8;
const VENUE_LETTERS = 80;
const CODE_LETTERS = 48;
const ARROW = "→";
const DOT = " · ";

/**
 * Returns what an order did to what is held, in one line, everywhere the same:
 * "CUT long BTC 4.84 → 3.24 ct (0.0484 → 0.0324 BTC, 3,619 → 2,422 USD) · 04:13:02 · filled 74,763.2 · cost 0.60 fee + 0.31 spread".
 * Contracts and the asset are exact, USD is rounded. Of an order without a fill it is what it asks for. Names pass
 * through `clean`.
 */
export function orderText(order: OrderLine, clean: Clean = plain): string {
  const { change, asset, filledAt, decidedAt } = order;
  if (change === null) return `${order.side} ${orderSize(order, clean)}${DOT}${outcome(order, clean)}`;
  return [changeText(change, asset, clean), second(filledAt ?? decidedAt), outcome(order, clean), ...cost(order)].join(
    DOT,
  );
}

/** Returns the change alone: "CUT long BTC 4.84 → 3.24 ct (0.0484 → 0.0324 BTC, 3,619 → 2,422 USD)". */
export function changeText(change: ChangeLine, asset: string, clean: Clean = plain): string {
  const { act, before, after, beforeAsset, afterAsset, beforeUsd, afterUsd, isAsked } = change;
  const coins =
    beforeAsset === null || afterAsset === null ? [] : [`${pair(beforeAsset, afterAsset, exact)} ${clean(asset)}`];
  const worth = beforeUsd === null || afterUsd === null ? [] : [`${pair(beforeUsd, afterUsd, dollars)} USD`];
  const also = [...coins, ...worth];
  const asked = isAsked ? " asked" : "";
  const contracts = `${pair(before, after, exact)} ct${asked}`;
  return `${act.toUpperCase()} ${held(before, after)} ${clean(asset)} ${contracts}${also.length > 0 ? ` (${also.join(", ")})` : ""}`;
}

/** The side says which way it is held, so the sizes have no sign. */
const pair = (before: Decimal, after: Decimal, shown: (amount: Decimal) => string): string =>
  `${shown(text(big(before).abs()))} ${ARROW} ${shown(text(big(after).abs()))}`;

const sideOf = (contracts: Decimal): string => (big(contracts).gt(0) ? "long" : "short");

function held(before: Decimal, after: Decimal): string {
  if (big(before).eq(0)) return sideOf(after);
  const flips = big(before).times(after).lt(0);
  return flips ? `${sideOf(before)} ${ARROW} ${sideOf(after)}` : sideOf(before);
}

/** Whole dollars from a hundred on, else with cents: rounded, never cut. */
const dollars = (amount: Decimal): string =>
  big(amount).gte("99.995") ? exact(fixed(amount, 0)) : money(amount).replace(/^0\.00$/, "0");

/** "04:13:02" in UTC. */
const second = (at: Instant): string => at.slice(11, 19);

/** The price with the digits that it takes for the order's worth to be right to the cent, and no zeros after them. */
const paid = (price: Decimal, size: Decimal): string => averagePrice(price, size).replace(/\.?0+$/, "");

function outcome(order: OrderLine, clean: Clean): string {
  const { status, averagePrice: price, filledAssetSize, filledSize, why } = order;
  if (price === null) {
    const denied = why.denied.map((code) => clean(spoken(code), CODE_LETTERS)).join(", ");
    return denied === "" ? clean(spoken(status)) : `${clean(spoken(status))}: ${denied}`;
  }
  const part = partFilled(order, clean);
  const at = paid(price, filledAssetSize ?? filledSize);
  if (part === null) return `filled ${at}`;
  const ended = status === "partially_filled" ? "" : `${clean(spoken(status))}, `;
  return `${ended}filled ${part} of it at ${at}`;
}

function cost(order: OrderLine): string[] {
  const { averagePrice: price, feesUsd, spreadUsd } = order;
  if (price === null) return [];
  const spread =
    spreadUsd === null ? "" : ` ${big(spreadUsd).lt(0) ? "-" : "+"} ${money(text(big(spreadUsd).abs()))} spread`;
  return [`cost ${money(feesUsd)} fee${andUnvalued(order)}${spread}`];
}

/** Returns why, in one line: the threshold that was crossed, the numbers behind it, what set the size, and the policy. */
export function orderWhy(order: OrderLine, clean: Clean = plain): string {
  const { why, type, error, id, instrument } = order;
  const numbers = numbersOf(order);
  return [
    `${crossed(why, type)}${numbers === "" ? "" : ` (${numbers})`}`,
    ...(why.bound.length > 0
      ? [`size set by ${why.bound.map((name) => clean(spoken(name), CODE_LETTERS)).join(", ")}`]
      : []),
    ...(error === null || why.denied.length > 0 ? [] : [`venue: ${clean(error, VENUE_LETTERS)}`]),
    why.policy === null ? "policy not known" : `policy ${clean(why.policy.version)} ${why.policy.hash.slice(0, SHORT)}`,
    `order ${id.slice(0, ID_LETTERS)} of ${clean(instrument)}`,
  ].join(DOT);
}

/** Returns which threshold a decision crossed: "signal +0.48 above enter 0.25". */
export function crossed({ trigger, signal, signalBefore }: Why, type: string): string {
  if (type === "stop") return "the position's stop was reached";
  if (type === "take_profit") return "a take-profit was reached";
  const now = `signal ${signed(trigger?.value ?? signal ?? 0, 3)}`;
  const was = signalBefore === null ? "" : `, signal ${signed(signalBefore, 3)} at the last order`;
  if (trigger === null) return signal === null ? "not the desk's own order" : `${now}${was}`;
  const { value, threshold } = trigger;
  const sized = `signal ${signed(signal ?? 0, 3)}`;
  switch (trigger.crossed) {
    case "enter":
      return `${now} ${value < 0 ? "below" : "above"} enter ${value < 0 ? "-" : ""}${threshold}${was}`;
    case "exit":
      return `${now} inside exit ${threshold}${was}`;
    case "turned":
      return `${now} turned against it, beyond ${threshold}${was}`;
    case "stale":
      return `the bias was too old: signal counts 0, inside exit ${threshold}${was}`;
    case "cap":
      return `${sized}: held ${value} ct, above the ${threshold} ct that the limits allow${was}`;
    case "reducing":
      return `${sized}: target ${percent(value)} below what is held, and the kill switch wants less${was}`;
    case "grow":
    case "shrink":
      return `${sized}: target ${percent(value)} ${trigger.crossed === "grow" ? "above" : "below"} what is held, band ${percent(threshold)}${was}`;
  }
}

function numbersOf({ why, timeframe }: OrderLine): string {
  return [
    ...(why.bias === null ? [] : [`${timeframe ?? "4h"} bias ${signed(why.bias)}`]),
    ...(why.confidence === null ? [] : [`confidence ${percent(why.confidence)}`]),
    ...(why.credibility === null ? [] : [`credibility ${why.credibility.toFixed(1)}`]),
  ].join(", ");
}

/** Returns which unit an order's size is of, and the same in the asset. */
export const sizedOf = ({ assetSize }: Pick<OrderLine, "assetSize">) => ({
  sizeUnit: "contracts" as const,
  sizeAsset: assetSize,
});
