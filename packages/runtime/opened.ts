import type { SecretVersion } from "./secret.ts";

/** A service that is open, the secret that it was opened with, and how it is closed. */
export interface Opened<T> {
  readonly service: T;
  readonly secret: SecretVersion | null;
  /** Ends it at once, whatever it is at. */
  close(): Promise<void>;
}

/** A service that holds nothing to close. */
export const plain = <T>(service: T, secret: SecretVersion | null = null): Opened<T> => ({
  service,
  secret,
  close: async () => {},
});
