import { existsSync, readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { sharedPath } from "#testing/chain/blocks";
import type { Submission } from "#trading/venue";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { classOf, type Operation } from "./codes.ts";
import { okxExchange } from "./exchange.ts";

// Written down a second time, by class and scope, so that no line of the table can change alone.
const CLASSES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ok: {
    any: "0",
  },
  row: {
    any: "1 2",
  },
  frozen: {
    any: "4088 50007 50009 50012 50027 50029 50059 50060 51024 59508 59519",
    place: "50017 50018 50019 50020 50021 50022 50028 51009 54012",
  },
  rejected: {
    any: `
      50000 50002 50006 50010 50014 50015 50016 50024 50025 50115 51000 51001 51002 51003 51012 51014
      51015 51026 51056 51175 51176 51180 54009`,
    query: "50039 50076 50077 51601 51602",
    demo: "50055",
    place: `
      50069 50075 50122 51004 51005 51006 51007 51008 51017 51018 51019 51020 51021 51022 51025 51027
      51028 51031 51033 51037 51066 51087 51101 51102 51103 51104 51105 51106 51107 51108 51110 51111
      51116 51117 51118 51119 51120 51121 51122 51123 51124 51127 51129 51131 51135 51136 51137 51138
      51147 51150 51165 51168 51174 51181 51185 51187 51196 51197 51201 51202 51203 51204 51206 51207
      51209 51210 51211 51212 51213 51341 54004 54006 54007 54011 54030 54031 54035 54036 54072 54073`,
    algo: `
      51044 51076 51077 51079 51080 51081 51082 51083 51084 51085 51086 51089 51091 51092 51093 51094
      51095 51096 51100 51178 51250 51252 51257 51260 51261 51275 51276 51281 51299 51311 51312 51317
      51327 51328 51330 51331 51333 51415`,
    account: "51071 51162 51163 58350 59200 59301 59302",
    amend: `
      51090 51098 51214 51500 51501 51502 51506 51508 51511 51512 51514 51523 51524 51528 51529 51531
      51538 51539 51543 54071`,
    cancel: "51403 51404 51406 51407 51408 51409 51413",
  },
  maintenance: {
    any: "50001 50046 50062",
  },
  unknown: {
    any: "50004 50013 50026 50042 51054",
    place: "51149",
    cancel: "51412",
  },
  config: {
    any: "50005 50038 50051 50053 50067 50108 50109 54070",
    place: `
      50032 50033 50052 50072 51010 51128 51130 51133 51139 51155 51186 51205 54000 54005 54008 54024
      54025 54092`,
    account: `
      51070 59000 59001 59100 59101 59102 59103 59104 59105 59106 59107 59108 59109 59112 59113 59668
      59669 59670 59683`,
    algo: "51298 51329 51332",
  },
  credential: {
    any: `
      50008 50030 50035 50041 50100 50101 50103 50104 50105 50106 50107 50110 50111 50112 50113 50114
      50118 50119 50120 50121 59506`,
    cancel: "51411",
  },
  not_accepted: {
    any: "50011 50040 50102",
    place: "50023 50061 51029 51030 51109 51113 51140 51142",
    amend: "51513",
  },
  expired: {
    place: "50036 50037",
  },
  exists: {
    place: "50071 51011 51016 51342",
    algo: "51065 51068 51088",
  },
  flat: {
    any: "51023 51043 59216 59218",
    place: "51032 51112 51115 51132 51134 51148 51169 51170",
    algo: "51058",
    amend: "51171 51521 51522",
    account: "59300",
  },
  stop_passed: {
    algo: `
      51046 51047 51048 51049 51050 51051 51052 51053 51258 51259 51277 51278 51279 51280 51300 51302
      51303 51304 51305 51306 51307 51308`,
  },
  cancel_race: {
    algo: "51059",
    query: "51063 51600 51603",
    cancel: "51400 51401 51402 51405 51410 51416",
    amend: "51503 51509 51510 51527 51532",
  },
};

interface Row {
  readonly code: string;
  readonly meaning: string;
  readonly scope: string;
}

const ROWS: readonly Row[] = Object.entries(CLASSES).flatMap(([meaning, scopes]) =>
  Object.entries(scopes).flatMap(([scope, codes]) =>
    codes
      .trim()
      .split(/\s+/)
      .map((code) => ({ code, meaning, scope })),
  ),
);
const OPERATIONS: readonly Operation[] = ["place", "cancel", "amend", "query", "algo", "account"];

/** What each class makes of a placement; the classes that are not here leave it unknown. */
const PLACED: Readonly<Record<string, string>> = {
  ...{ not_accepted: "busy", exists: "exists", expired: "expired", rejected: "rejected", stop_passed: "rejected" },
  ...{ flat: "flat", credential: "halt", config: "halt", frozen: "frozen" },
};

const ORDER: Submission = {
  ...{ clientOrderId: "dabc01", instrument: "ETH-USDT-SWAP", side: "buy", type: "market", size: decimalOf("1") },
  ...{ price: null, reduceOnly: false, expiresAt: instantOf("2026-01-02T03:04:05.678Z") },
};
const OK = { code: "0", msg: "" };
const QUIET: Readonly<Record<string, readonly unknown[]>> = {
  "account/config": [{ uid: "77", posMode: "net_mode", acctLv: "2" }],
  "public/time": [{ ts: "1767323041678" }],
};

/** A venue on the wire that answers `path` with `code` as OKX does: in the order's row, or in the envelope. */
function answering(path: string, code: string, asRow: boolean, whole = "1") {
  const envelope = asRow
    ? {
        code: whole,
        msg: whole === "0" ? "" : "All operations failed",
        data: [{ ordId: "", clOrdId: "dabc01", sCode: code, sMsg: "said" }],
      }
    : { code, msg: "said", data: [] };
  vi.stubGlobal("fetch", async (url: string) => {
    const asked = new URL(url).pathname.replace("/api/v5/", "");
    const quiet = { ...OK, data: QUIET[asked] ?? [] };
    return new Response(JSON.stringify(asked === path ? envelope : quiet), { status: 200 });
  });
  return okxExchange({
    ...{
      venue: "okx",
      mode: "demo",
      url: "https://www.okx.com",
      rateLimit: false,
      accountId: null,
      maxClockSkewSeconds: 2,
      tdMode: "cross",
    },
    compareClock: false,
    credentials: { mode: "demo", apiKey: "k-1", secret: "s-2", passphrase: "p-3" },
  });
}
afterEach(() => vi.unstubAllGlobals());

const inScope = (scope: string, operation: Operation): boolean => scope === "any" || scope === operation;

test("the table has each code once, in one class and one scope; it answers for no other request", () => {
  expect(new Set(ROWS.map(({ code }) => code)).size).toBe(ROWS.length);
  expect(ROWS.length).toBe(359);
  for (const { code, meaning, scope } of ROWS) {
    for (const operation of OPERATIONS)
      expect(classOf(code, operation), `${code} ${operation}`).toBe(inScope(scope, operation) ? meaning : "unlisted");
  }
});

test("F8: every code that a placement can meet is read as its class, in the row and in the envelope", async () => {
  for (const { code, meaning, scope } of ROWS) {
    // `0` in an envelope without a row is an acknowledgement without an order; `1` and `2` say that the row would say.
    if (meaning === "ok") continue;
    const kind = inScope(scope, "place") ? (PLACED[meaning] ?? "unknown") : "unknown";
    for (const asRow of [true, false]) {
      const reply = await answering("trade/order", code, asRow).submit(ORDER);
      expect(reply.kind, `${code} ${asRow ? "row" : "envelope"}`).toBe(kind);
      if (kind !== "unknown" && kind !== "exists") expect(reply).toMatchObject({ code });
    }
  }
});

test("every code that close-position can meet is read as a placement's; what OKX has taken and does not show is unknown", async () => {
  for (const { code, meaning, scope } of ROWS) {
    if (meaning === "ok") continue;
    const kind = inScope(scope, "place") ? (PLACED[meaning] ?? "unknown") : "unknown";
    const venue = answering("trade/close-position", code, false);
    await venue.now();
    const reply = await venue.submit({ ...ORDER, type: "whole", side: "sell", reduceOnly: true });
    expect(reply.kind, code).toBe(kind);
  }
  const venue = answering("trade/close-position", "0", true, "0");
  await venue.now();
  const whole = { ...ORDER, type: "whole", side: "sell", reduceOnly: true } as const;
  expect(await venue.submit(whole)).toEqual({ kind: "unknown", reason: expect.stringContaining("not shown yet") });
  const late = { ...whole, expiresAt: instantOf("2026-01-02T03:03:59.000Z") };
  expect(await venue.submit(late)).toEqual({ kind: "expired", code: "deadline" });
});

test("every code that a cancel or a query can meet: gone, or an error that keeps the code", async () => {
  for (const { code, meaning, scope } of ROWS) {
    if (meaning === "ok") continue;
    const cancel = answering("trade/cancel-order", code, true).cancel("ETH-USDT-SWAP", "dabc01");
    if (inScope(scope, "cancel") && meaning === "cancel_race") expect(await cancel, code).toBe(false);
    else await expect(cancel, code).rejects.toMatchObject({ name: "VenueError", code });
    const query = answering("trade/order", code, false).order("ETH-USDT-SWAP", "dabc01");
    if (inScope(scope, "query") && meaning === "cancel_race") expect(await query, code).toBeNull();
    else await expect(query, code).rejects.toMatchObject({ name: "VenueError", code });
  }
});

test("every code that the assertion of the account can meet: halt and frozen are kept, and a doubt places nothing", async () => {
  for (const { code, meaning, scope } of ROWS) {
    if (meaning === "ok") continue;
    const known = inScope(scope, "place") ? (PLACED[meaning] ?? "unknown") : "unknown";
    const kind = known === "halt" || known === "frozen" ? known : "busy";
    const reply = await answering("account/max-size", code, false).submit(ORDER);
    // Refused for what was asked: the placement says the rest, and here it answers without an order.
    expect(reply.kind, code).toBe(known === "rejected" ? "unknown" : kind);
  }
});

/** What each class makes of a request about a stop; the classes that are not here leave it unknown. */
const STOPPED: Readonly<Record<string, string>> = {
  ...{ not_accepted: "busy", exists: "exists", expired: "rejected", rejected: "rejected", stop_passed: "passed" },
  ...{ flat: "flat", credential: "halt", config: "halt", frozen: "frozen", cancel_race: "gone" },
};
const SELL_STOP = { stopId: "dabc02", instrument: "ETH-USDT-SWAP", side: "sell", trigger: decimalOf("900") } as const;
type Venue = ReturnType<typeof answering>;
const STOP_REQUESTS: readonly [string, readonly Operation[], (venue: Venue) => Promise<{ readonly kind: string }>][] = [
  ["trade/order-algo", ["algo", "place"], (venue) => venue.placeStop(SELL_STOP)],
  [
    "trade/amend-algos",
    ["amend", "algo", "cancel", "query"],
    (venue) => venue.moveStop("ETH-USDT-SWAP", "7", decimalOf("910")),
  ],
  ["trade/cancel-algos", ["cancel", "algo", "query"], (venue) => venue.cancelStop("ETH-USDT-SWAP", "7")],
];

test.each(STOP_REQUESTS)(
  "every code that %s can meet is read as its class, in the row and in the envelope",
  async (path, operations, ask) => {
    for (const { code, meaning, scope } of ROWS) {
      if (meaning === "ok") continue;
      const kind = operations.some((one) => inScope(scope, one)) ? (STOPPED[meaning] ?? "unknown") : "unknown";
      // OKX answers a stop that it did not take with code 0 or 1 alike, and the row says why.
      for (const envelope of ["1", "0", null]) {
        const reply = await ask(answering(path, code, envelope !== null, envelope ?? "1"));
        expect(reply, `${code} ${envelope}`).toMatchObject({ kind, code });
      }
    }
  },
);

test("a stop's acknowledgement without an id, and no reply, are unknown", async () => {
  for (const [path, , ask] of STOP_REQUESTS) {
    expect(await ask(answering(path, "0", false))).toMatchObject({ kind: "unknown", code: null });
    const venue = answering(path, "0", false);
    vi.stubGlobal("fetch", () => Promise.reject(new Error("reset")));
    expect(await ask(venue)).toMatchObject({ kind: "unknown", code: null });
  }
});

test("a code that nobody listed leaves a placement unknown", async () => {
  for (const code of ["59999", "99999", "1", "2", "51603"])
    expect((await answering("trade/order", code, false).submit(ORDER)).kind, code).toBe("unknown");
});

const design = sharedPath("design/okx-codes.json");
test.skipIf(!existsSync(design))(
  "the table is the one that the design measured; what it does not list is unlisted",
  () => {
    const { codes } = JSON.parse(readFileSync(design, "utf8")) as {
      codes: { code: string; class: string; scope: string }[];
    };
    expect(codes.length).toBe(929);
    for (const { code, class: meaning, scope } of codes) {
      const operation = OPERATIONS.find((one) => inScope(scope, one));
      if (meaning === "unlisted")
        expect(
          OPERATIONS.map((one) => classOf(code, one)),
          code,
        ).toEqual(OPERATIONS.map(() => "unlisted"));
      else if (operation) expect(classOf(code, operation), code).toBe(meaning);
    }
  },
);
