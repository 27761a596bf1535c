import { type ArmingLook, armingVerdict, type SignedArming } from "#trading/arming";
import { deskOf, signedBy } from "./arming-judge.ts";
import { readConfig, type Settings } from "./config.ts";
import { ExchangeSecret } from "./okx/exchange-secret.ts";
import { readSecret } from "./secret.ts";

/** Returns the account that the secret of the venue's key names. @throws SecretError */
const namedAccount = async (): Promise<string | null> =>
  (await readSecret(readConfig("exchange").EXCHANGE_SECRET_ID, ExchangeSecret)).fields.accountId;

/**
 * Returns the look for the arming of this desk: `read` gives the newest that is kept, `account` the one that its key must
 * belong to, by default as the key's secret names it.
 */
export const armingLook =
  (read: () => Promise<SignedArming | null>, settings: Settings, account = namedAccount): ArmingLook =>
  async (epoch) => {
    const [signed, named] = await Promise.all([read(), account()]);
    return armingVerdict(signed, signedBy(settings), { ...deskOf(settings), account: named, epoch });
  };
