// A list of lines for a reader: the first of them, and how many more there are.

export const MAX_LISTED = 20;

export function some(lines: readonly string[]): string {
  const more = lines.length > MAX_LISTED ? [`and ${String(lines.length - MAX_LISTED)} more`] : [];
  return [...lines.slice(0, MAX_LISTED), ...more].map((line) => `  ${line}`).join("\n");
}
