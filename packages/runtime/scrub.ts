const HIDDEN = "[hidden]";

/** Returns a function that hides `secrets` in a text, in any case of letters: an escape may be written either way. */
export function scrubber(secrets: readonly string[]): (text: string) => string {
  if (secrets.length === 0) return (text) => text;
  const any = new RegExp(secrets.map((secret) => secret.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "gi");
  return (text) => text.replace(any, HIDDEN);
}
