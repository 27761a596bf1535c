import { createPublicKey, verify } from "node:crypto";
import { type ArmingVerdict, armingIn, armingVerdict, type SignedArming } from "#trading/arming";
import { policyHash, policyOf } from "#trading/plans/policy";
import { instant } from "#units/time";
import { ConfigError, type Settings } from "./config.ts";

/**
 * Returns whether a key signed an arming. `key` is a public Ed25519 key, its SPKI in base64; null signs nothing.
 * @throws ConfigError when it is no such key.   Source: RFC 8032, RFC 8410
 */
function isSignedBy(key: string | null, { text, signature }: SignedArming): boolean {
  if (key === null) return false;
  return verify(null, Buffer.from(text), publicKey(key), Buffer.from(signature, "base64"));
}

function publicKey(key: string) {
  try {
    const read = createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" });
    if (read.asymmetricKeyType === "ed25519") return read;
  } catch {
    // the error would quote the key's bytes
  }
  throw new ConfigError(
    ["ARMING_KEY"],
    "ARMING_KEY is no public Ed25519 key: npm run arm -- --new-key FILE prints one",
  );
}

/** Returns whether the desk's key signed an arming. */
export const signedBy =
  ({ armingKey }: Settings) =>
  (signed: SignedArming): boolean =>
    isSignedBy(armingKey, signed);

/** Returns what an arming of this desk is held against, but for account and epoch. */
export const deskOf = (settings: Settings) => {
  const { mode, venue } = settings;
  return { mode, venue, policyHash: policyHash(policyOf(settings)), now: instant(Date.now()) };
};

/** Returns how a new arming is judged where the account of the key is not known: as if it were the arming's own. */
export const armingJudge =
  (settings: Settings) =>
  (signed: SignedArming, epoch: number): ArmingVerdict => {
    const account = armingIn(signed.text)?.account ?? null;
    return armingVerdict(signed, signedBy(settings), { ...deskOf(settings), account, epoch });
  };
