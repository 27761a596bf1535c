/** A node could not be asked, or refused, or did not answer as JSON-RPC. `provider` is its host alone: paths and queries hold keys. */
export class RpcError extends Error {
  override name = "RpcError";
  readonly provider: string;
  readonly method: string;
  readonly problem: string;
  readonly status: number | null;
  /** What Retry-After asked for; null = nothing. */
  readonly retryAfterMs: number | null;
  constructor(
    provider: string,
    method: string,
    problem: string,
    status: number | null = null,
    retryAfterMs: number | null = null,
  ) {
    super(`${provider}: ${method}: ${problem}`);
    this.provider = provider;
    this.method = method;
    this.problem = problem;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A node refused a batch that may pass when it is smaller. Once it reaches the pool, the node asks for time as well. */
export class BatchRefusedError extends RpcError {
  override name = "BatchRefusedError";
}

/** A node serves another chain than the desk's: it gave a valid chain id, and a different one. */
export class ChainIdError extends Error {
  override name = "ChainIdError";
  readonly provider: string;
  readonly expected: number;
  readonly actual: string;
  constructor(provider: string, expected: number, actual: string) {
    super(`${provider} serves chain ${actual}, not ${expected}`);
    this.provider = provider;
    this.expected = expected;
    this.actual = actual;
  }
}
