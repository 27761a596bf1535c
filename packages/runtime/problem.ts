import { STATUS_CODES } from "node:http";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";

/** A field that is wrong, and how. */
export interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

/** Why a request is not answered. */
export interface Problem {
  readonly status: number;
  /** One sentence for a person. */
  readonly detail: string;
  readonly fields?: readonly FieldProblem[];
  /** What finds the request in the log; left out where nothing is logged of it. */
  readonly traceId?: string;
}

/** Returns a problem as a reply. Source: RFC 9457; the type "about:blank" says no more than the status does. */
export const problemReply = (
  { status, detail, fields, traceId }: Problem,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyStructuredResultV2 => ({
  statusCode: status,
  headers: {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
    "content-type": "application/problem+json",
  },
  body: JSON.stringify({ type: "about:blank", title: STATUS_CODES[status] ?? "", status, detail, fields, traceId }),
});
