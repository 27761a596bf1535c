import * as z from "zod";
import { orderPage } from "#db/reading/overview";
import { orderText, orderWhy } from "#reporting/order-text";
import { Cursor, Limit, nextCursor } from "#reporting/paging";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { OrderStatus } from "#trading/orders/order";

const Query = z.strictObject({ limit: Limit, before: Cursor.optional(), status: OrderStatus.optional() });

/** Orders, newest decision first, each with why, and both in the words of the report; `next` goes into `before` for the page after. */
export const handler = route("GET /orders", async ({ query }, { database, settings }) => {
  const { limit, before = null, status = null } = Query.parse(query);
  const page = await orderPage(database, settings, { status, before }, limit);
  const orders = page.map((order) => ({ ...order, text: orderText(order), whyText: orderWhy(order) }));
  const last = orders.map(({ id, decidedAt }) => ({ id, at: decidedAt }));
  return { status: 200, body: { input: inputOf(settings), orders, next: nextCursor(last, limit) } };
});
