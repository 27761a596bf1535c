import * as z from "zod";
import { OrderStatus } from "#trading/orders/order";
import type { Contract } from "./contract.ts";
import { Input, Next, ToldOrder } from "./lines.ts";
import { Before, Limit, OneAsset } from "./query.ts";
import { From, To } from "./span.ts";

/** Orders, newest decision first, each with why. */
export const ordersContract = {
  query: z.strictObject({
    limit: Limit,
    before: Before.optional(),
    status: OrderStatus.optional(),
    asset: OneAsset,
    from: From.optional(),
    to: To.optional(),
  }),
  reply: z.object({ input: Input, orders: z.array(ToldOrder), next: Next }),
} as const satisfies Contract;
