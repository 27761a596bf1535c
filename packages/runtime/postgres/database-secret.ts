import * as z from "zod";

const url = z.string().regex(/^postgres(ql)?:\/\//);

/**
 * The secret of an external database. `url` may lead to a transaction pooler; `directUrl` is then the server's own
 * address, for migrations. With `ca` (PEM) the server's certificate is verified against it.
 */
export const DatabaseSecret = z.object({
  url,
  directUrl: url.optional(),
  ca: z.string().startsWith("-----BEGIN CERTIFICATE-----").optional(),
});
