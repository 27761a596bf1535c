import { EventBridgeClient, ListEventBusesCommand, ListRulesCommand } from "@aws-sdk/client-eventbridge";
import { LambdaClient, ListEventSourceMappingsCommand, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { CLOUDFRONT_REGION } from "../../stacks/site.ts";
import { clientOf, type Emulator } from "./emulator.ts";
import { queryApi } from "./query-api.ts";

/** Returns every resource of the desk that stands in the emulator's account, as "kind name". A bootstrap's own are left out. */
export async function resourcesOf(emulator: Emulator): Promise<string[]> {
  const lambda = new LambdaClient(clientOf(emulator));
  const events = new EventBridgeClient(clientOf(emulator));
  const sqs = new SQSClient({ ...clientOf(emulator), useQueueUrlAsEndpoint: false });
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}));
  const { EventBuses = [] } = await events.send(new ListEventBusesCommand({}));
  const { Rules = [] } = await events.send(new ListRulesCommand({}));
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ MaxResults: 1000 }));
  for (const client of [lambda, events, sqs]) client.destroy();
  const roles = await queryApi(emulator, "iam", "ListRoles", { MaxItems: "1000" });
  const regions = [...new Set([CLOUDFRONT_REGION, emulator.region])];
  const stacks = await Promise.all(
    regions.map((region) => queryApi({ ...emulator, region }, "cloudformation", "ListStacks", {})),
  );
  const standing = [...stacks.join("").matchAll(/<member>[\s\S]*?<\/member>/g)]
    .map(([member]) => member)
    .filter((member) => !member.includes("<StackStatus>DELETE_COMPLETE"));
  const all = [
    ...Functions.map(({ FunctionName }) => `function ${FunctionName}`),
    ...EventSourceMappings.map(({ EventSourceArn }) => `mapping ${EventSourceArn}`),
    ...EventBuses.map(({ Name }) => `bus ${Name}`),
    ...Rules.map(({ Name }) => `rule ${Name}`),
    ...QueueUrls.map((url) => `queue ${url.split("/").pop()}`),
    ...[...roles.matchAll(/<RoleName>([^<]*)<\/RoleName>/g)].map(([, name]) => `role ${name}`),
    ...standing.map((member) => `stack ${/<StackName>([^<]*)</.exec(member)?.[1]}`),
  ];
  return all.filter((name) => /spyhop/i.test(name) && !/SSTBootstrap|CDKToolkit/i.test(name));
}
