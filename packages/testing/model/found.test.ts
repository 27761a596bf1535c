import { expect, test } from "vitest";
import { inMemory } from "./memory.ts";
import { runSchedule } from "./run.ts";
import type { Schedule } from "./schedule.ts";

// Schedules by which the model has found a bug of the desk, made small.

/** A market that stands still. */
const FLAT: Schedule["bars"] = [0, 1].map(() => [0, 1].map(() => ({ close: 0, above: 0, below: 0 })));

const SCHEDULES: readonly (readonly [string, Schedule])[] = [
  [
    "a close that its process claimed and never sent is sent again once its deadline is over",
    {
      seed: -636890531,
      bars: [
        [
          { close: 2, above: 0, below: 3 },
          { close: -1, above: 43, below: 60 },
        ],
        [
          { close: -3, above: 9, below: 39 },
          { close: 29, above: 35, below: 56 },
        ],
      ],
      lots: 20000,
      fillLagMs: 0,
      skewMs: 0,
      steps: [{ act: "lean", atS: 62, instrument: 1, amount: -100 }],
      faults: [{ method: "POST", path: "trade/order", kind: "gap", fromS: 0, times: 1 }],
      doors: [],
      deaths: [
        { job: "submit-order", moment: "after", what: "books.held", nth: 1, stillMs: null },
        { job: "protect-position", moment: "after", what: "GET account/config", nth: 1, stillMs: null },
      ],
    },
  ],
  [
    "a close that could not be sent, and that nothing is left for, is voided once it is old",
    {
      seed: -1922914423,
      bars: [
        [
          { close: 0, above: 54, below: 3 },
          { close: 27, above: 43, below: 2 },
        ],
        [
          { close: 3, above: 10, below: 17 },
          { close: 180, above: 57, below: 10 },
        ],
      ],
      lots: 20000,
      fillLagMs: 90000,
      skewMs: 0,
      steps: [
        { act: "liquidation", atS: 360, instrument: 0, amount: 59 },
        { act: "lean", atS: 177, instrument: 0, amount: -39 },
      ],
      faults: [
        { method: "GET", path: "account/positions", kind: "lost", fromS: 403, times: 3 },
        { method: "GET", path: "account/positions", kind: "lost", fromS: 323, times: 1 },
      ],
      doors: [],
      deaths: [],
    },
  ],
  [
    "what a close filled in part has left over is closed by the next look, however late its fills are shown",
    {
      seed: 0,
      bars: FLAT,
      lots: 3000,
      fillLagMs: 400_000,
      skewMs: 0,
      steps: [
        { act: "lean", atS: 107, instrument: 0, amount: -100 },
        { act: "by-hand", atS: 70, instrument: 0, amount: 1 },
        { act: "lean", atS: 70, instrument: 0, amount: 29 },
      ],
      faults: [{ method: "POST", path: "trade/order", kind: "gap", fromS: 0, times: 1 }],
      doors: [],
      deaths: [],
    },
  ],
  [
    "a close that does not come to the venue four times over is posted again each few seconds, and not once a minute",
    {
      seed: 0,
      bars: FLAT,
      lots: 3000,
      fillLagMs: 0,
      skewMs: 0,
      steps: [{ act: "lean", atS: 107, instrument: 0, amount: -100 }],
      faults: [
        { method: "POST", path: "trade/order", kind: "gap", fromS: 0, times: 1 },
        { method: "POST", path: "trade/order", kind: "lost", fromS: 109, times: 4 },
      ],
      doors: [],
      deaths: [],
    },
  ],
];

test.each(SCHEDULES)(
  "%s",
  async (_, schedule) => {
    expect((await runSchedule(schedule, inMemory)).violations).toEqual([]);
  },
  60_000,
);
