import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { controlFile, controlInMemory } from "#local/control-board";
import { okxClient } from "#runtime/okx/client";
import { okxExchange } from "#runtime/okx/exchange";
import { runToEnd } from "#testing/command";
import { flatMarket } from "#testing/flat-market";
import { ETH_SWAP } from "#testing/instruments";
import { paperAccess } from "#testing/paper-access";
import { objectOf } from "#trading/control-object";
import { clientOrderId } from "#trading/orders/client-order-id";
import { decimalOf } from "#units/decimal";
import { instant, instantOf } from "#units/time";
import { haltAtVenue, VenueHaltIncomplete } from "./venue-halt.ts";

// A halt by keys alone against the paper venue, over HTTP: no database runs.
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const AT = instantOf("2026-01-05T12:00:00.000Z");
const PRICE = decimalOf("2000");

const closings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

async function stage() {
  const clock = { now: () => Date.now() };
  const source = flatMarket(PRICE);
  const asked: string[] = [];
  const observe = ({ method, target }: { method: string; target: string }) => void asked.push(`${method} ${target}`);
  const venue: PaperVenue = await paperVenue({ clock, source, key: KEY, observe });
  closings.push(venue.close);
  const access = paperAccess(venue.url, KEY);
  const exchange = okxExchange(access);
  const client = okxClient(access);
  /** A limit order far below the market, which rests. */
  const rest = (clOrdId: string) =>
    client.privatePostTradeOrder({
      ...{ instId: ETH_SWAP.id, tdMode: "cross", side: "buy", ordType: "limit", sz: "10", px: "1000", clOrdId },
      expTime: String(Date.now() + 60_000),
    });
  const buy = (id: string) =>
    exchange.submit({
      ...{
        clientOrderId: id,
        instrument: ETH_SWAP.id,
        side: "buy",
        type: "market",
        size: decimalOf("20"),
        price: null,
      },
      ...{ reduceOnly: false, expiresAt: instant(Date.now() + 60_000) },
    });
  const said: string[] = [];
  const board = controlInMemory("demo");
  const halt = (more: Partial<Parameters<typeof haltAtVenue>[0]> = {}) =>
    haltAtVenue({
      ...{ name: "the desk", exchange, board, flatten: false, actor: "anna", reason: "a drill", pauseMs: 1 },
      ...{ say: (line: string) => void said.push(line), ...more },
    });
  return { venue, exchange, board, rest, buy, said, halt, asked };
}
const idOfOrder = (n: number) =>
  clientOrderId({ venue: "paper", mode: "demo", instrument: ETH_SWAP.id, timeframe: "4h", biasAt: AT, leg: "plan" }, n);
const pending = async ({ exchange }: Awaited<ReturnType<typeof stage>>) =>
  (await exchange.openOrders()).map(({ clientOrderId: id }) => id);

test("our orders are canceled until two looks find none, others' and what is held stay, and the object says HALTED", async () => {
  const desk = await stage();
  for (const id of [idOfOrder(1), idOfOrder(2), "byhand1", `l${idOfOrder(3).slice(1)}`]) await desk.rest(id);
  await desk.buy(idOfOrder(4));
  await desk.board.write(
    objectOf("demo", { state: "ACTIVE", epoch: 6, reason: "", actor: "anna", changedAt: AT, lifts: [] }),
  );
  desk.asked.splice(0);
  await desk.halt();
  expect((await pending(desk)).toSorted()).toEqual(["byhand1", `l${idOfOrder(3).slice(1)}`]);
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "20" }]);
  expect(await desk.board.read()).toMatchObject({
    object: { state: "HALTED", epoch: 7, booked: false, actor: "anna", reason: "a drill" },
  });
  expect(desk.said).toEqual([
    "the control object says HALTED: nothing opens any more, whatever the database says",
    "2 open orders of ours canceled; 2 of others left as they are; no stop at the venue (algo order) was touched",
    expect.stringMatching(/^held: 20 contracts of ETH-USDT-SWAP from 2000/),
    expect.stringContaining("is halted at the venue"),
  ]);
  expect(desk.asked.filter((line) => line.includes("orders-pending"))).toHaveLength(5); // one finds two, two find none, the last, and ours
  expect(desk.asked.filter((line) => /algo|close-position|POST .*trade\/order$/.test(line))).toEqual([]);
});

test("flattened, each position is closed reduce-only by what the venue says is held", async () => {
  const desk = await stage();
  await desk.buy(idOfOrder(1));
  await desk.halt({ flatten: true });
  expect(await desk.exchange.positions()).toEqual([]);
  expect(desk.venue.state().orders.at(-1)).toMatchObject({ reduceOnly: true, side: "sell", sz: "20" });
  expect(desk.said).toContain("20 contracts of ETH-USDT-SWAP: reduce-only at market, accepted");
  expect(desk.said).toContain("held: nothing");
});

test("what could not be done is said, and the rest is done all the same", async () => {
  const desk = await stage();
  await desk.rest(idOfOrder(1));
  const refusing = { ...desk.board, write: async () => "no answer from Secrets Manager" };
  await expect(desk.halt({ board: refusing })).rejects.toBeInstanceOf(VenueHaltIncomplete);
  expect(await pending(desk)).toEqual([]);
  const stuck = { ...desk.exchange, cancel: async () => false };
  await desk.rest(idOfOrder(2));
  await expect(desk.halt({ exchange: stuck })).rejects.toThrow(
    /our orders: 1 still open: d[a-z2-7]{26}02; a last look: 1 orders of ours are open again\. Run the command again/,
  );
  const gone = { ...desk.exchange, openOrders: () => Promise.reject(new Error("the venue does not answer")) };
  const halting = desk.halt({ exchange: gone });
  await expect(halting).rejects.toThrow(/our orders: Error: the venue does not answer/);
  expect(await desk.board.read()).toMatchObject({ object: { state: "HALTED" } });
});

test("with its PostgreSQL stopped the command halts by keys alone, and says what it needs", async () => {
  const desk = await stage();
  const folder = await mkdtemp(join(tmpdir(), "spyhop-"));
  closings.push(() => rm(folder, { recursive: true }));
  const keys = join(folder, "keys.json");
  await writeFile(keys, JSON.stringify({ mode: "demo", ...KEY }));
  await desk.rest(idOfOrder(1));
  const env = { DATABASE_URL: "postgres://127.0.0.1:1/none" };
  const args = ["--venue", "--directory", folder, "--reason", "a drill", "--okx", desk.venue.url];
  const run = (...more: string[]) => runToEnd("operate/halt.ts", [...args, ...more], env);
  const { code, text } = await run("--keys", keys);
  expect([code, text]).toEqual([0, expect.stringContaining("1 open orders of ours canceled")]);
  expect(await pending(desk)).toEqual([]);
  expect(await controlFile(folder, "demo").read()).toMatchObject({ object: { state: "HALTED", reason: "a drill" } });
  expect(await run()).toMatchObject({ code: 2, text: expect.stringContaining("Give --stage, or --keys FILE") });
  await writeFile(keys, JSON.stringify({ mode: "demo", apiKey: "very-secret-key" }));
  const broken = await run("--keys", keys);
  expect([broken.code, broken.text]).toEqual([1, expect.stringMatching(/missing or malformed: secret, passphrase/)]);
  expect(broken.text).not.toContain("very-secret");
}, 60_000);
