import { type Instant, instant, millis } from "#units/time";
import type { RouteName } from "./routes.ts";

const DAY_MS = 86_400_000;

/** Returns the path and query by which a route is asked for something of the day before and after `at`, with every field that it must have. */
export function askedPath(name: RouteName, at: Instant): string {
  const path = name.replace("GET ", "").replace("{asset}", "ETH").replace("{timeframe}", "4h");
  const span = `from=${instant(millis(at) - DAY_MS)}&to=${instant(millis(at) + DAY_MS)}`;
  switch (name) {
    case "GET /api/bias/history":
      return `${path}?asset=ETH&timeframe=4h&${span}`;
    case "GET /api/prices":
      return `${path}?instrument=ETH-USDT-SWAP&${span}`;
    case "GET /api/equity":
      return `${path}?${span}`;
    case "GET /api/bias/{asset}/{timeframe}":
      return `${path}?at=${at}`;
    default:
      return path;
  }
}
