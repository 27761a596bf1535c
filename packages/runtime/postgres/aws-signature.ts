import { createHash, createHmac } from "node:crypto";

/** What a function's role signs with. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Set for a role's keys, which are temporary. */
  readonly sessionToken?: string | undefined;
}

/** Where and when a request is signed for. */
export interface Scope {
  readonly region: string;
  readonly service: string;
  readonly keys: AwsKeys;
  readonly at: Date;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const hex = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
// encodeURIComponent leaves five characters that AWS wants encoded.
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
const stampOf = (at: Date): string => at.toISOString().replace(/[-:]|\.\d{3}/g, "");

/** Returns the query in the order and the spelling that the signature covers. */
const canonicalQuery = (query: Readonly<Record<string, string>>): string =>
  Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join("&");

interface Canonical {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function signed({ method, path, query, headers, body }: Canonical, { region, service, keys, at }: Scope) {
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]?.trim()}\n`).join("");
  const request = [method, path, query, lines, names.join(";"), hex(body)].join("\n");
  const stamp = stampOf(at);
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  const dated = hmac(`AWS4${keys.secretAccessKey}`, stamp.slice(0, 8));
  const key = hmac(hmac(hmac(dated, region), service), "aws4_request");
  const signature = hmac(key, [ALGORITHM, stamp, scope, hex(request)].join("\n")).toString("hex");
  return { signature, scope, names: names.join(";"), stamp };
}

/**
 * Returns the headers of a signed request: those given (lower case, with `host`), the date, the session's token and the
 * signature. Written here because the SDK's client of the one call that needs it is larger than a whole API function.
 * Source: AWS IAM user guide, "Create a signed AWS API request" (Signature Version 4).
 */
export function signedHeaders(
  request: {
    readonly method: string;
    readonly url: URL;
    readonly headers: Record<string, string>;
    readonly body: string;
  },
  scope: Scope,
): Record<string, string> {
  const { method, url, body } = request;
  const token = scope.keys.sessionToken;
  const headers = {
    ...request.headers,
    host: url.host,
    "x-amz-date": stampOf(scope.at),
    ...(token === undefined ? {} : { "x-amz-security-token": token }),
  };
  const query = canonicalQuery(Object.fromEntries(url.searchParams));
  const { signature, scope: place, names } = signed({ method, path: url.pathname, query, headers, body }, scope);
  const credential = `${scope.keys.accessKeyId}/${place}`;
  return {
    ...headers,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

// RDS takes a token for a quarter of an hour. Source: RDS user guide, "IAM database authentication".
const TOKEN_SECONDS = 900;

/**
 * Returns a token that opens a database session as `username` in place of a password, to RDS or RDS Proxy with IAM
 * authentication. Good for 15 minutes, and only for opening. Source: RDS user guide, "Connecting using IAM".
 */
export function rdsToken(
  to: { readonly host: string; readonly port: number; readonly username: string },
  scope: Omit<Scope, "service">,
): string {
  const full = { ...scope, service: "rds-db" };
  const host = `${to.host}:${to.port}`;
  const { accessKeyId, sessionToken } = scope.keys;
  const stamp = stampOf(scope.at);
  const query = canonicalQuery({
    Action: "connect",
    DBUser: to.username,
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${accessKeyId}/${stamp.slice(0, 8)}/${scope.region}/rds-db/aws4_request`,
    "X-Amz-Date": stamp,
    "X-Amz-Expires": String(TOKEN_SECONDS),
    "X-Amz-SignedHeaders": "host",
    ...(sessionToken === undefined ? {} : { "X-Amz-Security-Token": sessionToken }),
  });
  const { signature } = signed({ method: "GET", path: "/", query, headers: { host }, body: "" }, full);
  return `${host}/?${query}&X-Amz-Signature=${signature}`;
}
