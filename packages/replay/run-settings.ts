import { seedCursor } from "#db/chain/blocks";
import { upsertLabels } from "#db/chain/labels";
import { watchWallets } from "#db/chain/wallets";
import type { Db } from "#db/client";
import { SECRET_ID } from "#doubles/venue/key";
import { policyOn } from "#recording/policy";
import type { Recording } from "#recording/recording";
import type { PolicyDifferences } from "#trading/plans/policy";
import type { Instant } from "#units/time";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Returns when a replay's clock starts, in milliseconds since the epoch: a minute before the first block. */
export const startOf = ({ headers }: Recording): number =>
  Math.floor(((headers[0]?.timestamp ?? 0) * 1000) / MINUTE) * MINUTE - MINUTE;

/** Writes what the desk must know before the first block: whom it watches, who is who, and where the chain begins. */
export async function seedDesk(db: Db, recording: Recording, at: Instant): Promise<void> {
  const { manifest, headers } = recording;
  const first = headers[0];
  if (!first) return;
  await upsertLabels(db, manifest.chain, recording.labels);
  await watchWallets(db, manifest.chain, recording.watchlist, at);
  await seedCursor(db, manifest.chain, { number: first.number - 1, hash: first.parentHash });
}

/** What the settings of a replay are made from. `policy`: the limits that differ; left out = those of its input. */
export interface SettingsSource {
  readonly recording: Recording;
  readonly gitSha: string;
  readonly policy?: PolicyDifferences | undefined;
}

/** Returns the settings and addresses of a replay, by the names of packages/runtime/config.ts. */
export function settingsOf(
  { recording, gitSha, policy }: SettingsSource,
  { nodeUrl, venueUrl }: { readonly nodeUrl: string; readonly venueUrl: string },
  start: number,
): Record<string, string> {
  const { manifest } = recording;
  const opened = manifest.instruments.flatMap((id) => recording.candles(id)[0]?.openedAt ?? []);
  const earliest = Math.min(start, ...opened.map((at) => Date.parse(at)));
  return {
    SPYHOP_MODE: "demo",
    CHAIN_ID: String(manifest.chainId),
    INSTRUMENTS: manifest.instruments.join(","),
    BAR_SECONDS: String(manifest.barSeconds),
    HEAD_POLL_SECONDS: "0",
    // A replay's clock does not wait for what failed, or for what is to come later.
    RETRY_SECONDS: "1",
    QUEUE_DELAYS: "none",
    EXPLORER_URL: manifest.explorer ?? "",
    GIT_SHA: gitSha,
    VENUE: "paper",
    WARMUP_HOURS: String(Math.max(1, Math.ceil((start - earliest) / HOUR))),
    GENERATED: String(manifest.kind === "generated"),
    INPUT_NAME: manifest.name,
    POLICY: JSON.stringify(policy ?? policyOn(manifest)),
    ETH_RPC_URL: nodeUrl,
    OKX_URL: venueUrl,
    OKX_PUBLIC_URL: venueUrl,
    OKX_RATE_LIMIT: "false",
    EXCHANGE_SECRET_ID: SECRET_ID,
  };
}
