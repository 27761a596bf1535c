import type { Route } from "./job.ts";

type Table = Readonly<Record<string, Partial<Pick<Route, "formerly" | "file">>>>;

/** What a path is to a table of routes. */
export type Matched<R extends string> =
  | { readonly kind: "route"; readonly name: R; readonly params: Readonly<Record<string, string>> }
  /** The path is known, by other methods alone. GET brings HEAD. */
  | { readonly kind: "method"; readonly allowed: readonly string[] }
  /** It is what a route was once called. */
  | { readonly kind: "moved"; readonly to: string }
  | { readonly kind: "unknown" };

/**
 * Returns which route a method and a path mean, HEAD being GET without the body. A path is compared segment by segment and as it
 * stands; a field's segment is not empty, and is decoded. Of two routes the one without a field in that place wins.
 */
export function matchRoute<R extends string>(
  routes: Readonly<Record<R, Partial<Pick<Route, "formerly" | "file">>>>,
  method: string,
  path: string,
): Matched<R> {
  const wanted = method === "HEAD" ? "GET" : method;
  const known = (Object.keys(routes) as R[]).flatMap((name) => {
    const [its = "", pattern = ""] = name.split(" ");
    const params = paramsOf(pattern, path);
    return params === null ? [] : [{ name, its, params }];
  });
  const [found] = known
    .filter(({ its }) => its === wanted)
    .sort((a, b) => Object.keys(a.params).length - Object.keys(b.params).length);
  if (found) return { kind: "route", name: found.name, params: found.params };
  if (known.length > 0)
    return { kind: "method", allowed: known.flatMap(({ its }) => (its === "GET" ? ["GET", "HEAD"] : [its])) };
  const to = movedTo(routes, path);
  return to === null ? { kind: "unknown" } : { kind: "moved", to };
}

function paramsOf(pattern: string, path: string): Record<string, string> | null {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const field = /^\{([a-zA-Z]+)\}$/.exec(segment)?.[1];
    const value = given[i] ?? "";
    if (field === undefined && segment !== value) return null;
    if (field === undefined) continue;
    const decoded = decode(value);
    if (decoded === null || decoded === "") return null;
    params[field] = decoded;
  }
  return params;
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null; // half of a percent code
  }
}

function movedTo(routes: Table, path: string): string | null {
  const moved = Object.entries(routes).find(([, { formerly }]) => formerly === path);
  return moved?.[0].split(" ")[1] ?? null;
}
