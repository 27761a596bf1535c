import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { seedCursor } from "#db/chain/blocks";
import { paperKey, paperSecret, SECRET_ID } from "#doubles/venue/key";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import type { Laptop } from "#local/laptop";
import { recordedCandles } from "#recording/candle-source";
import { useSink } from "#runtime/log";
import { provide } from "#runtime/services";
import { chainNode, tinyChain } from "#testing/chain/chain-node";
import { NOBODY, tinyContent } from "#testing/chain/tiny-recording";
import { testDesk } from "#testing/desk";
import { PRACTICE } from "#testing/practice";
import { allResources, aTarget, synthesise } from "#testing/synthesise";
import { METRICS_NAMESPACE, metrics } from "#topology/metrics";
import type { ScheduleName } from "#topology/schedules";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";

// The real handlers over a real database and venue, as Lambda runs them: what they write for CloudWatch is held against the
// alarms of the same stage's templates. An alarm on a name that nobody writes would never ring.
vi.hoisted(() => {
  vi.stubEnv("AWS_LAMBDA_FUNCTION_NAME", "dev-spyhop-any"); // read when the modules are loaded
  vi.stubEnv("STAGE", "dev");
});

/** CloudWatch's embedded metric format. Source: CloudWatch user guide, "Specification: Embedded metric format". */
interface EmbeddedLine {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [field: string]: unknown;
}

const START = Math.floor(Date.now() / 60_000) * 60_000;
const INSTRUMENT = "ETH-USDT-SWAP";
const JOBS: readonly ScheduleName[] = [
  "maintain-storage",
  "sync-prices",
  "watch-head",
  "reconcile-orders",
  "build-report",
];

/** Generated bars of a minute around 2,000, of twenty hours up to the start. */
const bars = Array.from({ length: 20 * 60 }, (_, i) => ({
  ...{ openedAt: instant(START - (20 * 60 - i) * 60_000), volume: decimalOf("100") },
  ...{ open: decimalOf("2000"), high: decimalOf("2003"), low: decimalOf("2000"), close: decimalOf("2003") },
}));

let venue: PaperVenue;
let desk: Laptop;
const written: string[] = [];
beforeAll(async () => {
  useSink(() => undefined);
  const { manifest, instruments } = tinyContent();
  const source = recordedCandles({ manifest, instruments, candles: () => bars });
  venue = await paperVenue({ clock: virtualClock(START), source, key: paperKey });
  const env = {
    ...{ SPYHOP_MODE: "demo", INSTRUMENTS: INSTRUMENT, BAR_SECONDS: "60", HEAD_POLL_SECONDS: "0", GENERATED: "true" },
    POLICY: JSON.stringify(PRACTICE),
    ...{ VENUE: "paper", OKX_URL: venue.url, OKX_PUBLIC_URL: venue.url, OKX_RATE_LIMIT: "false", WARMUP_HOURS: "20" },
    EXCHANGE_SECRET_ID: SECRET_ID,
  };
  desk = await testDesk({ env, secrets: new Map([[SECRET_ID, paperSecret()]]) });
  const chain = tinyChain(START / 1000 - 60, 5);
  provide(
    "rpc",
    chainNode(() => chain),
  );
  await seedCursor(desk.database.db, "ethereum", { number: 0, hash: NOBODY });
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  for (const name of JOBS) {
    await desk.runSchedule(name, instant(START));
    await desk.drain();
  }
  spy.mockRestore();
});
afterAll(async () => {
  useSink(null);
  vi.unstubAllEnvs();
  await desk.close();
  await venue.close();
});

/** Returns each figure that was written, as CloudWatch would key it: "namespace name unit dimension=value …". */
function figures(): Set<string> {
  const lines = written
    .join("")
    .split("\n")
    .filter((line) => line.includes('"_aws"'));
  return new Set(
    lines
      .map((line) => JSON.parse(line) as EmbeddedLine)
      .flatMap((line) =>
        line._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
          Dimensions.flatMap((names) =>
            Metrics.map(({ Name, Unit }) => {
              expect(line[Name], Name).toBeDefined();
              return [Namespace, Name, Unit, ...names.map((name) => `${name}=${String(line[name])}`).toSorted()].join(
                " ",
              );
            }),
          ),
        ),
      ),
  );
}

/** Returns what each alarm of the desk's own namespace looks for, keyed alike. */
function watched(): Set<string> {
  const made = synthesise(aTarget({ stage: "dev", database: "external" }));
  const alarms = [...allResources(made).values()].filter(
    ({ Type, Properties }) => Type === "AWS::CloudWatch::Alarm" && Properties.Namespace === METRICS_NAMESPACE,
  );
  return new Set(
    alarms.map(({ Properties: { Namespace, MetricName, Unit, Dimensions } }) => {
      const pairs = (Dimensions as { Name: string; Value: string }[]).map(({ Name, Value }) => `${Name}=${Value}`);
      return [Namespace, MetricName, Unit, ...pairs.toSorted()].join(" ");
    }),
  );
}

/** Figures for people: how often a job starts cold, and how often it fails, of which queues and errors ring. */
const unwatched = (figure: string): boolean =>
  Object.entries(metrics).some(([name, { job }]) => job === null && figure.split(" ")[1] === name);

test("every alarm on the desk's own figures watches one that a handler writes, in its unit, and every figure has its alarm", () => {
  const found = [...figures()].filter((figure) => !unwatched(figure)).toSorted();
  expect(found).toEqual([...watched()].toSorted());
  expect(found).toHaveLength(Object.values(metrics).filter(({ job }) => job !== null).length);
});

test("an alarm that rings in silence watches what is written by every run, also when nothing happens", async () => {
  written.length = 0;
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  for (const name of JOBS) await desk.runSchedule(name, instant(START));
  spy.mockRestore();
  const made = synthesise(aTarget({ stage: "dev", database: "external" }));
  const silent = [...allResources(made).values()].filter(
    ({ Type, Properties }) =>
      Type === "AWS::CloudWatch::Alarm" &&
      Properties.Namespace === METRICS_NAMESPACE &&
      Properties.TreatMissingData === "breaching",
  );
  const names = new Set([...figures()].map((figure) => figure.split(" ")[1]));
  expect(silent.map(({ Properties }) => Properties.MetricName).toSorted()).toEqual([
    "AuditChainBroken",
    "HeadAgeSeconds",
    "KillSwitch",
    "PriceAgeSeconds",
    "ReportsBuilt",
  ]);
  for (const { Properties } of silent) expect(names, String(Properties.MetricName)).toContain(Properties.MetricName);
});
