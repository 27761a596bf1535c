import { expect, test } from "vitest";
import { decimalOf } from "#units/decimal";
import { OrderId } from "#units/ids";
import { instantOf } from "#units/time";
import { ClosedStatus, orderClosed, tradingChanged } from "./facts.ts";
import { isClosed, OrderStatus } from "./orders/order.ts";

const AT = instantOf("2026-03-03T02:30:00.000Z");
const order = {
  id: OrderId.parse("3848e3b2-6aed-841b-ad27-36b40bf8d638"),
  status: "filled" as OrderStatus,
  instrument: "ETH-USDT-SWAP",
  clientOrderId: "dsrw6xdlhkutevkzdqpomtwf2uk00",
  filledSize: decimalOf("11.1"),
  errorMessage: null,
  venueOrderId: "not for the bus",
};

test("a status is closed exactly where the life cycle says so", () => {
  expect(ClosedStatus.options.toSorted()).toEqual(OrderStatus.options.filter(isClosed).toSorted());
});

test("a closed order is told in one shape, whoever closed it", () => {
  const body = { instrument: order.instrument, clientOrderId: order.clientOrderId };
  const fact = { entityType: "order", entityId: order.id, at: AT };
  expect(orderClosed(order, AT)).toEqual({
    ...fact,
    body: { ...body, status: "filled", filledSize: "11.1", reason: null },
  });
  const denied = { ...order, status: "denied" as const, filledSize: decimalOf("0"), errorMessage: "daily_loss" };
  expect(orderClosed(denied, AT)).toEqual({
    ...fact,
    body: { ...body, status: "denied", filledSize: "0", reason: "daily_loss" },
  });
});

test.each(OrderStatus.options.filter((status) => !isClosed(status)))(
  "an order that is %s is not reported as closed",
  (status) => {
    expect(() => orderClosed({ ...order, status }, AT)).toThrow(/status|Invalid option/);
  },
);

test("the kill switch is an entity of its own in each mode", () => {
  const control = { state: "HALTED", epoch: 4, reason: "venue: 50113", actor: "submit-order" } as const;
  const [demo, live] = [tradingChanged("demo", control, AT), tradingChanged("live", control, AT)];
  expect(demo.body).toEqual({ mode: "demo", state: "HALTED", epoch: 4, reason: "venue: 50113" });
  expect(demo.entityId).not.toBe(live.entityId);
  expect(tradingChanged("demo", { ...control, epoch: 5 }, AT).entityId).toBe(demo.entityId);
});
