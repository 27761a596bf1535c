import { CLOUDFRONT_REGION } from "../../stacks/site.ts";
import type { Emulator } from "./emulator.ts";
import { unsigned } from "./query-api.ts";

/**
 * Returns what is wrong with the firewall in front of the deployed API, which is nothing when CloudFront's one distribution
 * has the one firewall that stands in us-east-1: its stack went first, and its ARN came over to the other region.
 */
export async function frontProblems({ endpoint }: Emulator): Promise<string[]> {
  const distributions = await fetch(`${endpoint}/2020-05-31/distribution`, {
    headers: unsigned("cloudfront", CLOUDFRONT_REGION),
  });
  const firewalls = await fetch(endpoint, {
    method: "POST",
    headers: {
      ...unsigned("wafv2", CLOUDFRONT_REGION),
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSWAF_20190729.ListWebACLs",
    },
    body: JSON.stringify({ Scope: "CLOUDFRONT" }),
  });
  const { WebACLs } = (await firewalls.json()) as { WebACLs: readonly { readonly ARN: string }[] };
  const shown = [...(await distributions.text()).matchAll(/<WebACLId>([^<]*)<\/WebACLId>/g)].map(([, arn]) => arn);
  const standing = WebACLs.map(({ ARN }) => ARN);
  return standing.length === 1 && shown.length === 1 && standing[0] === shown[0]
    ? []
    : [`CloudFront has the firewalls [${shown.join(", ")}], and there are [${standing.join(", ")}]`];
}
