/** One row of a CSV file: its fields, and the line it began on (1 = the header). */
export interface CsvRow {
  readonly line: number;
  readonly fields: readonly string[];
}

const quotedField = /"((?:[^"]|"")*)"(?=,|$)|([^",]*)(?=,|$)/y;

/** Returns the fields of one line, or null when a quote is left open or stands inside a bare field. */
function fieldsOf(line: string): string[] | null {
  const fields: string[] = [];
  let at = 0;
  while (true) {
    quotedField.lastIndex = at;
    const match = quotedField.exec(line);
    if (!match) return null;
    fields.push(match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"'));
    at = quotedField.lastIndex;
    if (at >= line.length) return fields;
    at += 1;
  }
}

/**
 * Returns the rows of CSV text in order (RFC 4180 quoting, one row a line; a field holds no line break). Empty lines and
 * lines that begin with "#" are left out; a byte order mark and CRLF are accepted. A line that is not CSV is an empty row.
 */
export function parseCsv(text: string): CsvRow[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, index) => ({ line: index + 1, text: line }))
    .filter((row) => row.text.trim() !== "" && !row.text.startsWith("#"))
    .map((row) => ({ line: row.line, fields: fieldsOf(row.text) ?? [] }));
}

const quoted = (field: string): string => (/[",\n\r#]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);

/** Returns CSV text with a header line; each line ends with a line feed. */
export const formatCsv = (header: readonly string[], rows: Iterable<readonly string[]>): string =>
  [header, ...rows].map((fields) => `${fields.map(quoted).join(",")}\n`).join("");
