import { instant } from "#units/time";
import { orderFaults } from "../memory/orders.ts";
import { memoryStore } from "../memory/store.ts";
import { listedAt, START } from "./market.ts";
import type { Open } from "./stage.ts";

/** Opens books in memory. */
export const inMemory: Open = async ({ candles }) => {
  const at = instant(START);
  const active = { state: "ACTIVE", epoch: 1, reason: "", actor: "model", changedAt: at, lifts: [] } as const;
  const biases: Parameters<typeof memoryStore>[0]["biases"][number][] = [];
  const { store, books } = memoryStore({
    ...{ control: { demo: active, live: active }, instruments: listedAt(at), candles, biases },
    ...{ analyses: [], funding: [] },
  });
  return {
    store,
    faults: async () => orderFaults(books),
    lean: async (asset, bias) => {
      biases.push({ ...bias, asset, timeframe: "4h" });
    },
  };
};
