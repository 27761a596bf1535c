import { latestReport } from "#db/reading/reports";
import { route } from "#runtime/route";
import { latestReportContract } from "#topology/contracts/latest-report";

/** The newest report: Markdown when `?format=markdown` or the Accept header asks for it, else the record as JSON. */
export const answer = route(
  "GET /api/reports/latest",
  latestReportContract,
  async ({ query: { format }, accept }, { database }) => {
    const stored = await latestReport(database);
    if (stored === null) return { status: 404, problem: "no report has been built yet" };
    const { id, report, markdown } = stored;
    const asked = format ?? (/\btext\/markdown\b/i.test(accept) ? "markdown" : "json");
    return asked === "markdown" ? { status: 200, markdown } : { status: 200, body: { id, ...report } };
  },
);
