import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { Deployment } from "./deployment.ts";
import { clientOf, type Emulator } from "./emulator.ts";
import { queryApi } from "./query-api.ts";

/** The name of the one inline policy of a function's role. */
const POLICY = "grants";

interface PolicyText {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/**
 * Takes `action` away from the role of a job's function, runs `work`, and gives it back.
 * @throws RangeError when the role does not allow it in the first place.
 */
export async function withoutGrant<T>(
  emulator: Emulator,
  deployment: Deployment,
  { job, action }: { readonly job: string; readonly action: string },
  work: () => Promise<T>,
): Promise<T> {
  const RoleName = await roleOf(emulator, deployment.functionName(job));
  const found = await queryApi(emulator, "iam", "GetRolePolicy", { RoleName, PolicyName: POLICY });
  const text = /<PolicyDocument>([\s\S]*?)<\/PolicyDocument>/.exec(found)?.[1] ?? "";
  const policy = JSON.parse(decodeURIComponent(text)) as PolicyText;
  const kept = policy.Statement.filter(({ Action }) => ![Action].flat().includes(action));
  if (kept.length === policy.Statement.length) throw new RangeError(`the role of ${job} does not allow ${action}`);
  const put = (document: PolicyText): Promise<string> =>
    queryApi(emulator, "iam", "PutRolePolicy", {
      RoleName,
      PolicyName: POLICY,
      PolicyDocument: JSON.stringify(document),
    });
  await put({ ...policy, Statement: kept });
  try {
    return await work();
  } finally {
    await put(policy);
  }
}

async function roleOf(emulator: Emulator, FunctionName: string): Promise<string> {
  const client = new LambdaClient(clientOf(emulator));
  const { Role = "" } = await client.send(new GetFunctionConfigurationCommand({ FunctionName }));
  client.destroy();
  return Role.split("/").pop() ?? "";
}
