import { orderPage } from "#db/reading/overview";
import { orderText, orderWhy, sizedOf } from "#reporting/order-text";
import { nextCursor } from "#reporting/paging";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { ordersContract } from "#topology/contracts/orders";

/** Orders, newest decision first, each with why, and both in the words of the report; `next` goes into `before` for the page after. */
export const answer = route("GET /api/orders", ordersContract, async ({ query }, { database, settings }) => {
  const { limit, before = null, status = null, asset = null, from = null, to = null } = query;
  const page = await orderPage(database, settings, { status, before, asset, from, to }, limit);
  const orders = page.map((order) => ({
    ...order,
    ...sizedOf(order),
    text: orderText(order),
    whyText: orderWhy(order),
  }));
  const last = orders.map(({ id, decidedAt }) => ({ id, at: decidedAt }));
  return { status: 200, body: { input: inputOf(settings), orders, next: nextCursor(last, limit) } };
});
