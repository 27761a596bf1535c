import type { Db } from "#db/client";
import { reportRecords, saveReport } from "#db/reading/reports";
import { latestWallets } from "#db/reading/wallet-lines";
import { composeReport } from "#reporting/compose";
import { markdown } from "#reporting/markdown";
import type { Report, Scope, WalletLine } from "#reporting/report";
import type { Settings } from "#runtime/config";
import { type Instant, instant, millis } from "#units/time";

/** What a finished run is reported from. */
export interface RunReport {
  readonly report: Report;
  readonly markdown: string;
  /** Every wallet that was scored, as the report has those that moved most. */
  readonly wallets: readonly WalletLine[];
  /** Every watched wallet with its latest score, at the end of the run. */
  readonly settled: readonly WalletLine[];
}

/**
 * Builds, stores and returns the report of a whole run (type `run`): all that the desk saw from `start` up to and with
 * `end`. The four-hour reports of the run stay beside it. Its biases and its scores are those after the last block.
 */
export async function buildRunReport(db: Db, settings: Settings, start: Instant, end: Instant): Promise<RunReport> {
  const { mode, venue, chain, inputName, generated, explorerUrl, policy } = settings;
  const scope: Scope = {
    type: "run",
    start,
    end: instant(millis(end) + 1), // a period is half open, and a run's last instant is part of it
    mode,
    venue,
    chain,
    inputName,
    generated,
    explorerUrl,
    policy,
  };
  const records = await reportRecords(db, scope);
  const report = composeReport(records);
  const text = markdown(report);
  await saveReport(db, report, text);
  const settled = await latestWallets(db, { limit: null });
  return { report, markdown: text, wallets: records.wallets, settled };
}
