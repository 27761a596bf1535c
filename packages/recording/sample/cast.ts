import { id } from "ethers";
import type { Horizon } from "#units/time";
import type { Label, WatchedWallet } from "../schema.ts";
import { randomOf } from "./random.ts";

/** What a whale knows, as it was planted. The desk never reads it; the check and the tests do. */
export interface WhaleTruth {
  readonly address: string;
  readonly label: string;
  /** The horizon whose future it knows, or null when it knows nothing. */
  readonly horizon: Horizon | null;
  /** How often it bets with the future it knows, as a fraction; 0.5 when it knows nothing. */
  readonly hitRate: number;
}

/** Everybody who sends a transaction in the sample. Addresses are hashes of a role's name and belong to nobody. */
export interface Cast {
  readonly whales: readonly WhaleTruth[];
  readonly crowd: readonly string[];
  readonly exchanges: readonly string[];
  readonly arbitrageurs: readonly string[];
  readonly providers: readonly string[];
  readonly founder: string;
  readonly scammer: string;
  readonly watchlist: readonly WatchedWallet[];
  readonly labels: readonly Label[];
}

/** The informed whales: three know the next hour, three the next four, two the next day. */
const KNOWLEDGE: readonly (readonly [Horizon, number])[] = [
  ["1h", 0.9],
  ["1h", 0.85],
  ["1h", 0.8],
  ["4h", 0.95],
  ["4h", 0.9],
  ["4h", 0.85],
  ["24h", 0.95],
  ["24h", 0.9],
];
const UNINFORMED = 10;
const CROWD = 25;
/** The first of the crowd are watched as well. */
const WATCHED_CROWD = 4;
const SOURCE = "spyhop make-sample";
const LABEL_DATE = "2026-03-01";

/** Returns the address of a role: the last 20 bytes of a hash of its name, in lower case. */
const addressOf = (name: string): string => `0x${id(`spyhop sample/${name}`).slice(-40)}`;

const two = (number: number): string => String(number).padStart(2, "0");
const named = (role: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => addressOf(`${role} ${two(index + 1)}`));

/** Returns the cast of a seed. Which whales are informed is drawn, so their numbers give nothing away. */
export function castOf(seed: string): Cast {
  const knowledge = [...KNOWLEDGE, ...Array.from({ length: UNINFORMED }, () => [null, 0.5] as const)];
  const whales = randomOf(seed, "cast")
    .shuffled(knowledge)
    .map(([horizon, hitRate], index): WhaleTruth => {
      const label = `whale ${two(index + 1)}`;
      return { address: addressOf(label), label, horizon, hitRate };
    });
  const crowd = named("trader", CROWD);
  const providers = named("provider", 2);
  const exchanges = named("exchange", 3);
  const arbitrageurs = named("arbitrageur", 2);
  const watched = (address: string, label: string, tag: string): WatchedWallet => ({ address, label, tags: [tag] });
  const label = (address: string, kind: string, name: string): Label => ({
    address,
    kind,
    name,
    source: SOURCE,
    date: LABEL_DATE,
  });
  return {
    whales,
    crowd,
    exchanges,
    arbitrageurs,
    providers,
    founder: addressOf("founder"),
    scammer: addressOf("scammer"),
    watchlist: [
      ...whales.map((whale) => watched(whale.address, whale.label, "whale")),
      ...crowd.slice(0, WATCHED_CROWD).map((address, index) => watched(address, `wallet ${two(index + 1)}`, "wallet")),
      ...providers.slice(0, 1).map((address) => watched(address, "wallet 05", "wallet")),
    ],
    labels: [
      ...exchanges.map((address, index) => label(address, "cex", `Sample Exchange ${index + 1}`)),
      ...arbitrageurs.map((address, index) => label(address, "mev", `Sample Arbitrageur ${index + 1}`)),
    ],
  };
}
