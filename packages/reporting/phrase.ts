import { big, type Decimal, text, ZERO } from "#units/decimal";
import { averagePrice, compact, exact, percent, price, shortHash, signedMoney, usd } from "./format.ts";
import type { Metrics } from "./metrics.ts";
import type { ResultParts } from "./net.ts";
import { plain } from "./plain.ts";
import type { BiasLine, EventLine, OrderLine, PositionLine, WaitingLine, WalletName } from "./report.ts";

/**
 * Turns text from outside into one safe line of at most `max` letters where it will be shown: `plain` for a terminal,
 * `escaped` for Markdown.
 */
export type Clean = (text: string, max?: number) => string;

/** Returns a wallet's label, or its short address where it has none. */
export const walletName = (wallet: WalletName, clean: Clean = plain): string =>
  wallet.label === null || wallet.label.trim() === "" ? clean(shortHash(wallet.address)) : clean(wallet.label);

type Wording = readonly [gained: string, lost: string, after: string];

const WORDS: Readonly<Record<string, Wording>> = {
  swap: ["bought", "sold", ""],
  cex_deposit: ["sent", "sent", " to an exchange"],
  cex_withdrawal: ["took", "took", " from an exchange"],
  transfer_in: ["received", "received", ""],
  transfer_out: ["sent away", "sent away", ""],
  liquidity_add: ["added", "added", " to a pool"],
  liquidity_remove: ["took", "took", " out of a pool"],
  stake: ["staked", "staked", ""],
  unstake: ["unstaked", "unstaked", ""],
  lend: ["lent", "lent", ""],
  unlend: ["took back", "took back", " from lending"],
  borrow: ["borrowed", "borrowed", ""],
  repay: ["repaid", "repaid", ""],
  bridge_out: ["bridged", "bridged", " out"],
  bridge_in: ["bridged", "bridged", " in"],
  wrap: ["wrapped", "unwrapped", ""],
  mint_burn: ["minted", "burned", ""],
  liquidation: ["was paid", "lost", " in a liquidation"],
  complex: ["gained", "gave up", " in a complex transaction"],
};

const quantity = ({ amount, notionalUsd, asset: symbol }: EventLine, clean: Clean): string => {
  // The amount of a token that nobody listed is in its base units, which say nothing.
  if (symbol === null) return "an unlisted token (unpriced)";
  const asset = clean(symbol);
  if (notionalUsd !== null) return `${usd(notionalUsd)} of ${asset}`;
  return amount === null ? `${asset} (unpriced)` : `${compact(amount)} ${asset} (unpriced)`;
};

/** Returns what a wallet did, without its name: "bought 1.2M USD of ETH", "sent 40 FOO (unpriced) to an exchange". */
export function deed(event: EventLine, clean: Clean = plain): string {
  const [gained, lost, after] = WORDS[event.type] ?? ["gained", "gave up", ` (${clean(event.type)})`];
  const verb =
    event.direction < 0 ? lost : event.direction > 0 ? gained : event.type === "swap" ? "swapped into" : gained;
  return `${verb} ${quantity(event, clean)}${after}`;
}

/** Returns whether anything is behind a bias: without it, 0.00 would say that the market is balanced, and nobody knows. */
export const isKnown = (line: Pick<BiasLine, "value" | "confidence" | "contributions">): boolean =>
  line.value !== 0 || (line.confidence ?? 0) > 0 || line.contributions.length > 0;

/** Returns a wallet's kind in words, or null where it is not known. */
export const kindOf = (archetype: string | null): string | null =>
  archetype === null || archetype === "unknown" ? null : spoken(archetype);

/** Returns which way a bias leans, as a verb: "leans up", "is flat". The steps are those of docs/glossary.md#bias. */
export function lean(value: number): string {
  const size = Math.abs(value);
  if (size < 0.02) return "is flat";
  const way = value > 0 ? "up" : "down";
  if (size < 0.1) return `leans slightly ${way}`;
  return size < 0.4 ? `leans ${way}` : `leans strongly ${way}`;
}

/** Returns words of a machine name: "cex_deposit" → "cex deposit", "maxRisk" → "max risk". */
export const spoken = (name: string): string =>
  name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll(/[_-]+/g, " ")
    .toLowerCase();

/** Returns contracts with their unit: "1 contract", "0.5 contracts". */
const contracts = (size: Decimal): string => `${exact(size)} ${size === "1" ? "contract" : "contracts"}`;

/** Returns how large an order is, in its asset and exact: "0.01 BTC (1 contract)". */
export const orderSize = ({ size, assetSize, asset }: OrderLine, clean: Clean = plain): string =>
  assetSize === null ? contracts(size) : `${exact(assetSize)} ${clean(asset)} (${contracts(size)})`;

/** Returns how much of an order was filled where that is a part of it: "0.005 BTC", else null. */
export function partFilled(order: OrderLine, clean: Clean = plain): string | null {
  const { size, filledSize, filledAssetSize, asset } = order;
  if (!big(filledSize).gt(0) || big(filledSize).eq(size)) return null;
  return filledAssetSize === null ? contracts(filledSize) : `${exact(filledAssetSize)} ${clean(asset)}`;
}

/** Returns what stands behind a rate: " (chance 44.7%)"; "" where there is none. Source: docs/glossary.md#chance. */
export const chance = (share: number | null, places = 0): string =>
  share === null ? "" : ` (chance ${percent(share, places)})`;

/**
 * Returns what a position came to and of which parts, each with its sign, so that they add up:
 * "net +15.23: realized +18.00, fees -2.77, funding 0.00".
 */
export function result(position: ResultParts & Pick<PositionLine, "netUsd">): string {
  const { netUsd, realizedUsd, unrealizedUsd, feesUsd, fundingUsd, closedAt } = position;
  const known = (amount: Decimal | null): string => (amount === null ? "unpriced" : signedMoney(amount));
  const minus = (amount: Decimal): string => signedMoney(text(big(amount).neg()));
  const parts = [
    `realized ${known(realizedUsd)}`,
    ...(closedAt === null ? [`unrealized ${known(unrealizedUsd)}`] : []),
    `fees ${minus(feesUsd)}${andUnvalued(position)}`,
    `funding ${minus(fundingUsd)}`,
  ];
  return `net ${known(netUsd)}: ${parts.join(", ")}`;
}

/** Returns the figures of what waits: "12 ETH (120 contracts), 2.7% from the mark, -285.60 USD net of fee". */
export function waitingText({ size, contracts: count, awayPercent, netUsd }: WaitingLine, asset: string): string {
  const closes =
    count === null ? [] : [size === null ? contracts(count) : `${exact(size)} ${asset} (${contracts(count)})`];
  const away = awayPercent === null ? [] : [`${awayPercent}% from the mark`];
  const net = netUsd === null ? [] : [`${signedMoney(netUsd)} USD net of fee`];
  return [...closes, ...away, ...net].join(", ");
}

const since = (liveAt: WaitingLine["liveAt"]): string => `at the venue since ${liveAt.slice(11, 19)}`;

/**
 * Returns where the stop of an open position stands, what it closes, how far it is, what it would come to and for how long the
 * position had none. A position without one, or of which it covers a part, says so as an alarm:
 * "ALARM: no stop at the venue for 12 ETH, wanted at 1,104.10".
 */
export function stopText(position: PositionLine, clean: Clean = plain): string {
  const { stopPrice, atVenue, uncovered, size } = position;
  const asset = clean(position.asset);
  if (atVenue === undefined) return stopPrice === null ? "no stop" : `stop ${price(stopPrice)}`;
  if (atVenue === null && uncovered === ZERO) return "no stop: it is dust, too small to be closed by an order";
  if (atVenue === null) {
    const held = size === null ? "what is held" : `${exact(size)} ${asset}`;
    return `ALARM: no stop at the venue for ${held}${stopPrice === null ? "" : `, wanted at ${price(stopPrice)}`}`;
  }
  const { trigger, liveAt, unprotectedSeconds } = atVenue;
  const figures = waitingText(atVenue, asset);
  const bare = uncovered !== null && big(uncovered).gt(0) ? [`ALARM: no stop for ${contracts(uncovered)}`] : [];
  const parts = [...(figures === "" ? [] : [figures]), since(liveAt), `${unprotectedSeconds.toFixed(1)} s without one`];
  return [...bare, `stop ${price(trigger)}: ${parts.join(", ")}`].join("; ");
}

/** Returns a line for each take-profit that waits: "take-profit 1,150.70: 4 ETH (40 contracts), 1.4% from the mark, …". */
export function legTexts({ legs, asset }: PositionLine, clean: Clean = plain): string[] {
  return legs.map((leg) => {
    const figures = waitingText(leg, clean(asset));
    return `take-profit ${price(leg.trigger)}: ${[...(figures === "" ? [] : [figures]), since(leg.liveAt)].join(", ")}`;
  });
}

/** Returns what stands behind fees of which some have no value: a sum is not shown as whole when it is not. */
export const andUnvalued = ({ feesUnvalued }: Pick<PositionLine, "feesUnvalued">): string =>
  feesUnvalued ? " and one that has no price" : "";

/** Returns what was traded in a position and at which average prices: "1.11 ETH (0.8 at most) from 2,501.9312 to 2,485.7144". */
export function course(position: PositionLine, clean: Clean = plain): string {
  const { tradedSize, peakSize, entryPrice, closedAt } = position;
  const size = tradedSize ?? position.size;
  const last = closedAt === null ? position.markPrice : position.exitPrice;
  const at = (value: Decimal | null): string =>
    value === null ? "unpriced" : size === null ? price(value) : averagePrice(value, size);
  const peak = peakSize === null ? "" : ` (${exact(peakSize)} at most)`;
  const traded = tradedSize === null ? "" : `traded ${exact(tradedSize)} ${clean(position.asset)}${peak}, `;
  return `${traded}entry ${at(entryPrice)}, ${closedAt === null ? "mark" : "exit"} ${at(last)}`;
}

/** Returns what was traded, and how often equity was turned over a day: "49.8k USD, 0.41 of equity a day". */
export function turnoverText({ turnoverUsd, turnoverADay }: Metrics["orders"]): string {
  const aDay = turnoverADay === null ? "" : `, ${turnoverADay.toFixed(2)} of equity a day`;
  return `${usd(turnoverUsd)}${aDay}`;
}
