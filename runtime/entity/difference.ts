/** The first place where two plain values differ; the order of keys does not count. */
export function difference(a: unknown, b: unknown, path: string): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return `${path === "" ? "/" : path}: ${short(a)} was recorded, ${short(b)} came`;
  if (Array.isArray(a) !== Array.isArray(b)) return `${path}: list against object`;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) {
    const left = (a as Readonly<Record<string, unknown>>)[key];
    const right = (b as Readonly<Record<string, unknown>>)[key];
    const found = difference(left, right, `${path}/${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function short(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
