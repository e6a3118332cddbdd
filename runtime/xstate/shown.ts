// Encoded data as whoever looks at it from outside reads it: JSON without the codec's own marks. One way only; recovery and the wire use the codec.
// It may come from another node: a mark that carries what it never does is shown as data, and nothing here throws.

/**
 * What was undefined is left out (null in a list), a number that JSON lacks is its text, a ref is the address of its actor, what was lost says what it was.
 * @returns the same object where nothing in it needs a change
 */
export function shownData(encoded: unknown): unknown {
  const shown = shownOrGone(encoded);
  return shown === undefined ? null : shown;
}

function shownOrGone(encoded: unknown): unknown {
  if (typeof encoded !== "object" || encoded === null) return encoded;
  if (Array.isArray(encoded)) {
    const items = encoded.map(shownData);
    return items.every((item, at) => item === encoded[at]) ? encoded : items;
  }
  const record = encoded as Readonly<Record<string, unknown>>;
  const keys = Object.keys(record);
  const [only = ""] = keys.length === 1 ? keys : [];
  if (only.startsWith("$") && !only.startsWith("$$")) return shownMark(only, record[only]);
  const copy: Record<string, unknown> = {};
  let changed = false;
  for (const key of keys) {
    const value = shownOrGone(record[key]);
    const name = key.startsWith("$") ? key.slice(1) : key;
    if (name === "__proto__") {
      changed = true;
      continue;
    }
    changed ||= value !== record[key] || name !== key;
    if (value !== undefined) copy[name] = value;
  }
  return changed ? copy : encoded;
}

function shownMark(mark: string, value: unknown): unknown {
  switch (mark) {
    case "$undefined":
      return undefined;
    case "$ref": {
      const { cell, address } = (value ?? {}) as { readonly cell?: unknown; readonly address?: unknown };
      return typeof cell === "string" ? cell : typeof address === "string" ? address : shownData(value);
    }
    case "$number":
      return value;
    case "$text":
      return JSON.parse(String(value)) as string;
    case "$error":
      return shownError(shownData(value));
    case "$lost":
      return `(${typeof value === "string" ? value : "lost"})`;
    default:
      return shownData(value);
  }
}

/** With all that it has beside its name and message in one place; how it is read back concerns the codec alone. */
function shownError(error: unknown): unknown {
  const { name, message, more, hidden } = (error ?? {}) as { readonly name?: unknown; readonly message?: unknown; readonly more?: object; readonly hidden?: object };
  if (typeof name !== "string") return error;
  return { name, message, ...(more === undefined && hidden === undefined ? {} : { more: { ...more, ...hidden } }) };
}
