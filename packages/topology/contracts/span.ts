import * as z from "zod";
import { Instant, millis } from "#units/time";
import { whole } from "./query.ts";

/** The longest span of a chart: more points than a chart has, in days. */
const MOST_DAYS = 5000;

/** From when, the instant included, and until when, not included. */
export const From = Instant;
export const To = Instant;

/** How far apart the points of a chart are at least, in seconds. */
export const StepSeconds = whole({ from: 60, to: 86_400, otherwise: 60 });

const Ends = z.object({ from: From, to: To });

/** Returns a query of a chart, which has `fields` beside its span: `to` is after `from`, by 5,000 days at most. */
export const charted = <S extends z.ZodRawShape>(fields: S) =>
  z.strictObject({ from: From, to: To, ...fields }).superRefine((query, context) => {
    const { data } = Ends.safeParse(query);
    const days = data ? (millis(data.to) - millis(data.from)) / 86_400_000 : 1; // what is no time has been said
    if (days > 0 && days <= MOST_DAYS) return;
    const message = days > 0 ? `at most ${MOST_DAYS} days after from` : "after from";
    context.addIssue({ code: "custom", path: ["to"], message });
  });
