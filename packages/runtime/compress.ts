import { constants } from "node:zlib";
import type { MiddlewareObj } from "@middy/core";
import contentEncoding from "@middy/http-content-encoding";
import contentNegotiation from "@middy/http-content-negotiation";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";

type Middleware = MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Error>;

/** What is shorter goes as it is: it fits in a packet or two either way. */
const LEAST_BYTES = 1024;

/**
 * Returns what compresses a reply of more than 1 KiB as its caller takes it: Brotli, else gzip, else not. HTTP APIs compress nothing,
 * and CloudFront only what it may cache. Brotli's quality is 4: at its own, 11, 90 KB take a tenth of a second.
 */
export function compress(): Middleware[] {
  const negotiation = contentNegotiation({
    ...{ parseCharsets: false, parseLanguages: false, parseMediaTypes: false },
    ...{ availableEncodings: ["br", "gzip"], failOnMismatch: false },
  }) as Middleware;
  const { after } = contentEncoding({
    br: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
    overridePreferredEncoding: ["br", "gzip"],
  }) as Middleware;
  return [
    negotiation,
    {
      after: (request) =>
        Buffer.byteLength(request.response?.body ?? "") > LEAST_BYTES ? after?.(request) : undefined,
    },
  ];
}
