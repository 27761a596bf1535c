/**
 * List prices in US dollars, region us-east-1, without free tiers, discounts and taxes. They are the published list as
 * remembered on the date below, not read from AWS: check what you rely on at https://aws.amazon.com/pricing/.
 */
export const PRICES = {
  asOf: "2026-11",
  region: "us-east-1",
  /** AWS Lambda, arm64. */
  lambdaGbSecond: 0.000_013_333_4,
  lambdaMillionRequests: 0.2,
  /** Amazon SQS; a request is up to 64 KB, of up to ten messages. */
  sqsMillionRequests: 0.4,
  sqsFifoMillionRequests: 0.5,
  /** Amazon EventBridge, custom events. Scheduled rules and deliveries to targets of the account are free. */
  eventBridgeMillionEvents: 1,
  /** Aurora PostgreSQL Serverless v2, Standard storage. */
  auroraAcuHour: 0.12,
  auroraGbMonth: 0.1,
  auroraMillionIos: 0.2,
  /** RDS Proxy before Serverless v2, by the ACU-hour, with at least eight. */
  proxyAcuHour: 0.015,
  proxyLeastAcus: 8,
  natHour: 0.045,
  natGb: 0.045,
  endpointHour: 0.01,
  endpointGb: 0.01,
  /** API Gateway, HTTP API. */
  apiMillionRequests: 1,
  cloudFrontMillionRequests: 1,
  cloudFrontGb: 0.085,
  wafAclMonth: 5,
  wafRuleMonth: 1,
  wafMillionRequests: 0.6,
  logsGb: 0.5,
  alarmMonth: 0.1,
  customMetricMonth: 0.3,
  dashboardMonth: 3,
  secretMonth: 0.4,
  secretMillionCalls: 5,
} as const;

export type Prices = { readonly [P in keyof typeof PRICES]: (typeof PRICES)[P] extends number ? number : string };
