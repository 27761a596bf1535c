/**
 * The venue answered with an error, or did not answer. `code` is OKX's numeric code (the order's own where there is
 * one), null when no readable reply came; `httpStatus` is null when none came at all. Credentials are scrubbed from it.
 */
export class VenueError extends Error {
  override name = "VenueError";
  readonly operation: string;
  readonly code: string | null;
  readonly httpStatus: number | null;
  readonly reason: string;
  constructor(operation: string, code: string | null, httpStatus: number | null, reason: string) {
    super(`${operation}: ${code ?? (httpStatus === null ? "no reply" : `HTTP ${httpStatus}`)}: ${reason}`);
    this.operation = operation;
    this.code = code;
    this.httpStatus = httpStatus;
    this.reason = reason;
  }
}

/** A request that this process must never make: a foreign host, a live header in demo, an order without a deadline. */
export class VenueGuardError extends Error {
  override name = "VenueGuardError";
  readonly host: string;
  readonly path: string;
  constructor(host: string, path: string, problem: string) {
    super(`refused to call ${host} ${path}: ${problem}`);
    this.host = host;
    this.path = path;
  }
}

/** The venue's reply lacks a field that the desk reads. The message names the fields, never their values. */
export class VenueShapeError extends Error {
  override name = "VenueShapeError";
  readonly operation: string;
  constructor(operation: string, problem: string) {
    super(`${operation}: unexpected reply: ${problem}`);
    this.operation = operation;
  }
}

/** Returns `text` without any of `secrets` (as they are, URL-encoded or JSON-escaped), at most 300 characters. */
export function scrub(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret === "") continue;
    for (const form of new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])) {
      clean = clean.replaceAll(form, "***");
    }
  }
  return clean.length > 300 ? `${clean.slice(0, 300)}…` : clean;
}
