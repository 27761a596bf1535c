import { activityBefore, betsOf, peerEvidence, saveScore } from "#db/signals/scores";
import { consume } from "#runtime/consume";
import { archetypeOf, isUndirected } from "#scoring/archetype";
import { credibilityOf, evidenceOf, overallWinRate } from "#scoring/credibility";
import { fixed } from "#units/decimal";
import { barStart, type Horizon } from "#units/time";

/**
 * Scores a wallet from its outcomes as of the message. The prior comes from what the other wallets had shown before the
 * hour began: so it is the same for every wallet scored at one instant, in whatever order.
 */
export const handler = consume("wallets", async ({ walletId, at }, { database }) => {
  const bets = await betsOf(database, walletId, at);
  const peers = await peerEvidence(database, barStart(at, 3600));
  const { behaviour, equityUsd, volume24hUsd } = await activityBefore(database, walletId, at);
  const evidence = evidenceOf(bets, peers, at);
  const { archetype, probabilities } = archetypeOf(behaviour);
  const credibility = (horizon: Horizon) =>
    isUndirected(archetype) ? null : fixed(credibilityOf(evidence[horizon].probability), 1);
  const winRate = overallWinRate(evidence);
  await saveScore(database, {
    walletId,
    timestamp: at,
    credibility1h: credibility("1h"),
    credibility4h: credibility("4h"),
    credibility24h: credibility("24h"),
    equityUsd: equityUsd === null ? null : fixed(equityUsd, 2),
    tradingVolume24h: volume24hUsd === null ? null : fixed(volume24hUsd, 2),
    winRate: winRate === null ? null : fixed(winRate, 4),
    archetype,
    evidence: { ...evidence, archetypes: probabilities },
  });
});
