import * as z from "zod";

/** Why a request is not answered, as `application/problem+json`. Source: RFC 9457. */
export const ProblemReply = z
  .object({
    /** The status says it all. */
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int().min(300).max(599),
    /** One sentence for a person. */
    detail: z.string(),
    /** Of a 400: each field that is wrong, and how. */
    fields: z.array(z.object({ field: z.string(), problem: z.string() })).optional(),
    /** Finds the request in the log; left out where nothing is logged of it. */
    traceId: z.string().optional(),
  })
  .meta({ id: "Problem" });
