import { reportRecords, saveReport } from "#db/reading/reports";
import { lookAtArming } from "#db/trading/arming";
import { composeReport } from "#reporting/compose";
import { markdown } from "#reporting/markdown";
import { periodAt } from "#reporting/period";
import { armingJudge } from "#runtime/arming-judge";
import { measure } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";

/** Builds the report of the four hours that just ended, or, between boundaries, of the part that has passed. */
export const handler = schedule("build-report", async ({ at }, { database, publish, settings }) => {
  const { mode, venue, chain, inputName, generated, explorerUrl, policy } = settings;
  const scope = { ...periodAt(at), mode, venue, chain, inputName, generated, explorerUrl, policy };
  const armed = mode === "live" ? await lookAtArming(database, mode, armingJudge(settings)) : null;
  const report = composeReport(await reportRecords(database, scope), armed);
  const entityId = await saveReport(database, report, markdown(report));
  measure("ReportsBuilt", 1);
  const { type, start, end } = scope;
  await publish("report.built", [{ entityType: "report", entityId, at, body: { type, start, end } }]);
});
