import { type App, Stack } from "aws-cdk-lib";
import { type ISecret, Secret } from "aws-cdk-lib/aws-secretsmanager";
import { named, secretId } from "#topology/names";
import { acknowledge } from "./acknowledged.ts";
import { removalOf, type Site, stackProps, tag } from "./site.ts";

/**
 * The one secret that a deployment makes: what CloudFront shows the API so that the API knows it. Those of the owner
 * (nodes, venue, external database) exist before a deploy and are only named, so no template ever holds one.
 */
export class SecretsStack extends Stack {
  readonly origin: ISecret;

  constructor(app: App, { target }: Site) {
    super(app, named(target.stage, "secrets"), stackProps(target, "Spyhop: secrets that the deployment makes"));
    tag(this, target);
    const origin = new Secret(this, "Origin", {
      secretName: secretId(target.stage, "origin"),
      description: "What CloudFront sends to the API, which answers nobody else",
      generateSecretString: {
        secretStringTemplate: "{}",
        generateStringKey: "value",
        passwordLength: 48,
        excludePunctuation: true,
      },
      removalPolicy: removalOf(target),
    });
    acknowledge(origin, "originSecret");
    this.origin = origin as ISecret; // CDK's classes and interfaces disagree under exactOptionalPropertyTypes
  }
}
