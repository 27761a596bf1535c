import { paperKey } from "#doubles/venue/key";
import { PaperStateError } from "#doubles/venue/store";
import { paperVenue } from "#doubles/venue/venue";
import { type Arguments, type Command, runCommand, UsageError, untilAborted } from "#host/cli";
import { wallClock } from "#host/clock";
import { recordingAt } from "#recording/at";
import { recordedCandles } from "#recording/candle-source";
import { instant, millis } from "#units/time";

const command: Command = {
  usage: "npm run venue --",
  summary:
    "Runs the paper venue alone: OKX v5 over HTTP on 127.0.0.1, at the prices of a recording, for any client of OKX.",
  options: {
    recording: { value: "DIR", says: "where its prices come from", default: "recordings/sample" },
    from: { value: "TIME", says: "the market's time at the start, as 2026-03-03T00:00:00Z; default the first block's" },
    port: { value: "N", says: "on 127.0.0.1; 0 takes a free one", default: "8790" },
    account: { value: "FILE", says: "where the account is kept; without it, it ends with the venue" },
    data: { value: "DIR", says: "where recorded blocks are made a recording first", default: ".spyhop" },
  },
  notes: [
    "The market's time goes on from --from at the pace of the clock. A client takes its time from public/time, as ccxt does with",
    "adjustForTimeDifference, and sends x-simulated-trading: 1. The key is new at each start and is printed once, to stdout.",
    "Nothing of an open bar but its open is known; docs/architecture.md says how orders are filled.",
  ],
};

/** @throws UsageError for no time of the recording. */
function startOf(given: Arguments, first: number, last: number): number {
  const written = given.text("from");
  const from = written === undefined ? first : Date.parse(written);
  if (Number.isNaN(from) || from < first || from >= last)
    throw new UsageError(`--from takes a time from ${instant(first)} to ${instant(last)}, not "${written ?? ""}"`);
  return from;
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const recording = await recordingAt(given.need("recording"), given.need("data"));
  const source = recordedCandles(recording);
  const opened = source
    .instruments()
    .flatMap(({ instId }) => source.bars(String(instId)).map((bar) => millis(bar.openedAt)));
  if (opened.length === 0)
    throw new UsageError("the recording has no prices. Give one that was recorded with --candles okx, or the sample");
  const firstBlock = (recording.headers[0]?.timestamp ?? 0) * 1000;
  const last = opened.reduce((a, b) => Math.max(a, b)) + source.barSeconds * 1000;
  const from = startOf(
    given,
    Math.max(
      firstBlock,
      opened.reduce((a, b) => Math.min(a, b)),
    ),
    last,
  );
  const started = wallClock.now();
  const clock = { now: () => from + (wallClock.now() - started) };
  const file = given.text("account");
  const venue = await paperVenue({
    ...{ clock, source, key: paperKey, port: given.count("port") ?? 0, limits: true },
    ...(file === undefined ? {} : { file }),
  }).catch((error: unknown) => {
    throw error instanceof PaperStateError ? new UsageError(error.message) : error;
  });
  console.error(`${source.instruments().length} instruments, ${instant(from)} now, prices until ${instant(last)}`);
  console.log(JSON.stringify({ url: venue.url, simulated: true, ...paperKey }));
  await untilAborted(signal);
  await venue.close();
}

await runCommand(command, main);
