import { expect, test } from "vitest";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { paperDesk } from "#testing/paper-desk";
import { plainOkx } from "#testing/plain-okx";
import { big, decimalOf, parseDecimal, text } from "#units/decimal";

const tests = deskTests();
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const { id: instId } = ETH_SWAP;

const plain = (amount: unknown) => parseDecimal(String(amount));
/** The venue signs as the balance changes. */
const paid = (amount: unknown) => text(big(plain(amount)).neg());

test("each closed position is, to the last digit, what the venue's own history of positions says of it", async () => {
  // Up through the first leg, back through the stop, which stands at the entry by then.
  const closes = [1000, 1000, 1008, 1008, 1008];
  const desk = await paperDesk(tests.db, { after: (bar) => closes[bar] ?? (bar < 60 ? 1008 : 990) });
  tests.closeAfter(desk.close);
  const trade = async (side: "buy" | "sell", size: string, cause: Parameters<typeof desk.venue.trade>[0]["cause"]) => {
    desk.pass(1);
    desk.venue.trade({ instId, side, size: big(decimalOf(size)), cause });
    await desk.reconcile();
  };
  await desk.trade("0.9");
  await desk.minutes(22); // a leg fires
  desk.pass(245); // funding is paid
  await desk.minutes(2);
  await trade("sell", "30.1", "trade"); // by hand
  desk.pass(60);
  await desk.minutes(2); // the stop fires
  await trade("sell", "20", "trade"); // by hand a short,
  await trade("buy", "33.3", "trade"); // turned round,
  await trade("buy", "7", "trade"); // and made larger
  await trade("sell", "5", "partial_liquidation");
  await trade("sell", "1.7", "adl");
  await trade("sell", "100", "liquidation"); // of what is left
  await desk.minutes(2);
  const client = plainOkx(desk.venue.url, KEY, desk.clock);
  const { data } = (await client.privateGetAccountPositionsHistory({ instType: "SWAP" })) as {
    data: Record<string, string>[];
  };
  const theirs = data
    .toSorted((a, b) => Number(a.cTime) - Number(b.cTime))
    .map((row) => ({
      ...{ side: row.direction, openedAt: Number(row.cTime), closedAt: Number(row.uTime) },
      ...{ realized: row.pnl, fees: paid(row.fee), funding: paid(row.fundingFee) },
      ...{ entry: plain(row.openAvgPx), exit: plain(row.closeAvgPx) },
    }));
  const ours = (await desk.positions()).map((row) => ({
    ...{ side: row.side, openedAt: Date.parse(row.openedAt), closedAt: Date.parse(row.closedAt ?? "") },
    ...{ realized: row.realizedPnl, fees: row.feesPaid, funding: row.fundingPaid },
    ...{ entry: plain(row.entryPrice), exit: plain(row.exitPrice) },
  }));
  expect(ours).toEqual(theirs);
  expect(data.map(({ type }) => type)).toEqual(["3", "2", "2"]);
});
