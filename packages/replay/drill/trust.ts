import { watchedWallets } from "#db/chain/wallets";
import type { Db } from "#db/client";
import { saveScore } from "#db/signals/scores";
import { credibilityOf, evidenceOf, overallWinRate } from "#scoring/credibility";
import type { Bet } from "#scoring/statistics";
import { fixed } from "#units/decimal";
import { EventId } from "#units/ids";
import { HORIZONS, type Horizon, type Instant, instant, millis } from "#units/time";

const DAY_MS = 86_400_000;
const BETS = 24;

/** Bets of half a standard deviation each, a day apart, up to a day before `at`. */
const goodBets = (at: Instant): Bet[] =>
  Array.from({ length: BETS }, (_, i) => ({
    eventId: EventId.parse(`00000000-0000-4000-8000-${String(i).padStart(12, "0")}`),
    asset: "ETH",
    enteredAt: instant(millis(at) - (i + 2) * DAY_MS),
    excess: 0.5 + (i % 3) / 10,
    cost: 0.05,
  }));

/**
 * Gives every watched wallet a good record before `at`, so that a recording of half an hour has orders in it: by itself
 * the desk would know nobody before the first outcomes have settled, hours later.
 */
export async function trustWallets(db: Db, chain: string, at: Instant): Promise<void> {
  const bets = Object.fromEntries(HORIZONS.map((horizon) => [horizon, goodBets(at)])) as Record<Horizon, Bet[]>;
  const evidence = evidenceOf(bets, [], at);
  const credibility = (horizon: Horizon) => fixed(credibilityOf(evidence[horizon].probability), 1);
  const winRate = overallWinRate(evidence);
  for (const { id } of await watchedWallets(db, chain)) {
    await saveScore(db, {
      walletId: id,
      timestamp: instant(millis(at) - DAY_MS),
      credibility1h: credibility("1h"),
      credibility4h: credibility("4h"),
      credibility24h: credibility("24h"),
      equityUsd: null,
      tradingVolume24h: null,
      winRate: winRate === null ? null : fixed(winRate, 4),
      archetype: "unclassified",
      evidence: { ...evidence, archetypes: {} },
    });
  }
}
