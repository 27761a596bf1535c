/** One column of a table: how wide at most, and on which side its text stands. */
export interface Column {
  readonly max: number;
  readonly align?: "left" | "right";
}

/** Returns text cut to `width` characters, with "..." where some is missing. */
export const cut = (text: string, width: number): string => {
  const letters = [...text];
  return letters.length <= width
    ? text
    : `${letters
        .slice(0, Math.max(0, width - 3))
        .join("")
        .trimEnd()}...`;
};

/** Returns rows as aligned lines, two spaces apart; a column is as wide as its widest cell, and never wider than `max`. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map(({ max }, index) =>
    Math.min(
      max,
      rows.reduce((widest, row) => Math.max(widest, [...(row[index] ?? "")].length), 0),
    ),
  );
  return rows.map((row) =>
    columns
      .map(({ align }, index) => {
        const width = widths[index] ?? 0;
        const cell = cut(row[index] ?? "", width);
        const gap = " ".repeat(Math.max(0, width - [...cell].length));
        return align === "right" ? gap + cell : cell + gap;
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Returns text broken between words into lines of at most `width`; lines after the first are indented by `indent` more. */
export function wrapped(text: string, width: number, indent = ""): string[] {
  const lead = /^ */.exec(text)?.[0] ?? "";
  const lines: string[] = [];
  let line = "";
  for (const word of text.slice(lead.length).split(" ")) {
    const next = line === "" ? lead + (lines.length > 0 ? indent : "") + word : `${line} ${word}`;
    if ([...next].length > width && line.trim() !== "") {
      lines.push(line.trimEnd());
      line = word === "" ? "" : lead + indent + word;
    } else {
      line = next;
    }
  }
  return [...lines, line].map((each) => cut(each, width));
}
