import type { Job } from "./job.ts";

/**
 * The functions of the HTTP API, one a grant: what a function may be handed and send is the same for all of its routes. None has a
 * file: its handler is the routes' answers put together (runtime/dispatch.ts).
 */
export const api = {
  read: {
    consumer: "functions/api/read.handler",
    needs: ["database"],
    sends: [],
    publishes: [],
    timeoutSeconds: 10,
    memoryMb: 512,
  },
} as const satisfies Record<string, Job>;

export type Api = typeof api;
export type ApiName = keyof Api;

/** The function that answers what is no route: an unknown path, another method, a path that a route once had. */
export const FALLBACK: ApiName = "read";
