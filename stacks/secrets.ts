import { type App, SecretValue, Stack } from "aws-cdk-lib";
import { type ISecret, Secret } from "aws-cdk-lib/aws-secretsmanager";
import { named, secretId } from "#topology/names";
import { acknowledge } from "./acknowledged.ts";
import { removalOf, type Site, stackProps, tag } from "./site.ts";

/**
 * The secrets that a deployment makes: what CloudFront shows the API so that the API knows it, and the control object, which
 * is no credential. Those of the owner (nodes, venue, external database) exist before a deploy and are only named, so no
 * template ever holds one.
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
    const control = new Secret(this, "Control", {
      secretName: secretId(target.stage, "control"),
      description: "The kill switch outside of the database: nothing opens without one of the newest epoch",
      // Says nothing, so nothing opens until the reconciler has written what the database says.
      secretStringValue: SecretValue.unsafePlainText("{}"),
      removalPolicy: removalOf(target),
    });
    acknowledge(control, "controlObject");
    this.origin = origin as ISecret; // CDK's classes and interfaces disagree under exactOptionalPropertyTypes
  }
}
