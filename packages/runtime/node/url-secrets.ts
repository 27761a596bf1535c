/** A part of a URL this short is in too many texts to be looked for; the whole path and query are, however short. */
const SHORTEST = 4;
/** What paths and queries of public endpoints say too: no secret, and words of the log. */
const PUBLIC: ReadonlySet<string> = new Set(["ethereum", "mainnet", "jsonrpc", "json-rpc", "https", "http"]);

/**
 * Returns the parts of URLs that may hold a key, each in every form in which a text may carry it: user, password and
 * both as a Basic credential, the path whole and by its segments, the query whole and by its values; as written,
 * URL-decoded and URL-encoded. The host is none of them. What is no URL has no parts.
 */
export function urlSecrets(urls: readonly string[]): readonly string[] {
  const found = urls.flatMap((url) => (URL.canParse(url) ? partsOf(new URL(url)) : []));
  const forms = found.flatMap((part) => {
    const plain = decoded(part);
    return [part, plain, encodeURIComponent(plain), encodeURIComponent(part)];
  });
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

function partsOf({ username, password, pathname, search, searchParams }: URL): string[] {
  const login = `${decoded(username)}:${decoded(password)}`;
  const whole = [`${pathname}${search}`, pathname, search.slice(1)].filter((part) => part.length > 2);
  const pieces = [username, password, ...pathname.split("/"), ...searchParams.values()];
  const logins = login === ":" ? [] : [login, Buffer.from(login).toString("base64")];
  return [...whole, ...logins, ...pieces.filter((piece) => piece.length >= SHORTEST && !PUBLIC.has(piece))];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
