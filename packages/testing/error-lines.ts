/**
 * Setup of every test file: a test that passes writes no error line of the log. One that means to cause an error takes its
 * lines with `useSink` and asserts them; any other is an error that nobody looks at. A test that fails keeps its own reason.
 */
import { afterAll, afterEach } from "vitest";

const ERROR_LINE = /"level":"error"/i; // Lambda's logger writes it in capitals
const written: string[] = [];

for (const stream of [process.stdout, process.stderr]) {
  const { write } = stream;
  stream.write = ((chunk: unknown, ...rest: never[]) => {
    if (typeof chunk === "string" && ERROR_LINE.test(chunk)) written.push(chunk.trim());
    return write.call(stream, chunk as string, ...rest);
  }) as typeof write;
}

/** A test passed and left an error in the log that it did not assert. */
export class UnassertedErrorLine extends Error {
  override name = "UnassertedErrorLine";
  constructor(lines: readonly string[]) {
    super(`take these lines with useSink and assert them, or mend what wrote them:\n${lines.join("\n")}`);
  }
}

function refuseErrorLines(): void {
  const lines = written.splice(0);
  if (lines.length > 0) throw new UnassertedErrorLine(lines);
}

afterEach(({ task }) => {
  if (task.result?.state === "fail") written.length = 0;
  else refuseErrorLines();
});
afterAll(refuseErrorLines);
