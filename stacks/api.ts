import { type App, CfnOutput, Duration, Fn, SecretValue, Stack } from "aws-cdk-lib";
import {
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
} from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import {
  AllowedMethods,
  type BehaviorOptions,
  CachePolicy,
  Distribution,
  Function as EdgeFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  OriginSslPolicy,
  ResponseHeadersPolicy,
  ViewerProtocolPolicy,
} from "aws-cdk-lib/aws-cloudfront";
import { HttpOrigin } from "aws-cdk-lib/aws-cloudfront-origins";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import type { ISecret } from "aws-cdk-lib/aws-secretsmanager";
import { FALLBACK } from "#topology/api";
import { named, ORIGIN_HEADER } from "#topology/names";
import { acknowledge } from "./acknowledged.ts";
import { webAclArnIn } from "./firewall.ts";
import { JobFunction } from "./job-function.ts";
import { type AuroraSite, hasFirewall, removalOf, type Site, stackProps, tag } from "./site.ts";
import type { Target } from "./target.ts";
import { viewersOnly } from "./viewers.ts";

/** A person with a dashboard; the whole desk has few. Requests per second, and at once. */
const THROTTLE = { rateLimit: 20, burstLimit: 40 };

export interface ApiProps {
  readonly site: Site;
  readonly aurora: AuroraSite | null;
  readonly origin: ISecret;
  readonly queueUrl: (name: string) => string;
}

/** The HTTP API, one function a grant, with CloudFront and the firewall in front. */
export class ApiStack extends Stack {
  readonly apiId: string;

  constructor(app: App, props: ApiProps) {
    const { target } = props.site;
    super(app, named(target.stage, "api"), stackProps(target, "Spyhop: the HTTP API"));
    tag(this, target);
    const api = new HttpApi(this, "Api", {
      apiName: named(target.stage, "api"),
      description: `spyhop ${target.stage}`,
      createDefaultStage: false,
    });
    const logGroup = new LogGroup(this, "Access", {
      logGroupName: `/spyhop/${target.stage}/api`,
      retention: target.logDays satisfies RetentionDays,
      removalPolicy: removalOf(target),
    });
    new HttpStage(this, "Stage", {
      httpApi: api,
      stageName: "$default",
      autoDeploy: true,
      throttle: THROTTLE,
      accessLogSettings: { destination: new LogGroupLogDestination(logGroup) },
    });
    for (const name of Object.keys(props.site.topology.api)) this.#addFunction(api, name, props);
    this.apiId = api.apiId;
    const distribution = this.#addDistribution(api, props);
    new CfnOutput(this, "ApiId", { value: api.apiId });
    new CfnOutput(this, "Url", { value: `https://${distribution.distributionDomainName}` });
  }

  /** One function with its routes, and where it is the one for that, what has no route. */
  #addFunction(api: HttpApi, name: string, { site, aurora, queueUrl }: ApiProps): void {
    const job = site.topology.api[name];
    if (!job) throw new RangeError(`the API has no function ${name}`);
    const { lambda } = new JobFunction(this, `function-${name}`, {
      ...{ site, aurora, queueUrl },
      job: { ...job, takes: null, behindOrigin: true },
    });
    const integration = new HttpLambdaIntegration(`integration-${name}`, lambda, { scopePermissionToRoute: false });
    const routes = Object.entries(site.topology.routes).flatMap(([route, entry]) => {
      const [method = "", path = ""] = route.split(" ");
      const methods = [HttpMethod[method as keyof typeof HttpMethod]];
      return entry.in === name ? api.addRoutes({ path, methods, integration }) : [];
    });
    if (name === FALLBACK)
      routes.push(new HttpRoute(this, "Rest", { httpApi: api, routeKey: HttpRouteKey.DEFAULT, integration }));
    for (const one of routes) acknowledge(one, "noLogin");
  }

  /** Where no firewall stands in front, a function at the edge lets in the viewers alone. */
  #guard({ firewall, emulator, stage, viewers }: Target): Pick<BehaviorOptions, "functionAssociations"> {
    if (emulator || firewall === "waf") return {};
    const guard = new EdgeFunction(this, "Viewers", {
      functionName: named(stage, "viewers"),
      comment: "lets in the target's viewers alone",
      code: FunctionCode.fromInline(viewersOnly(viewers)),
      runtime: FunctionRuntime.JS_2_0,
    });
    return { functionAssociations: [{ function: guard, eventType: FunctionEventType.VIEWER_REQUEST }] };
  }

  #addDistribution(api: HttpApi, { site, origin }: ApiProps): Distribution {
    const distribution = new Distribution(this, "Distribution", {
      comment: named(site.target.stage, "api"),
      defaultBehavior: {
        origin: new HttpOrigin(Fn.select(2, Fn.split("/", api.apiEndpoint)), {
          protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
          originSslProtocols: [OriginSslPolicy.TLS_V1_2],
          readTimeout: Duration.seconds(30),
          customHeaders: { [ORIGIN_HEADER]: shownValue(origin, site.target).unsafeUnwrap() },
        }),
        allowedMethods: AllowedMethods.ALLOW_ALL,
        viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
        cachePolicy: CachePolicy.CACHING_DISABLED,
        originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        responseHeadersPolicy: ResponseHeadersPolicy.SECURITY_HEADERS,
        ...this.#guard(site.target),
      },
      httpVersion: HttpVersion.HTTP2_AND_3,
      ...(hasFirewall(site.target) ? { webAclId: webAclArnIn(this, site.target) } : {}),
    });
    acknowledge(distribution, "distribution");
    return distribution;
  }
}

/**
 * Returns the value that CloudFront shows. CloudFormation fetches it while it deploys, and only where the template has
 * changed; the template holds the reference alone, with the version once there was another one.
 */
const shownValue = ({ secretArn }: ISecret, { originVersion }: Target): SecretValue =>
  SecretValue.secretsManager(secretArn, {
    jsonField: "value",
    ...(originVersion === null ? {} : { versionId: originVersion }),
  });
