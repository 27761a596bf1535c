/** List prices in US dollars, without free tiers, discounts and taxes. */
export interface Prices {
  readonly region: string;
  /** AWS Lambda, arm64. */
  readonly lambdaGbSecond: number;
  readonly lambdaMillionRequests: number;
  /** Amazon SQS; a request is up to 64 KB, of up to ten messages. */
  readonly sqsMillionRequests: number;
  readonly sqsFifoMillionRequests: number;
  /** Amazon EventBridge, custom events. Scheduled rules and deliveries to targets of the account are free. */
  readonly eventBridgeMillionEvents: number;
  /** Aurora PostgreSQL Serverless v2, Standard storage. */
  readonly auroraAcuHour: number;
  readonly auroraGbMonth: number;
  readonly auroraMillionIos: number;
  /** RDS Proxy before Serverless v2, by the ACU-hour, with at least eight. */
  readonly proxyAcuHour: number;
  readonly proxyLeastAcus: number;
  readonly natHour: number;
  readonly natGb: number;
  /** A public IPv4 address, as each NAT gateway has. */
  readonly ipv4Hour: number;
  readonly endpointHour: number;
  /** API Gateway, HTTP API. */
  readonly apiMillionRequests: number;
  /** CloudFront, for viewers on the region's continent. */
  readonly cloudFrontMillionRequests: number;
  readonly cloudFrontGb: number;
  readonly edgeFunctionMillionRequests: number;
  readonly wafAclMonth: number;
  readonly wafRuleMonth: number;
  readonly wafMillionRequests: number;
  readonly logsGb: number;
  readonly alarmMonth: number;
  readonly customMetricMonth: number;
  readonly dashboardMonth: number;
  readonly secretMonth: number;
  readonly secretMillionCalls: number;
}

/** When the table below was written down, and where from. It was not read from AWS: check what you rely on. */
export const PRICES_AS_OF = "2026-11";
export const PRICES_SOURCE = "the published list as remembered; https://aws.amazon.com/pricing/ has today's";

/** Of which AWS asks the same in every region here. */
const EVERYWHERE = {
  ...{ lambdaGbSecond: 0.000_013_333_4, lambdaMillionRequests: 0.2 },
  ...{ sqsMillionRequests: 0.4, sqsFifoMillionRequests: 0.5, eventBridgeMillionEvents: 1 },
  ...{ proxyLeastAcus: 8, ipv4Hour: 0.005, edgeFunctionMillionRequests: 0.1 },
  ...{ wafAclMonth: 5, wafRuleMonth: 1, wafMillionRequests: 0.6 },
  ...{ alarmMonth: 0.1, customMetricMonth: 0.3, dashboardMonth: 3, secretMonth: 0.4, secretMillionCalls: 5 },
} as const;

const REGIONS = {
  "us-east-1": {
    ...{ auroraAcuHour: 0.12, auroraGbMonth: 0.1, auroraMillionIos: 0.2, proxyAcuHour: 0.015 },
    ...{ natHour: 0.045, natGb: 0.045, endpointHour: 0.01 },
    ...{ apiMillionRequests: 1, cloudFrontMillionRequests: 1, cloudFrontGb: 0.085, logsGb: 0.5 },
  },
  "eu-west-1": {
    ...{ auroraAcuHour: 0.14, auroraGbMonth: 0.11, auroraMillionIos: 0.22, proxyAcuHour: 0.018 },
    ...{ natHour: 0.048, natGb: 0.048, endpointHour: 0.011 },
    ...{ apiMillionRequests: 1.11, cloudFrontMillionRequests: 1.2, cloudFrontGb: 0.085, logsGb: 0.57 },
  },
  "eu-central-1": {
    ...{ auroraAcuHour: 0.14, auroraGbMonth: 0.119, auroraMillionIos: 0.22, proxyAcuHour: 0.018 },
    ...{ natHour: 0.052, natGb: 0.052, endpointHour: 0.012 },
    ...{ apiMillionRequests: 1.2, cloudFrontMillionRequests: 1.2, cloudFrontGb: 0.085, logsGb: 0.63 },
  },
  "ap-southeast-1": {
    ...{ auroraAcuHour: 0.2, auroraGbMonth: 0.12, auroraMillionIos: 0.24, proxyAcuHour: 0.02 },
    ...{ natHour: 0.059, natGb: 0.059, endpointHour: 0.013 },
    ...{ apiMillionRequests: 1.25, cloudFrontMillionRequests: 1.2, cloudFrontGb: 0.12, logsGb: 0.7 },
  },
  "ap-northeast-1": {
    ...{ auroraAcuHour: 0.2, auroraGbMonth: 0.12, auroraMillionIos: 0.24, proxyAcuHour: 0.02 },
    ...{ natHour: 0.062, natGb: 0.062, endpointHour: 0.014 },
    ...{ apiMillionRequests: 1.29, cloudFrontMillionRequests: 1.2, cloudFrontGb: 0.114, logsGb: 0.76 },
  },
} as const satisfies Record<string, Omit<Prices, keyof typeof EVERYWHERE | "region">>;

/** No price of a region is written down here. */
export class UnknownRegionError extends Error {
  override name = "UnknownRegionError";
  constructor(region: string) {
    super(
      `there are no prices of ${region} here, only of ${Object.keys(REGIONS).join(", ")}: ` +
        "name one of them with --region, or add yours to packages/operations/cost/prices.ts",
    );
  }
}

const isPriced = (region: string): region is keyof typeof REGIONS => Object.hasOwn(REGIONS, region);

/** Returns the prices of a region. @throws UnknownRegionError */
export function pricesOf(region: string): Prices {
  if (!isPriced(region)) throw new UnknownRegionError(region);
  return { region, ...EVERYWHERE, ...REGIONS[region] };
}
