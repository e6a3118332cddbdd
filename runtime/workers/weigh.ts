// About how many bytes an item holds, so that a channel can be bounded in bytes before it is serialized.

const NODE_BYTES = 16;
/** Larger graphs are weighed by their first so many values. */
const MAX_NODES = 20_000;

/** Binary views count their bytes, strings two per character, everything else a fixed amount. An estimate, never a throw; cycles end at the node limit. */
export function weigh(item: unknown): number {
  let bytes = 0;
  let nodes = 0;
  const open: unknown[] = [item];
  while (open.length > 0 && nodes < MAX_NODES) {
    const value = open.pop();
    nodes++;
    if (typeof value === "string") bytes += NODE_BYTES + value.length * 2;
    else if (typeof value !== "object" || value === null) bytes += NODE_BYTES;
    else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) bytes += NODE_BYTES + value.byteLength;
    else if (value instanceof SharedArrayBuffer) bytes += NODE_BYTES;
    else {
      bytes += NODE_BYTES;
      const parts: Iterable<unknown> = Array.isArray(value) || value instanceof Set ? (value as Iterable<unknown>) : value instanceof Map ? value.values() : Object.values(value);
      for (const part of parts) {
        if (open.length + nodes >= MAX_NODES) break;
        open.push(part);
      }
    }
  }
  return bytes;
}
