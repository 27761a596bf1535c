import { contributionsOf, DEFAULT_LARGE_USD } from "#analysis/contribution";
import type { ObservedEvent, PastEvent } from "#analysis/observed-event";
import { analyze } from "#analysis/pattern";
import { type ChainEvent, qualityOf } from "#chain/event";
import { eventById, positionOf, walletHistory } from "#db/chain/events";
import { assetPast, saveAnalysis } from "#db/signals/analyses";
import { probabilitiesBefore } from "#db/signals/scores";
import { consume } from "#runtime/consume";
import { instant, millis } from "#units/time";

const HISTORY_MS = 7 * 86_400_000;
const dollars = (value: string | null): number | null => (value === null ? null : Number(value));

const observed = (event: ChainEvent): ObservedEvent => ({
  ...event,
  notionalUsd: dollars(event.notionalUsd),
  sizeFraction: dollars(event.sizeFraction),
  quality: qualityOf(event.evidence),
  otherAssets: event.evidence.legs.flatMap(({ asset }) => (asset === null || asset === event.asset ? [] : [asset])),
});

/** Names an event's pattern and weighs what it adds to each bias, with the wallet's credibility as it stood before it. */
export const handler = consume("events", async ({ eventId, at }, { database }) => {
  const stored = await eventById(database, eventId);
  if (stored === null) return; // taken back by a reorg
  const event = observed(stored.event);
  const since = instant(millis(event.timestamp) - HISTORY_MS);
  const past = await walletHistory(database, event.walletId, positionOf(stored.event), since);
  const history = past.map((row): PastEvent => ({ ...row, notionalUsd: dollars(row.notionalUsd) })).reverse();
  const { largeUsd, flow } = await assetPast(database, stored.event.asset, event.walletId, event.timestamp);
  const believed = await probabilitiesBefore(database, event.walletId, event.observedAt);
  const analysis = analyze(event, history, flow);
  const shares = contributionsOf(event, analysis, believed, history, largeUsd ?? DEFAULT_LARGE_USD);
  await saveAnalysis(database, event, analysis, shares, at);
});
