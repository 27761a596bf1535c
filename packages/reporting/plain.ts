/** The longest label or symbol that is shown. */
export const MAX_LABEL = 32;

// Cc controls (with ESC, CR, LF), Cf invisible and bidirectional marks, Cs lone surrogates, Co private use, Cn unassigned.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/**
 * Returns text from outside (a label, a symbol, a reason) as one visible line of at most `max` characters: NFKC, without
 * control, bidirectional or invisible characters, at most two combining marks a letter. Empty text gives "?".
 * Safe for a terminal; for Markdown see `escaped`.
 */
export function plain(text: string, max: number = MAX_LABEL): string {
  const visible = text
    .normalize("NFKC")
    .replace(/\s/gu, " ")
    .replace(UNSEEN, "")
    .normalize("NFKC") // a mark may stand beside a letter only now
    .replace(/(\p{M}{2})\p{M}+/gu, "$1")
    .replace(/\s+/gu, " ")
    .replace(/^[\p{M} ]+/u, "")
    .trimEnd();
  if (visible === "") return "?";
  const letters = [...visible];
  if (letters.length <= max) return visible;
  const first = letters.slice(0, max - 3).join("");
  // A part of an address leads somewhere else: it is left out whole, where there is anything else to say.
  return `${first.replace(/(?<=\S )\S*:\/\/\S*$/u, "").trimEnd()}...`;
}

// Entities cannot open a link, a table cell, code or HTML in CommonMark (section 2.5), so they beat backslashes: they
// hold in every renderer and in HTML as well. "." only between word characters, where GFM would make a link of "www.".
// "_" inside a word opens no emphasis (6.2), so `uniswap_v2` stays readable.
const STRUCTURAL = /(?!(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}]))[^\p{L}\p{M}\p{N} ,;?'’…–—.-]|(?<=\w)\.(?=[a-z])/gu;

/**
 * Returns `plain(text)` that means itself in Markdown and in HTML: no link, emphasis, code, table cell or tag can begin
 * or end in it.
 * Source: CommonMark 0.31.2, 2.5; GFM 6.9 (autolinks).
 */
export function escaped(text: string, max: number = MAX_LABEL): string {
  return plain(text, max)
    .replaceAll("@", "(at)")
    .replace(STRUCTURAL, (letter) => `&#${letter.codePointAt(0)};`)
    .replace(/^([-+]|\d+\.)(?= )/u, (marker) => [...marker].map((letter) => `&#${letter.codePointAt(0)};`).join(""));
}
