import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { Arming, SignedArming } from "#trading/arming";
import { canonicalJson } from "#trading/canonical-json";

/** The file of an arming key cannot be used. The message never quotes it. */
export class ArmingKeyError extends Error {
  override name = "ArmingKeyError";
}

const publicText = (key: KeyObject): string => key.export({ format: "der", type: "spki" }).toString("base64");

/**
 * Writes a new key that signs armings to a file that only its owner may read, and returns the public half as ARMING_KEY wants
 * it. @throws ArmingKeyError when there is such a file already: it is never replaced
 */
export async function newArmingKey(path: string): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const text = String(privateKey.export({ format: "pem", type: "pkcs8" }));
  await writeFile(path, text, { mode: 0o600, flag: "wx" }).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    throw new ArmingKeyError(`${path} is there already, and no key is ever written over: name another file`);
  });
  return publicText(publicKey);
}

/** A key that signs armings, and its public half as ARMING_KEY has it. */
export interface ArmingKey {
  readonly publicKey: string;
  readonly sign: (arming: Arming) => SignedArming;
}

/** Returns the key that is in a file. @throws ArmingKeyError */
export function armingKeyIn(path: string, pem: string): ArmingKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new ArmingKeyError(`${path} holds no private key in PEM; npm run arm -- --new-key FILE makes one`);
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw new ArmingKeyError(
      `${path} holds a key of ${key.asymmetricKeyType}; npm run arm -- --new-key FILE makes one`,
    );
  return {
    publicKey: publicText(createPublicKey(key)),
    sign: (arming) => {
      const text = canonicalJson({ ...arming });
      return { text, signature: sign(null, Buffer.from(text), key).toString("base64") };
    },
  };
}
