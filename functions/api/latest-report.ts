import * as z from "zod";
import { latestReport } from "#db/reading/reports";
import { route } from "#runtime/route";

const Query = z.strictObject({ format: z.enum(["json", "markdown"]).optional() });

/** The newest report: Markdown when `?format=markdown` or the Accept header asks for it, else the record as JSON. */
export const handler = route("GET /reports/latest", async ({ query, accept }, { database }) => {
  const { format } = Query.parse(query);
  const stored = await latestReport(database);
  if (stored === null) return { status: 404, body: { error: "no report has been built yet" } };
  const { id, report, markdown } = stored;
  const asked = format ?? (/\btext\/markdown\b/i.test(accept) ? "markdown" : "json");
  return asked === "markdown" ? { status: 200, markdown } : { status: 200, body: { id, ...report } };
});
