/** A recording (or one of the files that go into one) that cannot be used: which file, what is wrong, what to do. */
export class RecordingError extends Error {
  override name = "RecordingError";
  readonly file: string;
  readonly problem: string;
  readonly remedy: string;

  constructor(file: string, problem: string, remedy: string, cause?: unknown) {
    super(`${file}: ${problem}. ${remedy}`, { cause });
    this.file = file;
    this.problem = problem;
    this.remedy = remedy;
  }
}

/** A line of a watch list whose address is no Ethereum address, or whose mixed case is not its EIP-55 checksum. */
export class WatchlistAddressError extends RecordingError {
  override name = "WatchlistAddressError";
  readonly line: number;
  readonly address: string;

  constructor(file: string, line: number, address: string, problem: string) {
    super(
      file,
      `line ${line}: ${JSON.stringify(address)} ${problem}`,
      "Copy the address again from its source, or write it all in lower case if you are sure of it",
    );
    this.line = line;
    this.address = address;
  }
}
