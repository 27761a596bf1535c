import type { PaperState } from "./account.ts";
import { isPending } from "./orders.ts";
import { PaperRefusal, type PaperRequest, required } from "./reply.ts";

/** OKX's cancelSource of what this switch has canceled. */
const BY_SWITCH = "20";

/**
 * Sets, or with 0 clears, the time after which every pending order is canceled unless it is set again. Stops stay: OKX names
 * "pending orders" alone. @throws PaperRefusal 51000 for anything but 0 and 10 to 120 seconds.   Source: OKX v5, "Cancel All After"
 */
export function setCancelAllAfter(state: PaperState, { body, now }: PaperRequest): readonly unknown[] {
  const timeOut = required(body, "timeOut");
  const seconds = Number(timeOut);
  if (!/^\d+$/.test(timeOut) || (seconds !== 0 && (seconds < 10 || seconds > 120)))
    throw new PaperRefusal("51000", "Parameter timeOut error");
  state.cancelAllAt = seconds === 0 ? null : now + seconds * 1000;
  return [{ triggerTime: String(state.cancelAllAt ?? 0), tag: "", ts: String(now) }];
}

/** Cancels what is pending once the time that was set has come. */
export function cancelWhenDue(state: PaperState, now: number): void {
  const at = state.cancelAllAt;
  if (at === null || at > now) return;
  state.cancelAllAt = null;
  for (const order of state.orders.filter(isPending))
    Object.assign(order, { state: "canceled", cancelSource: BY_SWITCH, uTime: at });
}
