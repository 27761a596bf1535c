import { type App, Duration, Stack } from "aws-cdk-lib";
import { InvocationType, Trigger } from "aws-cdk-lib/triggers";
import { named } from "#topology/names";
import { acknowledge } from "./acknowledged.ts";
import { JobFunction } from "./job-function.ts";
import { type AuroraSite, type Site, stackProps, tag } from "./site.ts";

// The provider that waits for the task may itself run this long.
const LONGEST_SECONDS = 840;

/**
 * The tasks of the topology; migrations run while this stack deploys. Every stack with other functions comes after it, so
 * new code meets the new schema, and a task that fails stops the deploy while the old code still runs.
 */
export class ReleaseStack extends Stack {
  constructor(app: App, site: Site, aurora: AuroraSite | null) {
    super(app, named(site.target.stage, "release"), stackProps(site.target, "Spyhop: migrations, run on each deploy"));
    tag(this, site.target);
    for (const [name, task] of Object.entries(site.topology.tasks)) {
      const { lambda } = new JobFunction(this, `task-${name}`, {
        site,
        aurora,
        job: { ...task, takes: null, behindOrigin: false },
        queueUrl: () => {
          throw new RangeError(`the task ${name} sends before the queues are there`);
        },
      });
      if (!task.onDeploy) continue;
      new Trigger(this, `run-${name}`, {
        handler: lambda,
        invocationType: InvocationType.REQUEST_RESPONSE,
        timeout: Duration.seconds(Math.min(task.timeoutSeconds + 10, LONGEST_SECONDS)),
      });
    }
    const provider = this.node.tryFindChild("AWSCDK.TriggerCustomResourceProviderCustomResourceProvider");
    if (provider) acknowledge(provider, "trigger");
  }
}
