import { PartsFailed } from "#desk/attempt";
import { fenced } from "#desk/control-object";
import { coverInstrument } from "#desk/stops/cover-instrument";
import { consume } from "#runtime/consume";
import { tradingChanged } from "#trading/facts";
import { policyOf } from "#trading/plans/policy";
import { checksAfter, timeOf } from "#trading/protection/checks";

/**
 * Has a stop at the venue for what an instrument holds, some seconds after an order of it was to be sent. While something is to be
 * closed at market it asks for a further look, until the reconciliation of the next minute.
 */
export const handler = consume("protections", async (check, context) => {
  const { books, exchange, control, send, publish, settings } = context;
  const { mode, instrument } = check;
  const at = timeOf(check);
  const policy = policyOf(settings);
  const run = { account: { mode, venue: settings.venue }, at, by: "protect-position", policy };
  const store = fenced(books, control);
  const { tripped, isClosing, failures } = await coverInstrument(store, exchange, run, instrument);
  if (tripped !== null) await publish("trading.changed", [tradingChanged(mode, tripped, at)]);
  if (failures.length > 0) throw new PartsFailed("protect-position", failures); // it comes again by itself
  if (isClosing) await send("protections", checksAfter({ ...check, at }, policy));
});
