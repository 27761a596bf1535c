import * as z from "zod";
import { Report } from "#reporting/report";
import type { Contract } from "./contract.ts";

/** The newest report, as the record or as Markdown. */
export const latestReportContract = {
  query: z.strictObject({ format: z.enum(["json", "markdown"]).optional() }),
  reply: Report.extend({ id: z.uuid() }).meta({ id: "Report" }),
  problems: { 404: "no report has been built yet" },
  isMarkdownToo: true,
} as const satisfies Contract;
