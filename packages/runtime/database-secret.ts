import * as z from "zod";
import { readSecret } from "./secret.ts";

/**
 * The secret of an external database. `url` may lead to a transaction pooler; `directUrl` is then the server's own
 * address, for migrations. With `ca` (PEM) the server's certificate is verified against it.
 */
const DatabaseSecret = z.object({
  url: z.string().regex(/^postgres(ql)?:\/\//),
  directUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//)
    .optional(),
  ca: z.string().startsWith("-----BEGIN CERTIFICATE-----").optional(),
});

/** Returns the external database's secret. @throws SecretError naming the field that is missing or malformed. */
export const readDatabaseSecret = (id: string): Promise<z.output<typeof DatabaseSecret>> =>
  readSecret(id, DatabaseSecret);
