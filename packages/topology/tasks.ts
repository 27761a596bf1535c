import type { Task } from "./job.ts";

/** What a deploy or a person begins. */
export const tasks = {
  "migrate-schema": {
    consumer: "functions/migrate-schema.handler",
    onDeploy: true,
    needs: ["schema"],
    sends: [],
    publishes: [],
    timeoutSeconds: 300,
    memoryMb: 512,
  },
  "watch-wallets": {
    consumer: "functions/watch-wallets.handler",
    onDeploy: false,
    needs: ["database"],
    sends: [],
    publishes: [],
    timeoutSeconds: 60,
    memoryMb: 512,
  },
  /** What a person orders and asks: the commands halt, reduce, resume, judge, redrive, status, explain and audit invoke it. */
  operate: {
    consumer: "functions/operate.handler",
    onDeploy: false,
    needs: ["database", "control"],
    sends: [],
    publishes: [],
    // A look takes a moment; a walk through all records takes minutes in a year.
    timeoutSeconds: 300,
    memoryMb: 512,
  },
} as const satisfies Record<string, Task>;

export type Tasks = typeof tasks;
export type TaskName = keyof Tasks;
