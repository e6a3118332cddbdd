// Columns for people: as wide as their widest cell, two spaces between, the last one cut at the terminal's edge.

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  /** Numbers stand right. */
  readonly right?: boolean;
}

/** Lines without a final line end. @param width cut lines there; undefined: never */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width?: number): readonly string[] {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.of(row))));
  const widths = columns.map((column, at) => Math.max(column.title.length, ...cells.map((line) => line[at]?.length ?? 0)));
  const line = (texts: readonly string[]): string => {
    const padded = texts.map((text, at) => (columns[at]?.right === true ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0)));
    const whole = padded.join("  ").trimEnd();
    return width === undefined || whole.length <= width ? whole : `${whole.slice(0, Math.max(1, width - 1))}…`;
  };
  return [line(columns.map((column) => column.title)), ...cells.map(line)];
}

/** Names and values come from elsewhere: no line ends, no control characters that move a terminal's cursor. */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001F\u007F-\u009F]/g, "�");
}
