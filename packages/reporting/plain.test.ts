import fc from "fast-check";
import { expect, test } from "vitest";
import { escaped, MAX_LABEL, plain } from "./plain.ts";

/** Text as an attacker writes it: markup, controls, bidirectional marks, links. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\u0000",
        "\u001b[31m",
        "\r\n",
        "\u2028",
        "|",
        "`",
        "<script>",
        "](http://x)",
        "![a](b)",
        "**",
        "__",
        "~~",
        "\\",
        "&lt;",
        "@everyone",
        "http://evil.example",
        "www.evil.example",
        "# ",
        "- ",
        "1. ",
        "e\u0301\u0301\u0301\u0301",
        "\ud800",
        "💧",
        "ﬁ",
        "＜img＞",
        "｜",
      ),
      fc.string({ unit: "binary", maxLength: 6 }),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));

test("an address that would be cut in the middle is left out whole", () => {
  const error = "refused, see https://www.okx.com/docs-v5/en/#error-code";
  expect(plain(error, 60)).toBe(error);
  expect(plain(error, 40)).toBe("refused, see...");
  expect(plain(`https://${"a".repeat(60)}`, 20)).toBe("https://aaaaaaaaa...");
});

test("plain text is one visible line of bounded length", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const shown = plain(text);
      expect([...shown].length).toBeGreaterThan(0);
      expect([...shown].length).toBeLessThanOrEqual(MAX_LABEL);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u);
      expect(shown).toBe(shown.trim());
      expect(plain(shown)).toBe(shown);
    }),
    // A mark that an invisible character kept from its letter, and an accent that is a space with a mark.
    { numRuns: 500, examples: [["\ufb01\u0000\u0300"], ["\u00b4"], ["a\u200b\u00b4 b"]] },
  );
});

test("escaped text holds nothing that could open or close markup", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      // A "_" between letters or digits opens and closes nothing (CommonMark 0.31.2, 6.2), and stays.
      const inWordsGone = escaped(text).replaceAll(/(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}])/gu, "");
      const entitiesGone = inWordsGone.replaceAll(/&#\d+;/g, "");
      expect(entitiesGone).not.toMatch(/[|`<>[\]\\*_~!#&@"(){}=+$^:/]/);
      expect(entitiesGone).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      expect(escaped(text)).not.toMatch(/^([-+]|\d+\.)\s/);
    }),
    { numRuns: 500 },
  );
});

test.each(["a_b", "\u0c05\ufe33\u4e00"])("%s keeps its underscore: it stands inside a word", (name) => {
  expect(escaped(name)).toContain("_");
});

test("escaped text reads as the plain text once its entities are read", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const read = escaped(text).replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
      expect(read).toBe(plain(text).replaceAll("@", "(at)"));
    }),
  );
});

test("ordinary names are left alone", () => {
  for (const name of ["whale-03", "Binance 14", "Jump Trading", "币安", "0x1234...abcd"])
    expect(escaped(name)).toBe(name);
});

test("a domain makes no link", () => {
  expect(escaped("www.evil.example")).toBe("www&#46;evil&#46;example");
  expect(escaped("https://a.b/c")).toBe("https&#58;&#47;&#47;a&#46;b&#47;c");
});

test("text of invisible characters alone is a question mark", () => {
  expect(plain("\u202e\u200b\n")).toBe("?");
});
